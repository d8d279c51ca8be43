package idp

import "time"

// PushedRequest is an authorization request that a client has brought itself and that a
// browser refers to by name (RFC 9126). Request has what the client asked; its ID and
// its browser come later.
type PushedRequest struct {
	Hash      [32]byte // secret.Hash("pushed_request", …) of the last part of its request_uri
	ClientID  string
	Request   AuthRequest
	ExpiresAt time.Time // until then a browser may come with it
}
