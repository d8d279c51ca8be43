package verify

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// StepUpError says that the person must log in again, and how (RFC 9470 §3). It matches
// ErrStepUp.
type StepUpError struct {
	ACR    []string      // classes that would do; empty: any
	MaxAge time.Duration // how long ago the login may be; zero: any time
}

// Error names no class: what is missing is in the fields.
func (e *StepUpError) Error() string { return ErrStepUp.Error() }

// Is reports whether target is ErrStepUp.
func (e *StepUpError) Is(target error) bool { return target == ErrStepUp }

// StepUpRule is a demand on how and when the person behind a token has logged in. Of two
// rules of one kind the last counts.
type StepUpRule func(*StepUpError)

// ACR wants a login of one of the classes, the best first. A signet issuer has "aal1" (one
// factor) and "aal2" (two); more factors also do where fewer would. Others are compared
// byte for byte. It panics when there is no class, which would let everybody in, or one is
// empty or has a space, quote or backslash.
func ACR(classes ...string) StepUpRule {
	if len(classes) == 0 {
		panic("verify: ACR: no class")
	}
	for _, c := range classes {
		if !validScope(c) {
			panic("verify: ACR: not a class: " + c)
		}
	}
	classes = slices.Clone(classes)
	return func(e *StepUpError) { e.ACR = classes }
}

// MaxAge wants a login that is not longer ago, in whole seconds. The clocks of the issuer
// and this service count: less than a minute can be an endless loop. It panics below one
// second.
func MaxAge(d time.Duration) StepUpRule {
	if d < time.Second {
		panic("verify: MaxAge: less than a second")
	}
	return func(e *StepUpError) { e.MaxAge = d.Truncate(time.Second) }
}

// StepUp protects a handler inside Require that wants more than a token: other answers
// are 401 with insufficient_user_authentication and what is wanted (RFC 9470 §3), and the
// client sends the person to log in again. Without Require around it nobody gets in: the
// answer is 500, for it is a mistake of this service and not of the client.
//
//	mux.Handle("/pay", v.Require("pay")(v.StepUp(verify.ACR("aal2"), verify.MaxAge(5*time.Minute))(pay)))
func (v *Verifier) StepUp(rules ...StepUpRule) func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			c, ok := FromContext(r.Context())
			if !ok {
				v.log.Error("verify: "+stepUpAlone, "pattern", r.Pattern)
				http.Error(w, stepUpAlone, http.StatusInternalServerError)
				return
			}
			if err := v.CheckStepUp(c, rules...); err != nil {
				v.challenge(w, r, err, "")
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

// stepUpAlone is for the developer, who sees it with the first request.
const stepUpAlone = "StepUp needs Require around it"

// CheckStepUp returns a *StepUpError if a token's login does not meet the rules. A token
// that does not say how or when (a client's own) does not.
func (v *Verifier) CheckStepUp(c *Claims, rules ...StepUpRule) error {
	want := &StepUpError{}
	for _, rule := range rules {
		rule(want)
	}
	if len(want.ACR) > 0 && !slices.ContainsFunc(want.ACR, func(class string) bool { return satisfies(c.ACR, class) }) {
		return want
	}
	if want.MaxAge == 0 {
		return nil
	}
	age := v.now().Sub(c.AuthTime)
	if c.AuthTime.IsZero() || age > want.MaxAge || age < -maxLeeway {
		return want
	}
	return nil
}

// levels are the issuer's classes, each better than the one before.
var levels = []string{"aal1", "aal2", "aal3"}

// satisfies reports whether a login of one class is as good as another.
func satisfies(have, want string) bool {
	if have == want {
		return have != ""
	}
	wanted := slices.Index(levels, want)
	return wanted >= 0 && slices.Index(levels, have) > wanted
}

// parameters writes what is wanted for a challenge (RFC 9470 §3).
func (e *StepUpError) parameters() string {
	text := ""
	if len(e.ACR) > 0 {
		text += `, acr_values="` + strings.Join(e.ACR, " ") + `"`
	}
	if e.MaxAge > 0 {
		text += `, max_age="` + strconv.FormatInt(int64(e.MaxAge/time.Second), 10) + `"`
	}
	return text
}
