package idp

import "time"

// User is a person. ID is random, stable and the "sub" of tokens.
type User struct {
	ID            string
	Username      string // as the person wrote it; unique in its canonical form
	Email         string // empty if none; unique in its canonical form
	EmailVerified bool
	Profile       Profile
	Groups        []string
	DisabledAt    time.Time // zero while the user may sign in
	CreatedAt     time.Time
	UpdatedAt     time.Time
}

// Disabled reports whether the user may not sign in.
func (u User) Disabled() bool { return !u.DisabledAt.IsZero() }

// DisplayName is how pages address the user.
func (u User) DisplayName() string {
	if u.Profile.Name != "" {
		return u.Profile.Name
	}
	return u.Username
}

// Profile is the standard claims about a person that are not identifiers
// (OpenID Connect Core §5.1). The JSON names are the claims' names.
type Profile struct {
	Name                string   `json:"name,omitempty"`
	GivenName           string   `json:"given_name,omitempty"`
	FamilyName          string   `json:"family_name,omitempty"`
	MiddleName          string   `json:"middle_name,omitempty"`
	Nickname            string   `json:"nickname,omitempty"`
	Profile             string   `json:"profile,omitempty"`
	Picture             string   `json:"picture,omitempty"`
	Website             string   `json:"website,omitempty"`
	Gender              string   `json:"gender,omitempty"`
	Birthdate           string   `json:"birthdate,omitempty"`
	Zoneinfo            string   `json:"zoneinfo,omitempty"`
	Locale              string   `json:"locale,omitempty"`
	PhoneNumber         string   `json:"phone_number,omitempty"`
	PhoneNumberVerified bool     `json:"phone_number_verified,omitempty"`
	Address             *Address `json:"address,omitempty"`
}

// Address is the address claim (OpenID Connect Core §5.1.1).
type Address struct {
	Formatted     string `json:"formatted,omitempty"`
	StreetAddress string `json:"street_address,omitempty"`
	Locality      string `json:"locality,omitempty"`
	Region        string `json:"region,omitempty"`
	PostalCode    string `json:"postal_code,omitempty"`
	Country       string `json:"country,omitempty"`
}
