package config

import (
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/signet-id/signet/internal/secret"
)

const (
	maxSecretBytes = 64 << 10
	keyBytes       = 32
)

// Key reads the key-encryption key from KeyFile.
func (c Config) Key() ([keyBytes]byte, error) {
	key, err := ReadKey(c.KeyFile)
	if err != nil {
		return key, fmt.Errorf("key_file: %w", err)
	}
	return key, nil
}

// PreviousKey reads the other key-encryption key from PreviousKeyFile; nil if none is
// configured.
func (c Config) PreviousKey() (*[keyBytes]byte, error) {
	if c.PreviousKeyFile == "" {
		return nil, nil
	}
	key, err := ReadKey(c.PreviousKeyFile)
	if err != nil {
		return nil, fmt.Errorf("previous_key_file: %w", err)
	}
	return &key, nil
}

// SMTPPassword reads the password of the SMTP server; it is empty if none is configured.
func (c Config) SMTPPassword() (secret.Text, error) {
	if c.SMTP.PasswordFile == "" {
		return secret.Text{}, nil
	}
	password, err := readSecret(c.SMTP.PasswordFile)
	if err != nil {
		return secret.Text{}, fmt.Errorf("smtp.password_file: %w", err)
	}
	return password, nil
}

// DatabasePassword reads the password of the database's user; it is empty if none is
// configured.
func (c Config) DatabasePassword() (secret.Text, error) {
	if c.DatabasePasswordFile == "" {
		return secret.Text{}, nil
	}
	password, err := readSecret(c.DatabasePasswordFile)
	if err != nil {
		return secret.Text{}, fmt.Errorf("database_password_file: %w", err)
	}
	return password, nil
}

// TLSCertificate reads the pair of TLSCert and TLSKey.
func (c Config) TLSCertificate() (tls.Certificate, error) {
	chain, err := os.ReadFile(c.TLSCert)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tls_cert: %w", err)
	}
	key, err := readSecret(c.TLSKey)
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tls_key: %w", err)
	}
	pair, err := tls.X509KeyPair(chain, []byte(key.Reveal()))
	if err != nil {
		return tls.Certificate{}, fmt.Errorf("tls_cert, tls_key: %w", err)
	}
	return pair, nil
}

// ReadKey reads 32 bytes, written as 64 hexadecimal digits or as base64.
func ReadKey(path string) ([keyBytes]byte, error) {
	var key [keyBytes]byte
	text, err := readSecret(path)
	if errors.Is(err, os.ErrNotExist) {
		return key, fmt.Errorf("%w; make a key with: signet key new %s", err, path)
	}
	if err != nil {
		return key, err
	}
	raw, err := decodeKey(strings.TrimSpace(text.Reveal()))
	if err != nil || len(raw) != keyBytes {
		return key, fmt.Errorf("%s does not hold 32 bytes as 64 hexadecimal digits or base64; make a key with: signet key new FILE", path)
	}
	copy(key[:], raw)
	if strings.Count(string(raw), string(raw[:1])) == keyBytes {
		return key, fmt.Errorf("%s holds 32 equal bytes, which anybody can guess; make a key with: signet key new FILE", path)
	}
	return key, nil
}

func decodeKey(s string) ([]byte, error) {
	if len(s) == hex.EncodedLen(keyBytes) {
		return hex.DecodeString(s)
	}
	s = strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(s, "="))
	return base64.RawStdEncoding.Strict().DecodeString(s)
}

// NewKey writes a new random key to a file that must not exist yet. A key that was lost
// cannot be made again, so none is ever overwritten.
func NewKey(path string) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, os.ErrExist) {
		return fmt.Errorf("%w: a key is never overwritten, because what it sealed would be lost; move it away if nothing that it sealed is needed", err)
	}
	if err != nil {
		return err
	}
	key := secret.Key()
	_, err = io.WriteString(f, base64.StdEncoding.EncodeToString(key[:])+"\n")
	return errors.Join(err, f.Sync(), f.Close())
}

// Exposed says that others can reach a file that holds a secret.
type Exposed struct {
	Path string
	Mode fs.FileMode
}

func (e *Exposed) Error() string { return e.What() + "; change that with: " + e.Fix() }

// What and Fix are the two halves of Error.
func (e *Exposed) What() string {
	return fmt.Sprintf("%s has mode %04o, so others can read or change it", e.Path, e.Mode)
}

func (e *Exposed) Fix() string { return "chmod 600 " + e.Path }

// readSecret reads a small file that only its owner may read. One line break at the end
// does not count.
func readSecret(path string) (secret.Text, error) {
	f, err := os.Open(path)
	if errors.Is(err, os.ErrPermission) {
		return secret.Text{}, fmt.Errorf("%w; it must belong to the server's user: chown USER %s", err, path)
	}
	if err != nil {
		return secret.Text{}, err
	}
	defer f.Close()
	info, err := f.Stat() // of what was opened: the name may lead elsewhere by now
	if err != nil {
		return secret.Text{}, err
	}
	if err := checkPrivate(path, info); err != nil {
		return secret.Text{}, err
	}
	data, err := io.ReadAll(io.LimitReader(f, maxSecretBytes+1))
	if err != nil {
		return secret.Text{}, err
	}
	if len(data) > maxSecretBytes {
		return secret.Text{}, fmt.Errorf("%s is larger than %d bytes", path, maxSecretBytes)
	}
	text := strings.TrimSuffix(strings.TrimSuffix(string(data), "\n"), "\r")
	if text == "" {
		return secret.Text{}, fmt.Errorf("%s is empty", path)
	}
	return secret.NewText(text), nil
}
