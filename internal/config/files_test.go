package config_test

import (
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/config"
)

func TestKey_Forms(t *testing.T) {
	t.Parallel()
	raw := []byte("\x00\xff\xfe and 29 more bytes of a test.")
	std := base64.StdEncoding.EncodeToString(raw)
	for name, c := range map[string]struct {
		text string
		good bool
	}{
		"hex":           {hex.EncodeToString(raw), true},
		"capital hex":   {strings.ToUpper(hex.EncodeToString(raw)) + "\n", true},
		"base64":        {std + "\n", true},
		"unpadded":      {strings.TrimRight(std, "="), true},
		"url":           {base64.RawURLEncoding.EncodeToString(raw) + "\r\n", true},
		"raw":           {string(raw), false},
		"empty":         {"", false},
		"blank":         {"\n", false},
		"short":         {base64.StdEncoding.EncodeToString(raw[:31]), false},
		"long":          {base64.StdEncoding.EncodeToString(append(raw, 1)), false},
		"64 not hex":    {strings.Repeat("g", 64), false},
		"all zero":      {strings.Repeat("0", 64), false},
		"all the same":  {strings.Repeat("ab", 32), false},
		"a sentence":    {"correct horse battery staple", false},
		"two lines":     {std + "\n" + std, false},
		"far too large": {strings.Repeat("A", 1<<20), false},
	} {
		path := write(t, "key", c.text)
		key, err := config.ReadKey(path)
		switch {
		case c.good && (err != nil || string(key[:]) != string(raw)):
			t.Errorf("%s: %v", name, err)
		case !c.good && err == nil:
			t.Errorf("%s: accepted", name)
		case err != nil && len(c.text) > 20 && strings.Contains(err.Error(), c.text[:20]):
			t.Errorf("%s: the error shows the key: %v", name, err)
		}
	}
}

func TestKey_Missing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	_, err := config.Config{KeyFile: path}.Key()
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "signet key new "+path) || !strings.Contains(err.Error(), "key_file") {
		t.Error(err)
	}
	if _, err := config.ReadKey(filepath.Dir(path)); err == nil {
		t.Error("a directory is a key")
	}
}

// STO-09: a key that others can read is no key.
func TestKey_STO_09_Mode(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no modes here")
	}
	path := filepath.Join(t.TempDir(), "key")
	if err := config.NewKey(path); err != nil {
		t.Fatal(err)
	}
	group := os.Getuid() == 0 // what root owns, its group may read
	for mode, good := range map[fs.FileMode]bool{
		0o600: true, 0o400: true, 0o640: group, 0o440: group,
		0o604: false, 0o644: false, 0o660: false, 0o620: false, 0o602: false, 0o666: false,
	} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := config.ReadKey(path)
		if (err == nil) != good {
			t.Errorf("mode %04o: %v", mode, err)
		}
		if err != nil && !strings.Contains(err.Error(), "chmod 600") && os.Getuid() == 0 {
			t.Errorf("mode %04o: no way out: %v", mode, err)
		}
	}
}

func TestNewKey(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "key")
	if err := config.NewKey(path); err != nil {
		t.Fatal(err)
	}
	first, err := config.ReadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	// Never over another one: what it sealed would be lost.
	if err := config.NewKey(path); !errors.Is(err, fs.ErrExist) {
		t.Error(err)
	}
	if again, err := config.ReadKey(path); err != nil || again != first {
		t.Errorf("the key has changed: %v", err)
	}
	if info, err := os.Stat(path); err != nil || runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
		t.Errorf("%v %v", info.Mode(), err)
	}
}

// STO-09: the other key is read like key_file; without one there is none.
func TestPreviousKey(t *testing.T) {
	t.Parallel()
	if key, err := (config.Config{}).PreviousKey(); key != nil || err != nil {
		t.Error(key, err)
	}
	path := filepath.Join(t.TempDir(), "old")
	c := config.Config{PreviousKeyFile: path}
	if _, err := c.PreviousKey(); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), "previous_key_file") {
		t.Error(err)
	}
	if err := config.NewKey(path); err != nil {
		t.Fatal(err)
	}
	want, err := config.ReadKey(path)
	if err != nil {
		t.Fatal(err)
	}
	if key, err := c.PreviousKey(); err != nil || *key != want {
		t.Error(err)
	}
}

func TestSMTPPassword(t *testing.T) {
	t.Parallel()
	none, err := config.Config{}.SMTPPassword()
	if err != nil || !none.Empty() {
		t.Error(none, err)
	}
	var c config.Config
	c.SMTP.PasswordFile = write(t, "pw", " with blanks \n")
	got, err := c.SMTPPassword()
	if err != nil || got.Reveal() != " with blanks " {
		t.Errorf("%q %v", got.Reveal(), err)
	}
	c.SMTP.PasswordFile = filepath.Join(t.TempDir(), "none")
	if _, err := c.SMTPPassword(); err == nil || !strings.Contains(err.Error(), "smtp.password_file") {
		t.Error(err)
	}
}

// OPS-07: a pair that does not load is an error, never plain HTTP.
func TestTLSCertificate_OPS_07(t *testing.T) {
	t.Parallel()
	missing := filepath.Join(t.TempDir(), "none")
	junk := write(t, "junk", "junk")
	for _, c := range []config.Config{
		{TLSCert: missing, TLSKey: junk}, {TLSCert: junk, TLSKey: missing}, {TLSCert: junk, TLSKey: junk},
	} {
		if _, err := c.TLSCertificate(); err == nil || !strings.Contains(err.Error(), "tls_") {
			t.Error(err)
		}
	}
}
