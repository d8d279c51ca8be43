package web

import (
	"net/http"
	"slices"
)

// noticeCookie carries "that worked" across the redirect after a form. Not the address:
// a stranger's link must not make us say that something happened.
const noticeCookie = "__Host-signet-notice"

// notices are the texts that may be carried; the cookie names one.
var notices = []string{"session_ended", "others_ended", "app_revoked", "password_changed"}

func leaveNotice(w http.ResponseWriter, name string) {
	http.SetCookie(w, &http.Cookie{
		Name: noticeCookie, Value: name, Path: "/", MaxAge: 60,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
}

// takeNotice returns the catalogue key of the notice, once.
func takeNotice(w http.ResponseWriter, r *http.Request) string {
	c, err := r.Cookie(noticeCookie)
	if err != nil {
		return ""
	}
	http.SetCookie(w, &http.Cookie{
		Name: noticeCookie, Path: "/", MaxAge: -1,
		Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode,
	})
	if !slices.Contains(notices, c.Value) {
		return ""
	}
	return "notice." + c.Value
}
