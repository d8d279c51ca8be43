package web

import (
	"errors"
	"fmt"
	"net/url"

	"github.com/signet-id/signet/internal/idp"
)

// Brand is what pages show of the operator. The zero Brand is called signet.
type Brand struct {
	Name           string
	Logo, LogoDark []byte // a PNG, JPEG, GIF or SVG; empty: our sign
	Colours        Colours
	LoginNote      map[string]string // by language: a line under the form
	Support        string            // a web address or an e-mail address
	Imprint        string            // web addresses
	Privacy        string
}

// A mark stands before the name at the head of each page.
type mark struct {
	Light, Dark string // addresses; no Dark: it is for both themes
	Wide        bool   // it stands for the name
	Icon, Kind  string // what a tab shows: address and media type
}

// A footLink leads away from the foot of each page; Text is a key of the catalogues.
type footLink struct{ Text, Address string }

// wideLogo is how many times wider than high a logo is that we take to contain the name.
const wideLogo = 2

// dress applies the brand, and adds its files to the assets.
func (s *site) dress(b Brand) error {
	s.brand = b.Name
	if s.brand == "" {
		s.brand = "signet"
	}
	s.note = b.LoginNote
	icon := s.base + s.assets.path("icon.svg")
	s.mark = mark{Light: icon, Icon: icon, Kind: mediaTypes[".svg"]}
	var problems []error
	if len(b.Logo) > 0 {
		pic, err := logoOf(b.Logo)
		if err != nil {
			problems = append(problems, fmt.Errorf("brand.logo: %w", err))
		}
		s.mark.Light, s.mark.Wide = s.base+s.assets.add("logo"+pic.extension, pic.asset), pic.ratio > wideLogo
		if !s.mark.Wide {
			s.mark.Icon, s.mark.Kind = s.mark.Light, pic.mediaType
		}
	}
	if len(b.LogoDark) > 0 {
		pic, err := logoOf(b.LogoDark)
		if err != nil {
			problems = append(problems, fmt.Errorf("brand.logo_dark: %w", err))
		}
		s.mark.Dark = s.base + s.assets.add("logo-dark"+pic.extension, pic.asset)
	}
	if b.Colours != (Colours{}) {
		css, err := b.Colours.stylesheet()
		problems = append(problems, err)
		s.theme = s.base + s.assets.add("theme.css", asset{[]byte(css), mediaTypes[".css"]})
	}
	for _, l := range [...]footLink{{"foot.support", contact(b.Support)}, {"foot.imprint", webAddress(b.Imprint)}, {"foot.privacy", webAddress(b.Privacy)}} {
		if l.Address != "" {
			s.foot = append(s.foot, l)
		}
	}
	return errors.Join(problems...)
}

// contact makes a link of an address, be it of the web or of e-mail.
func contact(s string) string {
	if address, err := idp.Mailbox(s); err == nil {
		return (&url.URL{Scheme: "mailto", Opaque: url.PathEscape(address)}).String()
	}
	return webAddress(s)
}

// noteIn is the line under the login form in this language, else the English one; in is
// its language if it is not this one.
func (s *site) noteIn(w words) (note, in string) {
	if note := oneLine(s.note[w.Lang], maxText); note != "" {
		return note, ""
	}
	return oneLine(s.note["en"], maxText), "en"
}
