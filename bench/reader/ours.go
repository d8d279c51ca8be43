package reader

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/signet-id/signet/bench/issuer"
	"github.com/signet-id/signet/verify"
)

// Ours is package verify as it comes: with its clock and its revocation check.
var Ours = WithRules("signet verify", 0)

// Accelerated is package verify with verify/accel, for the algorithms that this makes
// faster. accel.go sets it where that module is there.
var Accelerated *Library

// openSecrets reads tokens made with a shared secret. secrets.go sets it where package
// jose has them.
var openSecrets func(*issuer.Issuer) (*Reader, error)

// WithRules is package verify with so many revocation rules and with options.
func WithRules(name string, rules int, options ...func() verify.Option) Library {
	return Library{name, func(i *issuer.Issuer, alg string) (*Reader, error) {
		var opts []verify.Option
		for _, o := range options {
			opts = append(opts, o())
		}
		return openOurs(i, alg, rules, opts)
	}}
}

func openOurs(i *issuer.Issuer, alg string, rules int, opts []verify.Option) (*Reader, error) {
	if strings.HasPrefix(alg, "HS") { // a published key set has no secrets
		if openSecrets == nil {
			return nil, ErrNotAvailable
		}
		return openSecrets(i)
	}
	v, stop, err := i.Verifier(rules, opts...)
	if err != nil {
		return nil, err
	}
	probe, err := i.Token(alg, 0)
	if err == nil {
		_, err = v.Verify(context.Background(), probe)
	}
	if errors.Is(err, verify.ErrAlgorithm) || errors.Is(err, verify.ErrUnknownKey) {
		err = ErrNotAvailable // the key was left out of the set
	}
	if err != nil {
		stop()
		return nil, err
	}
	return ofVerifier(v, stop), nil
}

func ofVerifier(v *verify.Verifier, stop func()) *Reader {
	ctx := context.Background()
	return &Reader{
		Verify: func(token string) error { _, err := v.Verify(ctx, token); return err },
		Read: func(token string) (Facts, error) {
			c, err := v.Verify(ctx, token)
			if err != nil {
				return Facts{}, err
			}
			return FactsOf(c), nil
		},
		Close: stop,
	}
}

// FactsOf returns what package verify says of a token.
func FactsOf(c *verify.Claims) Facts {
	date := func(t time.Time) int64 {
		if t.IsZero() {
			return 0
		}
		return t.Unix()
	}
	return Facts{
		Issuer: c.Issuer, Subject: c.Subject, ID: c.ID, ClientID: c.ClientID, SessionID: c.SessionID, GrantID: c.GrantID,
		ACR: c.ACR, Scope: strings.Join(c.Scopes, " "), Audience: []string{c.Audience}, AMR: c.AMR, Groups: c.Groups, Roles: c.Roles,
		IssuedAt: date(c.IssuedAt), ExpiresAt: date(c.ExpiresAt), NotBefore: date(c.NotBefore), AuthTime: date(c.AuthTime),
		Bound: c.Confirmation != verify.Confirmation{},
	}
}
