package config

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"regexp"
	"unicode/utf8"

	"github.com/signet-id/signet/internal/idp"
)

const (
	maxLoginNote = 240
	maxLogoBytes = 1 << 20 // of a file that is read; what a logo may have is decided by the pages
)

// check looks at the form of the values; whether text can be read in the colours is known to
// the pages.
func (b Brand) check() error {
	var problems []error
	if len(b.Name) > 80 {
		problems = append(problems, errors.New("brand.name: longer than 80 bytes"))
	}
	if b.LogoDark != "" && b.Logo == "" {
		problems = append(problems, errors.New("brand.logo_dark: given without brand.logo; give both, or only brand.logo"))
	}
	for _, c := range [...]given{{"accent", b.Accent}, {"accent_dark", b.AccentDark}, {"background", b.Background}, {"background_dark", b.BackgroundDark}} {
		if c.value != "" && !hexColour.MatchString(c.value) {
			problems = append(problems, fmt.Errorf("brand.%s: %q is not a colour like \"#1a6b50\"", c.key, c.value))
		}
	}
	for _, note := range [...]given{{"login_note", b.LoginNote}, {"login_note_de", b.LoginNoteDE}} {
		if utf8.RuneCountInString(note.value) > maxLoginNote {
			problems = append(problems, fmt.Errorf("brand.%s: longer than %d characters", note.key, maxLoginNote))
		}
	}
	if b.Support != "" && !linkable(b.Support) {
		if _, err := idp.Mailbox(b.Support); err != nil {
			problems = append(problems, fmt.Errorf("brand.support: %q is neither an https address nor an e-mail address", b.Support))
		}
	}
	for _, link := range [...]given{{"imprint", b.Imprint}, {"privacy", b.Privacy}} {
		if link.value != "" && !linkable(link.value) {
			problems = append(problems, fmt.Errorf("brand.%s: %q is not an https address", link.key, link.value))
		}
	}
	return errors.Join(problems...)
}

// given is a key of the group with its value.
type given struct{ key, value string }

var hexColour = regexp.MustCompile(`^#[0-9a-fA-F]{6}$`)

func linkable(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.User == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http" && loopback(u.Hostname()))
}

// Logos reads the two files; nil for one that is not configured.
func (b Brand) Logos() (light, dark []byte, err error) {
	if light, err = readLogo(b.Logo); err != nil {
		return nil, nil, fmt.Errorf("brand.logo: %w", err)
	}
	if dark, err = readLogo(b.LogoDark); err != nil {
		return nil, nil, fmt.Errorf("brand.logo_dark: %w", err)
	}
	return light, dark, nil
}

func readLogo(path string) ([]byte, error) {
	if path == "" {
		return nil, nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxLogoBytes))
	if err == nil && len(data) == 0 {
		err = fmt.Errorf("%s is empty", path)
	}
	return data, err
}
