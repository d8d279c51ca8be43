package authn_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
)

// codeWorld is a database with one device that waits, and a clock.
type codeWorld struct {
	t     *testing.T
	db    *store.DB
	codes *authn.UserCodes
	now   time.Time
}

var codeKey = [32]byte{9}

func newCodeWorld(t *testing.T) *codeWorld {
	t.Helper()
	db, err := store.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "codes.db"), store.Options{RuleLifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	w := &codeWorld{t: t, db: db, now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	w.codes = authn.NewUserCodes(db, codeKey, func() time.Time { return w.now })
	return w
}

// device makes a device wait and returns its code.
func (w *codeWorld) device() string {
	w.t.Helper()
	code, id := secret.NewUserCode(), secret.ID()
	d := idp.DeviceRequest{
		ID: id, DeviceHash: secret.Hash("device_code", secret.New(secret.Device)), UserHash: secret.HashKeyed(codeKey, "user_code", code),
		SealedCode: secret.Seal(codeKey, []byte(code.Reveal()), []byte(id)), ClientID: "tv", CreatedAt: w.now, ExpiresAt: w.now.Add(10 * time.Minute),
	}
	if err := w.db.CreateDeviceRequest(w.t.Context(), d, "x", idp.DeviceQuotas{PerNetwork: 1e6, PerClient: 1e6, Total: 1e6}, w.now); err != nil {
		w.t.Fatal(err)
	}
	return code.Reveal()
}

// try types a wrong code; it reports whether it was looked at.
func (w *codeWorld) try(by authn.Typist) bool {
	w.t.Helper()
	_, err := w.codes.Find(w.t.Context(), secret.NewUserCode().Reveal(), by)
	if wait(err) > 0 {
		return false
	}
	if !errors.Is(err, idp.ErrNotFound) {
		w.t.Fatal(err)
	}
	return true
}

// TestUserCodes_OAU18_BruteForce lets an attacker with any number of networks, browsers
// and accounts guess when it is best for them. In no ten minutes, the life of a code, may they have a
// chance of a millionth to hit any of as many codes as can be alive at once.
func TestUserCodes_OAU18_BruteForce(t *testing.T) {
	t.Parallel()
	const alive = 12_000 // 9,600 and a quarter: see package oauth
	w := newCodeWorld(t)
	w.device()
	var looked []time.Time
	n := 0
	guess := func(most int) { // until the limits are full: refused so often in a row
		for tried, begun := 0, len(looked); tried < 20 && len(looked)-begun < most; {
			n++
			by := authn.Typist{Network: fmt.Sprintf("10.%d.%d.%d/32", n>>16, n>>8&255, n&255), Browser: fmt.Sprint("b", n)}
			if n%2 == 0 {
				by.UserID = fmt.Sprint("u", n)
			}
			if w.try(by) {
				looked, tried = append(looked, w.now), 0
			} else {
				tried++
			}
		}
	}
	guess(2) // begins a window of each kind, to use it up at its end, and the next one at once
	w.now = w.now.Add(9 * time.Minute)
	for range 3 {
		guess(4000)
		w.now = w.now.Add(time.Minute)
	}
	worst := 0
	for i := range looked {
		n := 0
		for _, at := range looked[i:] {
			if at.Sub(looked[i]) >= 10*time.Minute {
				break
			}
			n++
		}
		worst = max(worst, n)
	}
	if p := float64(worst) * alive / float64(secret.UserCodes); p >= 1e-6 || worst < 100 {
		t.Errorf("%d guesses in ten minutes: %.2g", worst, p)
	}
	t.Logf("%d guesses, at most %d in ten minutes: %.2g for all codes, %.2g for one", len(looked), worst,
		float64(worst)*alive/float64(secret.UserCodes), float64(worst)/float64(secret.UserCodes))
}

// TestUserCodes_OAU18_Limits: each limit by itself; it says how long to wait, holds for the
// right code as well, and is over after its window.
func TestUserCodes_OAU18_Limits(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		most int
		by   func(n int) authn.Typist
	}{
		"one browser": {10, func(n int) authn.Typist { return authn.Typist{Network: fmt.Sprintf("10.0.0.%d/32", n), Browser: "b"} }},
		"one user": {10, func(n int) authn.Typist {
			return authn.Typist{Network: fmt.Sprintf("10.0.0.%d/32", n), Browser: fmt.Sprint(n), UserID: "ann"}
		}},
		"one network": {20, func(n int) authn.Typist { return authn.Typist{Network: "10.0.0.1/32", Browser: fmt.Sprint(n)} }},
		"one site": {80, func(n int) authn.Typist {
			return authn.Typist{Network: fmt.Sprintf("2001:db8:0:%x::/64", n), Browser: fmt.Sprint(n)}
		}},
		"all strangers": {200, func(n int) authn.Typist {
			return authn.Typist{Network: fmt.Sprintf("10.0.1.%d/32", n), Browser: fmt.Sprint(n)}
		}},
		"all users": {200, func(n int) authn.Typist {
			return authn.Typist{Network: fmt.Sprintf("10.0.1.%d/32", n), Browser: fmt.Sprint(n), UserID: fmt.Sprint(n)}
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newCodeWorld(t)
			n := 0
			for n <= tt.most && w.try(tt.by(n)) {
				n++
			}
			if n != tt.most {
				t.Errorf("%d tries", n)
			}
			code := w.device()
			_, err := w.codes.Find(t.Context(), code, tt.by(n))
			if d := wait(err); d <= 0 || d > 10*time.Minute {
				t.Errorf("the right code: %v", err)
			}
			w.now = w.now.Add(10 * time.Minute)
			if !w.try(tt.by(n)) {
				t.Error("still full after its window")
			}
		})
	}
	// Strangers who use up theirs do not keep out who is signed in.
	w := newCodeWorld(t)
	for n := 0; n < 1000 && w.try(authn.Typist{Network: fmt.Sprintf("10.0.2.%d/32", n), Browser: fmt.Sprint(n)}); n++ {
	}
	if _, err := w.codes.Find(t.Context(), w.device(), authn.Typist{Network: "10.9.9.9/32", Browser: "x", UserID: "ann"}); err != nil {
		t.Error(err)
	}
}

// TestUserCodes_RFC8628_3_3_Find: the right code is found in any spelling, as often as one
// likes; wrong ones, late ones and ones of another key are not.
func TestUserCodes_RFC8628_3_3_Find(t *testing.T) {
	t.Parallel()
	w := newCodeWorld(t)
	code := w.device()
	by := authn.Typist{Network: "10.0.0.1/32", Browser: "b"}
	for range 50 { // right ones use nothing up
		d, err := w.codes.Find(t.Context(), code, by)
		if err != nil || d.ClientID != "tv" {
			t.Fatal(err)
		}
		shown, err := w.codes.Code(d)
		if err != nil || shown.Reveal() != code {
			t.Fatalf("shown as %q, %v", shown.Reveal(), err)
		}
	}
	for range 50 { // what is no code was no try
		if _, err := w.codes.Find(t.Context(), "not a code", by); !errors.Is(err, idp.ErrNotFound) || wait(err) > 0 {
			t.Fatal(err)
		}
	}
	d, err := w.codes.Find(t.Context(), " "+code[:5]+" "+code[6:], by)
	if err != nil {
		t.Error(err)
	}
	other := authn.NewUserCodes(w.db, [32]byte{1}, func() time.Time { return w.now })
	if _, err := other.Find(t.Context(), code, by); !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("with another key: %v", err)
	}
	if _, err := other.Code(d); !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("opened with another key: %v", err)
	}
	d.ID = secret.ID()
	if _, err := w.codes.Code(d); !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("opened at another request: %v", err)
	}
	w.now = w.now.Add(10 * time.Minute)
	if _, err := w.codes.Find(t.Context(), code, by); !errors.Is(err, idp.ErrNotFound) {
		t.Errorf("late: %v", err)
	}
}
