package differ_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"strings"

	"github.com/signet-id/signet/bench/reader"
)

// difference names the first field in which two readers differ, or is empty. No list and
// an empty one are the same.
func difference(a, b reader.Facts) string {
	x, y := reflect.ValueOf(a), reflect.ValueOf(b)
	for n := range x.NumField() {
		p, q := x.Field(n).Interface(), y.Field(n).Interface()
		if list, ok := p.([]string); ok {
			if !slices.Equal(list, q.([]string)) {
				return x.Type().Field(n).Name
			}
		} else if p != q {
			return x.Type().Field(n).Name
		}
	}
	return ""
}

// claimNames are the names that have a meaning to readers.
var claimNames = []string{
	"iss", "sub", "aud", "jti", "client_id", "iat", "exp", "nbf", "auth_time", "sid", "grant_id", "acr", "amr", "groups", "roles", "scope", "cnf",
}

// lookAlike reports whether a payload has a name that encoding/json takes for a claim's
// although it is spelled otherwise (JOS-08). Readers that decode with it into a struct
// then read something else; that is their difference, not ours.
func lookAlike(payload []byte) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(payload, &members) != nil {
		return false
	}
	for name := range members {
		for _, claim := range claimNames {
			if name != claim && strings.EqualFold(name, claim) {
				return true
			}
		}
	}
	return false
}
