package web

import "strings"

// A device is what a User-Agent header seems to come from. It is a hint for people; the
// header itself is never shown, for anybody can write anything into it.
type device struct {
	Browser string // "Firefox"; empty: not known
	System  string // "Linux"; empty: not known
	Phone   bool
}

// A sign is a part of a User-Agent that gives something away.
type sign struct{ part, name string }

// browsers in the order that tells them apart: most also claim to be the later ones.
var browsers = []sign{
	{"Edg/", "Edge"}, {"EdgA/", "Edge"}, {"EdgiOS/", "Edge"}, {"OPR/", "Opera"}, {"Vivaldi/", "Vivaldi"},
	{"SamsungBrowser/", "Samsung Internet"}, {"FxiOS/", "Firefox"}, {"Firefox/", "Firefox"},
	{"CriOS/", "Chrome"}, {"HeadlessChrome/", "Chrome"}, {"Chromium/", "Chromium"}, {"Chrome/", "Chrome"},
	{"Safari/", "Safari"}, {"curl/", "curl"}, {"Go-http-client/", "Go"}, {"python", "Python"},
}

var systems = []sign{
	{"iPhone", "iPhone"}, {"iPad", "iPad"}, {"Android", "Android"}, {"Windows", "Windows"},
	{"CrOS", "ChromeOS"}, {"Macintosh", "macOS"}, {"Mac OS X", "macOS"}, {"Linux", "Linux"}, {"X11", "Linux"},
}

func deviceOf(userAgent string) device {
	d := device{Browser: find(browsers, userAgent), System: find(systems, userAgent)}
	d.Phone = d.System == "iPhone" || d.System == "Android" && strings.Contains(userAgent, "Mobile")
	return d
}

func find(signs []sign, userAgent string) string {
	for _, s := range signs {
		if strings.Contains(userAgent, s.part) {
			return s.name
		}
	}
	return ""
}

// Device says in words what it is.
func (w words) Device(d device) string {
	switch {
	case d.Browser != "" && d.System != "":
		return w.T("device.both", d.Browser, d.System)
	case d.Browser+d.System != "":
		return d.Browser + d.System
	}
	return w.T("device.unknown")
}
