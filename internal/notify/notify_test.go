package notify_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/notify"
)

var noon = time.Date(2026, 11, 2, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

// hostile are mails that would reach more people, or say more, than their sender meant.
var hostile = map[string]notify.Mail{
	"no recipient":              {Subject: "s"},
	"no address":                {To: "ann", Subject: "s"},
	"two recipients":            {To: "ann@example.com,bob@example.com", Subject: "s"},
	"two with a blank":          {To: "ann@example.com bob@example.com", Subject: "s"},
	"display name":              {To: "Ann <ann@example.com>", Subject: "s"},
	"angle brackets":            {To: "<ann@example.com>", Subject: "s"},
	"CRLF in the recipient":     {To: "ann@example.com\r\nBcc: bob@example.com", Subject: "s"},
	"LF in the recipient":       {To: "ann@example.com\nRCPT TO:<bob@example.com>", Subject: "s"},
	"command in the local part": {To: "ann> SIZE=1\r\nRCPT@example.com", Subject: "s"},
	"quoted local part":         {To: `"ann\r\n"@example.com`, Subject: "s"},
	"address literal":           {To: "ann@[127.0.0.1]", Subject: "s"},
	"no subject":                {To: "ann@example.com"},
	"CRLF in the subject":       {To: "ann@example.com", Subject: "s\r\nBcc: bob@example.com"},
	"LF in the subject":         {To: "ann@example.com", Subject: "s\nX: y"},
	"CR in the subject":         {To: "ann@example.com", Subject: "s\rX: y"},
	"NUL in the subject":        {To: "ann@example.com", Subject: "s\x00"},
	"bidi in the subject":       {To: "ann@example.com", Subject: "\u202esubject"},
	"separator in subject":      {To: "ann@example.com", Subject: "s\u2028t"},
	"bad UTF-8 in subject":      {To: "ann@example.com", Subject: "s\xff"},
	"endless subject":           {To: "ann@example.com", Subject: strings.Repeat("s", 251)},
}

func TestCatcher_RefusesWhatSMTPWould(t *testing.T) {
	t.Parallel()
	c := notify.NewCatcher(clock)
	for name, m := range hostile {
		if err := c.Send(t.Context(), m); !errors.Is(err, idp.ErrInvalid) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if len(c.List()) != 0 {
		t.Error(c.List())
	}
}

func TestCatcher_KeepsTheLast100(t *testing.T) {
	t.Parallel()
	c := notify.NewCatcher(clock)
	for i := range 103 {
		if err := c.Send(t.Context(), notify.Mail{To: "Ann@Example.com", Subject: fmt.Sprint("mail ", i)}); err != nil {
			t.Fatal(err)
		}
	}
	list := c.List()
	if len(list) != 100 || list[0].Subject != "mail 102" || list[99].Subject != "mail 3" || !list[0].At.Equal(noon) || list[0].To != "Ann@example.com" {
		t.Errorf("%d: %+v … %+v", len(list), list[0], list[len(list)-1])
	}
}

func TestTexts(t *testing.T) {
	t.Parallel()
	n := notify.Notice{
		To: "ann@example.com", Brand: "signet", Name: "Ann", App: "Friendly Scheduler", At: noon, IP: "192.0.2.1",
		URL: "https://id.example.com/account/security", Scopes: []string{"See when you are busy", "Add meetings"},
	}
	for lang, words := range map[string][3]string{
		"en": {"signet: Your password was changed", "signet: “Friendly Scheduler” now has access to your account", "2026-11-02 12:00 UTC\n"},
		"de": {"signet: Ihr Passwort wurde geändert", "signet: „Friendly Scheduler“ hat jetzt Zugriff auf Ihr Konto", "02.11.2026, 12:00 Uhr (UTC)\n"},
	} {
		n.Lang = lang
		changed, connected := notify.PasswordChanged(n), notify.AppConnected(n)
		if changed.Subject != words[0] || connected.Subject != words[1] || changed.Lang != lang {
			t.Errorf("%q, %q", changed.Subject, connected.Subject)
		}
		for _, m := range []notify.Mail{changed, connected} {
			for _, want := range []string{" Ann,\n", words[2], "192.0.2.1", n.URL + "\n"} {
				if !strings.Contains(m.Text, want) {
					t.Errorf("%s lacks %q:\n%s", lang, want, m.Text)
				}
			}
		}
		if !strings.Contains(connected.Text, "- See when you are busy\n- Add meetings\n") {
			t.Error(connected.Text)
		}
	}
	n.Lang = "fr"
	if m := notify.PasswordChanged(n); m.Lang != "en" || !strings.HasPrefix(m.Text, "Hello Ann,") {
		t.Error("other languages read English", m)
	}
	n.Lang, n.Name, n.IP = "de-AT", "", ""
	if m := notify.PasswordChanged(n); m.Lang != "de" || !strings.HasPrefix(m.Text, "Guten Tag,\n") || strings.Contains(m.Text, "Adresse") {
		t.Error(m)
	}
}

// CLI-06, REC-01: names say nothing but a name, and the only link is the one we made.
func TestTexts_HostileNames(t *testing.T) {
	t.Parallel()
	for _, lang := range []string{"en", "de"} {
		n := notify.Notice{
			To: "ann@example.com", Lang: lang, Brand: "signet", At: noon, URL: "https://id.example.com/account/apps",
			Name:   "Ann\r\n\r\nYour account is locked: https://evil.example\u202e",
			App:    "App\nBcc: x@example.com\x00 https://evil.example " + strings.Repeat("long ", 100),
			Scopes: []string{"read\n\nhttps://evil.example"},
		}
		for _, m := range []notify.Mail{notify.PasswordChanged(n), notify.AppConnected(n)} {
			if strings.ContainsAny(m.Subject, "\r\n\x00") || strings.ContainsAny(m.Text, "\r\x00\u202e") || len([]rune(m.Subject)) > 250 {
				t.Errorf("%q\n%s", m.Subject, m.Text)
			}
			if strings.Count(m.Text, "://") != 1 || strings.Contains(m.Subject, "://") {
				t.Errorf("a link of somebody else's:\n%s", m.Text)
			}
			for _, line := range strings.Split(m.Text, "\n") {
				if strings.HasPrefix(line, "Bcc") || strings.HasPrefix(line, "Your account") {
					t.Errorf("a line of somebody else's: %q", line)
				}
			}
			if err := notify.NewCatcher(clock).Send(t.Context(), m); err != nil {
				t.Error(err)
			}
		}
	}
}
