package oauth

import (
	"encoding/json"
	"errors"
	"slices"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// maxClaims bounds the claims parameter.
const maxClaims = 8 << 10

// claimsWish is what a claims parameter asks for (OpenID Connect Core §5.5).
type claimsWish struct {
	names   idp.ClaimsRequest
	subject string   // nobody else will do
	acr     []string // classes for the login
	mustACR bool     // and nothing less will do
}

// claimWish is what is asked of one claim (§5.5.1).
type claimWish struct {
	essential bool
	values    []json.RawMessage // "value" or "values"
}

// parseClaims reads the parameter. Claims that we do not know are ignored, and so are
// values: only those of sub and acr change who may come (§5.5.1, §5.5.1.1).
func parseClaims(text string) (claimsWish, error) {
	var wish claimsWish
	if len(text) > maxClaims {
		return wish, refuse(InvalidRequest, "claims is too long")
	}
	members, err := object([]byte(text))
	if err != nil {
		return wish, badClaims(err)
	}
	userinfo, err := wishes(members["userinfo"])
	if err != nil {
		return wish, badClaims(err)
	}
	idToken, err := wishes(members["id_token"])
	if err != nil {
		return wish, badClaims(err)
	}
	wish.names = idp.ClaimsRequest{Userinfo: named(userinfo), IDToken: named(idToken)}
	for _, list := range [...]map[string]claimWish{userinfo, idToken} {
		if err := wish.takeSubject(list["sub"]); err != nil {
			return wish, err
		}
	}
	acr := idToken["acr"]
	if wish.acr, err = texts(acr.values); err != nil {
		return wish, badClaims(err)
	}
	wish.mustACR = acr.essential && len(wish.acr) > 0
	return wish, nil
}

func badClaims(cause error) error {
	return &Error{Code: InvalidRequest, Description: "claims is not a claims request", Cause: cause}
}

// takeSubject: §5.5.1: a value of sub names the person.
func (w *claimsWish) takeSubject(sub claimWish) error {
	values, err := texts(sub.values)
	if err != nil {
		return badClaims(err)
	}
	for _, value := range values {
		if w.subject != "" && w.subject != value {
			return refuse(InvalidRequest, "claims asks for more than one sub")
		}
		w.subject = value
	}
	return nil
}

// wishes reads the member "userinfo" or "id_token".
func wishes(doc json.RawMessage) (map[string]claimWish, error) {
	if doc == nil {
		return nil, nil
	}
	members, err := object(doc)
	if err != nil {
		return nil, err
	}
	all := make(map[string]claimWish, len(members))
	for name, member := range members {
		if all[name], err = wishOf(member); err != nil {
			return nil, err
		}
	}
	return all, nil
}

func wishOf(doc json.RawMessage) (w claimWish, err error) {
	if string(doc) == "null" { // asked for, nothing more
		return w, nil
	}
	members, err := object(doc)
	if err != nil {
		return w, err
	}
	if essential, there := members["essential"]; there {
		switch string(essential) {
		case "true", "false":
			w.essential = string(essential) == "true"
		default:
			return w, errors.New("essential is neither true nor false")
		}
	}
	if values, there := members["values"]; there {
		if err := json.Unmarshal(values, &w.values); err != nil || w.values == nil {
			return w, errors.New("values is no array")
		}
	}
	if value, there := members["value"]; there {
		if w.values != nil {
			return w, errors.New("both value and values")
		}
		w.values = []json.RawMessage{value}
	}
	return w, nil
}

// named are the claims about the person that were asked for, in a fixed order.
func named(wishes map[string]claimWish) []string {
	var names []string
	for name := range wishes {
		if idp.ClaimScope(name) != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// object reads a JSON object that has one meaning. Names in a map match byte for byte;
// those of a struct would not.
func object(doc []byte) (members map[string]json.RawMessage, err error) {
	if err := jose.CheckObject(doc); err != nil {
		return nil, err
	}
	err = json.Unmarshal(doc, &members)
	return members, err
}

func texts(values []json.RawMessage) ([]string, error) {
	if len(values) > maxClasses {
		return nil, errors.New("too many values")
	}
	var all []string
	for _, value := range values {
		var s string
		if err := json.Unmarshal(value, &s); err != nil || s == "" {
			return nil, errors.New("a value is no text")
		}
		all = append(all, s)
	}
	return all, nil
}
