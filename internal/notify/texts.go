package notify

import (
	"fmt"
	"strings"
	"time"
	"unicode"
)

// Notice is what the texts speak of. Names come from people and are shown as one line.
type Notice struct {
	To     string    // the address
	Lang   string    // "en", "de"; others become "en"
	Brand  string    // the name of this service
	Name   string    // how the person is addressed
	App    string    // AppConnected, DeviceConnected: the app's name
	At     time.Time // when it happened
	IP     string    // where from; may be empty
	URL    string    // the page where the person can act: from the configured public URL
	Scopes []string  // AppConnected, DeviceConnected: what it may do, in words
}

// PasswordChanged says that the password was changed and all logins have ended.
func PasswordChanged(n Notice) Mail {
	if language(n.Lang) == "de" {
		return n.mail("Ihr Passwort wurde geändert",
			"das Passwort Ihres Kontos wurde geändert. Alle Geräte und Apps wurden abgemeldet.\n\n"+n.whenWhere(),
			"Waren Sie das nicht? Dann hat jemand anderes Zugang zu Ihrem Konto. Handeln Sie sofort:")
	}
	return n.mail("Your password was changed",
		"the password of your account was changed. All devices and apps have been signed out.\n\n"+n.whenWhere(),
		"Was this not you? Then somebody else has access to your account. Act now:")
}

// AppConnected says that an app was allowed to act for the person.
func AppConnected(n Notice) Mail {
	app := line(n.App)
	if language(n.Lang) == "de" {
		return n.mail(fmt.Sprintf("„%s“ hat jetzt Zugriff auf Ihr Konto", app),
			fmt.Sprintf("Sie haben der App „%s“ den Zugriff erlaubt. Die App darf:\n\n%s\n%s", app, bullets(n.Scopes), n.whenWhere()),
			"Waren Sie das nicht, oder möchten Sie es nicht mehr? Hier widerrufen Sie den Zugriff:")
	}
	return n.mail(fmt.Sprintf("“%s” now has access to your account", app),
		fmt.Sprintf("you gave the app “%s” access. It may:\n\n%s\n%s", app, bullets(n.Scopes), n.whenWhere()),
		"Was this not you, or do you not want it any more? Take the access back here:")
}

// DeviceConnected says that a device was allowed to act for the person.
func DeviceConnected(n Notice) Mail {
	app := line(n.App)
	if language(n.Lang) == "de" {
		return n.mail(fmt.Sprintf("Ein Gerät mit „%s“ hat jetzt Zugriff auf Ihr Konto", app),
			fmt.Sprintf("Sie haben der App „%s“ auf einem Gerät den Zugriff erlaubt. Die App darf:\n\n%s\n%s", app, bullets(n.Scopes), n.whenWhere()),
			"Hat Ihnen jemand den Code geschickt, oder waren Sie das nicht? Dann hat jemand anderes Zugang zu Ihrem Konto. Hier widerrufen Sie den Zugriff:")
	}
	return n.mail(fmt.Sprintf("A device with “%s” now has access to your account", app),
		fmt.Sprintf("you gave the app “%s” access on a device. It may:\n\n%s\n%s", app, bullets(n.Scopes), n.whenWhere()),
		"Did somebody send you the code, or was this not you? Then somebody else is in your account. Take the access back here:")
}

// mail puts the parts together.
func (n Notice) mail(subject, what, act string) Mail {
	hello, greeting := "Hello", "Hello,"
	if language(n.Lang) == "de" {
		hello, greeting = "Guten Tag", "Guten Tag,"
	}
	if name := line(n.Name); name != "" {
		greeting = hello + " " + name + ","
	}
	text := greeting + "\n\n" + what + "\n" + act + "\n" + n.URL + "\n\n-- \n" + line(n.Brand) + "\n"
	return Mail{To: n.To, Subject: line(n.Brand) + ": " + subject, Text: text, Lang: language(n.Lang)}
}

// whenWhere says when it happened, in a form without a second reading, and from where.
func (n Notice) whenWhere() string {
	when, where, form := "Time", "Address", "2006-01-02 15:04 UTC"
	if language(n.Lang) == "de" {
		when, where, form = "Zeit", "Adresse", "02.01.2006, 15:04 Uhr (UTC)"
	}
	s := when + ": " + n.At.UTC().Format(form) + "\n"
	if n.IP != "" {
		s += where + ": " + line(n.IP) + "\n"
	}
	return s
}

func bullets(list []string) string {
	var b strings.Builder
	for _, s := range list {
		b.WriteString("- " + line(s) + "\n")
	}
	return b.String()
}

const maxLine = 80 // characters of a name

// line makes one harmless line of a name: nothing unprintable, not long, and no link that
// a mail program would make clickable in our name.
func line(s string) string {
	s = strings.Map(func(r rune) rune {
		if unprintable(r) || unicode.IsSpace(r) {
			return ' '
		}
		return r
	}, s)
	s = strings.Join(strings.Fields(s), " ")
	if runes := []rune(s); len(runes) > maxLine {
		s = string(runes[:maxLine-1]) + "…"
	}
	return strings.ReplaceAll(s, "://", ": //")
}

// language returns a language that there are texts in.
func language(lang string) string {
	if lang == "de" || strings.HasPrefix(lang, "de-") {
		return "de"
	}
	return "en"
}
