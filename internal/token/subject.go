package token

import "github.com/signet-id/signet/internal/secret"

// The "sub" of an access token is a user's ID or, with client_credentials, the client's
// own (RFC 9068 §2.2). A service that looks at sub alone must never take a client for a
// user (RFC 9068 §5), so the two are told apart by form: a user's ID is what secret.ID
// makes, 22 base62 characters of a 128-bit number, and a client's ID is never of that
// form. No token is made for an ID that breaks the rule.

// CheckClientID refuses client IDs that could be a user's. It is for everyone who
// registers clients.
func CheckClientID(id string) error {
	if id == "" || secret.IsID(id) {
		return invalid("client id has the form of a user id")
	}
	return nil
}

func checkUserID(id string) error {
	if !secret.IsID(id) {
		return invalid("user id was not made by us")
	}
	return nil
}
