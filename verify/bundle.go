package verify

import (
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/verify/internal/strictjson"
	"github.com/signet-id/signet/verify/jose"
)

// bundleType is the "typ" of a bundle. Nothing else that the issuer signs has it.
const bundleType = "signet-bundle+jwt"

// bundle is a batch with all live rules, from 0 to the end of the log, and the issuer's
// keys at that moment.
type bundle struct {
	batch
	expires time.Time
	keys    *jose.KeySet
}

var (
	errBundle       = errors.New("malformed bundle")
	errBundleSigner = errors.New("the bundle is not signed by a key that it may be signed by")
	errBundleOlder  = errors.New("the bundle is older than the one before it")
)

// openBundle checks signature and form. The key stands in the bundle itself, so it counts
// only under one of the names that were given to us.
func openBundle(doc string, signers []string) (b bundle, signer string, err error) {
	trusted, err := bundleSigners(doc, signers)
	if err != nil {
		return b, "", err
	}
	payload, key, err := trusted.VerifyLong(doc, bundleType, maxBundle)
	if errors.Is(err, ErrUnknownKey) {
		return b, "", errBundleSigner
	}
	if err != nil {
		return b, "", err
	}
	b, err = parseBundle(payload)
	return b, key.ID(), err
}

// bundleSigners returns those keys of a bundle that may sign it. Nothing else of it is
// believed yet.
func bundleSigners(doc string, signers []string) (*jose.KeySet, error) {
	if len(doc) > maxBundle {
		return nil, wrong(errBundle, "file", "too long")
	}
	_, rest, _ := strings.Cut(doc, ".")
	part, _, _ := strings.Cut(rest, ".")
	payload, err := base64.RawURLEncoding.Strict().DecodeString(part)
	if err != nil {
		return nil, wrong(errBundle, "payload", "not base64url")
	}
	keys, _, err := bundleMembers(payload)
	if err != nil {
		return nil, err
	}
	return jose.NewKeySet(slices.DeleteFunc(keys.Keys(), func(k *jose.Key) bool {
		name, err := jose.Thumbprint(k.Public())
		return err != nil || !slices.Contains(signers, name)
	})...)
}

// parseBundle reads the payload of a bundle.
func parseBundle(payload []byte) (b bundle, err error) {
	if b.batch, err = parseRules(payload, maxBundle); err != nil {
		return b, err
	}
	if b.keys, b.expires, err = bundleMembers(payload); err != nil {
		return b, err
	}
	switch {
	case b.from != 0 || b.to != b.head:
		return b, wrong(errBundle, "from, to, head", "not the whole log")
	case !b.expires.After(b.issued):
		return b, wrong(errBundle, "exp", "missing, or not after iat")
	}
	return b, nil
}

// bundleMembers reads what a bundle has besides a batch.
func bundleMembers(payload []byte) (keys *jose.KeySet, expires time.Time, err error) {
	var none present
	err = strictjson.Object(payload, func(name, value []byte) (err error) {
		switch string(name) {
		case "exp":
			err = none.time(0, &expires, value)
		case "keys":
			keys, err = jose.ParseKeySet(value)
		}
		return named(name, err)
	})
	if err == nil && keys == nil {
		err = errors.New("keys: missing")
	}
	if err != nil {
		return nil, expires, wrong(errBundle, "payload", err.Error())
	}
	return keys, expires, nil
}

// window returns for how long after it was made the bundle may be used.
func (b *bundle) window(most time.Duration) time.Duration {
	return min(most, b.expires.Sub(b.issued))
}
