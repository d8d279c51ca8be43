package token

import (
	"encoding/json"

	"github.com/signet-id/signet/internal/idp"
)

// person writes the claims about a person (OpenID Connect Core §5.1) that wanted names;
// what nobody knows of the person is left out (§5.3.2).
func (c *claims) person(u idp.User, wanted func(claim string) bool) {
	p := u.Profile
	for _, text := range [...]struct{ name, value string }{
		{"name", p.Name}, {"given_name", p.GivenName}, {"family_name", p.FamilyName}, {"middle_name", p.MiddleName}, {"nickname", p.Nickname},
		{"preferred_username", u.Username}, {"profile", p.Profile}, {"picture", p.Picture}, {"website", p.Website}, {"gender", p.Gender},
		{"birthdate", p.Birthdate}, {"zoneinfo", p.Zoneinfo}, {"locale", p.Locale}, {"email", u.Email}, {"phone_number", p.PhoneNumber},
	} {
		if wanted(text.name) {
			c.optional(text.name, text.value)
		}
	}
	if wanted("updated_at") && !u.UpdatedAt.IsZero() {
		c.number("updated_at", u.UpdatedAt.Unix()) // seconds
	}
	// False is a value, but says nothing without what it is about.
	if wanted("email_verified") && u.Email != "" {
		c.fact("email_verified", u.EmailVerified)
	}
	if wanted("phone_number_verified") && p.PhoneNumber != "" {
		c.fact("phone_number_verified", p.PhoneNumberVerified)
	}
	if wanted("address") && p.Address != nil {
		c.address(*p.Address)
	}
	if wanted("groups") {
		c.list("groups", u.Groups)
	}
}

func (c *claims) address(a idp.Address) {
	doc, err := json.Marshal(a)
	if err != nil {
		panic("token: encode address: " + err.Error()) // strings always encode
	}
	c.name("address")
	c.buf = append(c.buf, doc...)
}

func (c *claims) fact(name string, value bool) {
	c.name(name)
	if value {
		c.buf = append(c.buf, "true"...)
	} else {
		c.buf = append(c.buf, "false"...)
	}
}
