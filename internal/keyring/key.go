package keyring

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"filippo.io/mldsa"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify/jose"
	_ "github.com/signet-id/signet/verify/mldsa" // keys of ML-DSA for package jose
)

// ErrKEK says that the key-encryption key is not the one that sealed the stored keys.
var ErrKEK = errors.New("the key-encryption key does not open the stored signing keys; give the key_file that the database was made with, " +
	"or name it in previous_key_file if key_file was changed")

// rsaBits: what every relying party accepts, and the fastest that is still allowed.
const rsaBits = 2048

// generate makes a key that is published from stagedAt on and signs from activeAt on.
func generate(alg jose.Algorithm, sealing [32]byte, stagedAt, activeAt time.Time) (idp.SigningKey, error) {
	private, err := private(alg)
	if err != nil {
		return idp.SigningKey{}, err
	}
	kid, err := jose.Thumbprint(private.Public())
	if err != nil {
		return idp.SigningKey{}, err
	}
	public, err := jose.NewKey(alg, kid, private.Public())
	if err != nil {
		return idp.SigningKey{}, err
	}
	jwk, err := json.Marshal(public)
	if err != nil {
		return idp.SigningKey{}, err
	}
	text, err := encode(private)
	if err != nil {
		return idp.SigningKey{}, err
	}
	defer clear(text)
	return idp.SigningKey{
		ID: kid, Alg: string(alg), PublicJWK: jwk, StagedAt: stagedAt, ActiveAt: activeAt,
		Sealed: secret.Seal(sealing, text, place(kid, string(alg))),
	}, nil
}

func private(alg jose.Algorithm) (crypto.Signer, error) {
	switch alg {
	case jose.EdDSA:
		_, key, err := ed25519.GenerateKey(secret.Reader)
		return key, err
	case jose.ES256:
		return ecdsa.GenerateKey(elliptic.P256(), secret.Reader)
	case jose.RS256, jose.PS256:
		return rsa.GenerateKey(secret.Reader, rsaBits)
	}
	if params, ok := mldsaParameters[alg]; ok {
		return mldsa.GenerateKey(params)
	}
	return nil, fmt.Errorf("algorithm %q: %w", alg, idp.ErrInvalid)
}

var mldsaParameters = map[jose.Algorithm]mldsa.Parameters{
	jose.MLDSA44: mldsa.MLDSA44(), jose.MLDSA65: mldsa.MLDSA65(), jose.MLDSA87: mldsa.MLDSA87(),
}

// encode writes a private key as it is sealed: as PKCS #8, and one of ML-DSA as its seed
// (FIPS 204 §3.6.3), which is all that it is made from.
func encode(private crypto.Signer) ([]byte, error) {
	if key, ok := private.(*mldsa.PrivateKey); ok {
		return key.Bytes(), nil
	}
	return x509.MarshalPKCS8PrivateKey(private)
}

func decode(alg jose.Algorithm, text []byte) (any, error) {
	if params, ok := mldsaParameters[alg]; ok {
		return mldsa.NewPrivateKey(params, text)
	}
	return x509.ParsePKCS8PrivateKey(text)
}

// sealings are the keys that open what is sealed; the first one seals what is new.
type sealings [][32]byte

// open unseals a value. current says that the first key did.
func (s sealings) open(sealed, place []byte) (plain []byte, current bool, err error) {
	for n, key := range s {
		if plain, err = secret.Open(key, sealed, place); err == nil {
			return plain, n == 0, nil
		}
	}
	return nil, false, secret.ErrSealed
}

// open unseals a stored key. The seal says that we stored it, under this name and for
// this algorithm; the name says which public key it is. So nothing in the row that is
// not sealed is believed.
func open(k idp.SigningKey, keys sealings) (*jose.Signer, error) {
	text, _, err := keys.open(k.Sealed, place(k.ID, k.Alg))
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", k.ID, ErrKEK)
	}
	defer clear(text)
	parsed, err := decode(jose.Algorithm(k.Alg), text)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: not as it is stored", k.ID) // the cause could quote the key
	}
	private, ok := parsed.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("signing key %s: %T cannot sign", k.ID, parsed)
	}
	kid, err := jose.Thumbprint(private.Public())
	if err != nil || kid != k.ID {
		return nil, fmt.Errorf("signing key %s: its name is not its thumbprint", k.ID)
	}
	signer, err := jose.NewSigner(jose.Algorithm(k.Alg), k.ID, private)
	if err != nil {
		return nil, fmt.Errorf("signing key %s: %w", k.ID, err)
	}
	return signer, nil
}

// place binds a sealed key to its row, so that rows cannot swap their private halves.
func place(kid, alg string) []byte { return []byte(kid + "\x00" + alg) }

// publicPlace is for the public half that stays when a key is retired: it can never
// pass for a private one, nor the other way round.
func publicPlace(kid, alg string) []byte { return append(place(kid, alg), "\x00public"...) }

// sealPublic seals the public half of a key that we opened.
func sealPublic(key *jose.Key, keys sealings) ([]byte, error) {
	jwk, err := json.Marshal(key)
	if err != nil {
		return nil, err
	}
	return secret.Seal(keys[0], jwk, publicPlace(key.ID(), string(key.Algorithm()))), nil
}

// openPublic unseals the public half of a key that was retired on schedule. One that was
// retired in an emergency has none.
func openPublic(k idp.SigningKey, keys sealings) (*jose.Key, error) {
	jwk, _, err := keys.open(k.Sealed, publicPlace(k.ID, k.Alg))
	if err != nil {
		return nil, err
	}
	key, err := jose.ParseKey(jwk)
	if err != nil {
		return nil, err
	}
	if key.ID() != k.ID || string(key.Algorithm()) != k.Alg {
		return nil, fmt.Errorf("retired key %s: another key is sealed: %w", k.ID, idp.ErrInvalid)
	}
	return key, nil
}

// Opens looks whether every key that is in use opens under the key-encryption key or the
// one before it; if not, the error is ErrKEK, wrapped. It changes nothing.
func Opens(rows []idp.SigningKey, cfg Config) error {
	keys := sealings{sealing(cfg.KEK)}
	if cfg.Previous != nil {
		keys = append(keys, sealing(*cfg.Previous))
	}
	for _, k := range rows {
		if !knows(k) || !k.RetiredAt.IsZero() {
			continue
		}
		if _, err := open(k, keys); err != nil {
			return err
		}
	}
	return nil
}
