package idp

import "time"

// SigningKey is a key as it is stored: the public half readable, the private half
// sealed by the key-encryption key, which is not in the database.
type SigningKey struct {
	ID         string // "kid"
	Alg        string // "EdDSA", "RS256", "ES256"
	PublicJWK  []byte
	Sealed     []byte    // PKCS#8, sealed by package keyring
	StagedAt   time.Time // published from then on
	ActiveAt   time.Time // signs from then on
	RetiringAt time.Time // signs no more; zero while it may
	RetiredAt  time.Time // verifies no more; zero while it may
}
