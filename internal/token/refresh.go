package token

import (
	"fmt"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// A refresh token's 256 bits are a handle (128), which all tokens of a family share, and
// a secret (128), which is new with each rotation. Whoever shows the handle has held a
// token of the family, so a wrong secret beside it is an old token and not a guess.
//
// After a rotation the database keeps the successor for those whose answer got lost,
// sealed under a key that is derived from the token it replaced. The database has
// neither token, only their hashes: only who presents the old token can be given the
// new one again.

const handleLen = 16

// NewRefresh begins a family: its first token, the hash of its handle and the hash of
// the token.
func NewRefresh() (tok secret.Text, handleHash, hash [32]byte) {
	return refresh(secret.Key())
}

// ParseRefresh reads a presented refresh token. It says nothing about whether the
// family exists.
func ParseRefresh(s string) (tok secret.Text, handleHash, hash [32]byte, err error) {
	_, value, err := secret.Parse(secret.Refresh, s)
	if err != nil {
		return secret.Text{}, handleHash, hash, fmt.Errorf("refresh token: %w", err)
	}
	tok, handleHash, hash = refresh(value)
	return tok, handleHash, hash, nil
}

// NextRefresh makes a successor of a presented token, with its hash and itself in
// sealed form, which opens for the same DPoP key only, empty if there is none. presented
// comes from ParseRefresh or NewRefresh.
func NextRefresh(presented secret.Text, jkt string) (next secret.Text, hash [32]byte, sealed []byte) {
	value, err := bits(presented)
	if err != nil {
		panic("token: successor of something that is no refresh token")
	}
	fresh := secret.Key()
	copy(value[handleLen:], fresh[:])
	next, _, hash = refresh(value)
	return next, hash, secret.Seal(successorKey(presented), value[handleLen:], []byte(jkt))
}

// OpenSuccessor returns the successor that was sealed when presented was rotated, to whom
// has proven the same key. To others it is secret.ErrSealed.
func OpenSuccessor(presented secret.Text, jkt string, sealed []byte) (secret.Text, error) {
	value, err := bits(presented)
	if err != nil {
		return secret.Text{}, fmt.Errorf("successor: %w", err)
	}
	opened, err := secret.Open(successorKey(presented), sealed, []byte(jkt))
	if err != nil {
		return secret.Text{}, fmt.Errorf("successor: %w", err)
	}
	if len(opened) != len(value)-handleLen {
		return secret.Text{}, fmt.Errorf("successor: length: %w", idp.ErrInvalid)
	}
	copy(value[handleLen:], opened)
	return secret.FromBytes(secret.Refresh, value), nil
}

func refresh(value [32]byte) (tok secret.Text, handleHash, hash [32]byte) {
	tok = secret.FromBytes(secret.Refresh, value)
	handle := secret.NewText(string(value[:handleLen]))
	return tok, secret.Hash("refresh_family", handle), secret.Hash("refresh", tok)
}

func bits(tok secret.Text) ([32]byte, error) {
	_, v, err := secret.Parse(secret.Refresh, tok.Reveal())
	return v, err
}

// successorKey cannot be computed from the token's hash, which the database has.
func successorKey(presented secret.Text) [32]byte {
	return secret.Derive([]byte(presented.Reveal()), "refresh_successor")
}
