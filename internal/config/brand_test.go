package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/config"
)

// What is wrong is named with its key; what is right is taken.
func TestBrand_Check(t *testing.T) {
	t.Parallel()
	for given, want := range map[string]string{
		`{accent: "#1d4ed8", background: "#F4F6FB", support: help@example.com, imprint: https://example.com/i}`: "",
		`{support: https://example.com/help, login_note_de: Grüße}`:                                             "",
		`{logo_dark: l.svg}`:                                         `brand.logo_dark: given without brand.logo`,
		`{accent: green}`:                                            `brand.accent: "green" is not a colour like "#1a6b50"`,
		`{accent_dark: "#fff"}`:                                      `brand.accent_dark: "#fff" is not`,
		`{background: "1a6b50"}`:                                     `brand.background: "1a6b50" is not`,
		`{background_dark: "#1a6b50;"}`:                              `brand.background_dark: `,
		`{support: nobody}`:                                          `brand.support: "nobody" is neither an https address nor an e-mail address`,
		`{support: "javascript:alert(1)"}`:                           `brand.support: `,
		`{imprint: "http://example.com/"}`:                           `brand.imprint: "http://example.com/" is not an https address`,
		`{privacy: "https://user@example.com/"}`:                     `brand.privacy: `,
		`{login_note: "` + strings.Repeat("é", 241) + `"}`:           `brand.login_note: longer than 240 characters`,
		`{login_note: "` + strings.Repeat("é", 240) + `"}`:           "",
		`{name: "` + strings.Repeat("a", 81) + `"}`:                  `brand.name: longer than 80 bytes`,
		`{acent: "#1d4ed8"}`:                                         `brand.acent: unknown key; did you mean brand.accent?`,
		`{accent: "#zzzzzz", imprint: nowhere, login_note_de: fine}`: "brand.imprint: ",
	} {
		_, err := load(t, minimal+"brand: "+given+"\n")
		switch {
		case want == "" && err != nil:
			t.Errorf("%.60s: %v", given, err)
		case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
			t.Errorf("%.60s: %v, want %q", given, err, want)
		}
	}
}

// Logos are files beside the configuration; one that cannot be read is named.
func TestBrand_Logos(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	logo, empty := filepath.Join(dir, "logo.svg"), filepath.Join(dir, "empty")
	for path, text := range map[string]string{logo: "<svg/>", empty: ""} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	light, dark, err := config.Brand{Logo: logo}.Logos()
	if err != nil || string(light) != "<svg/>" || dark != nil {
		t.Errorf("%q %q %v", light, dark, err)
	}
	for _, b := range []config.Brand{{Logo: filepath.Join(dir, "none")}, {LogoDark: empty}, {LogoDark: dir}} {
		if _, _, err := b.Logos(); err == nil || !strings.HasPrefix(err.Error(), "brand.logo") {
			t.Errorf("%+v: %v", b, err)
		}
	}
}
