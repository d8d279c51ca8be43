package web_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/web"
)

// tvID is an app that runs on devices.
const tvID = "tv"

// device makes a device of the app wait; its code is what it shows.
func (wd *world) device(change ...func(*idp.DeviceRequest)) (code string, d idp.DeviceRequest) {
	wd.t.Helper()
	text, id := secret.NewUserCode(), secret.ID()
	d = idp.DeviceRequest{
		ID: id, DeviceHash: secret.Hash("device_code", secret.New(secret.Device)), UserHash: secret.HashKeyed(deviceKey, "user_code", text),
		SealedCode: secret.Seal(deviceKey, []byte(text.Reveal()), []byte(id)), ClientID: tvID,
		Scopes: []string{"openid", "calendar.freebusy:read"}, Resource: calendarID, IP: "198.51.100.7", UserAgent: "curl/8.5.0",
		CreatedAt: wd.now(), ExpiresAt: wd.now().Add(10 * time.Minute), Interval: 5 * time.Second,
	}
	for _, c := range change {
		c(&d)
	}
	wd.must(wd.db.CreateDeviceRequest(wd.t.Context(), d, "198.51.100.7/32", idp.DeviceQuotas{PerNetwork: 1000, PerClient: 1000, Total: 1000}, wd.now()))
	return text.Reveal(), d
}

// enter types a code and returns the flow that it began; empty if none did.
func (b *browser) enter(code string) (string, answer) {
	b.wd.t.Helper()
	b.begun = ""
	a := b.submit(b.get("/device"), "/device", "user_code", code)
	return b.begun, a
}

// TestDevicePages_RFC8628_3_3_Enter: the form, spellings, and one answer for all codes that
// are not to be had. RFC 8628 §6.1
func TestDevicePages_RFC8628_3_3_Enter(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	page := b.get("/device")
	for _, part := range []string{"autofocus", `autocapitalize="characters"`, `autocomplete="off"`, `spellcheck="false"`} {
		if page.status != http.StatusOK || !strings.Contains(page.body, part) {
			t.Errorf("%s is not in the form", part)
		}
	}
	code, d := wd.device()
	for _, typed := range []string{code, strings.ToLower(code), strings.ReplaceAll(code, "-", ""), " " + strings.ReplaceAll(code, "-", " ")} {
		flow, a := b.enter(typed)
		if flow == "" || a.status != http.StatusSeeOther {
			t.Fatalf("%q: %d %s", typed, a.status, a.text())
		}
		if req := b.stored(flow); req.DeviceID != d.ID || req.ClientID != tvID || !req.ExpiresAt.Equal(d.ExpiresAt) || req.RedirectURI != "" {
			t.Errorf("%+v", req)
		}
	}
	denied, _ := wd.device(func(d *idp.DeviceRequest) { d.ExpiresAt = wd.now() })
	gone, _ := wd.device(func(d *idp.DeviceRequest) { d.ClientID = "nobody" })
	foreign, _ := wd.device(func(d *idp.DeviceRequest) { d.ClientID = schedulerID }) // which may not ask for devices
	var texts []string
	for name, typed := range map[string]string{"unknown": "BCDFG-HJKLM", "expired": denied, "app gone": gone, "app changed": foreign, "no code": "hello", "empty": ""} {
		flow, a := wd.browser().enter(typed)
		if a.status != http.StatusUnprocessableEntity || flow != "" {
			t.Errorf("%s: %d %s", name, a.status, a.text())
		}
		texts = append(texts, strings.ReplaceAll(a.text(), typed, ""))
	}
	for _, text := range texts {
		if text != texts[0] || !strings.Contains(text, "We do not know this code") {
			t.Errorf("tells more: %q", text)
		}
	}
}

// TestDevicePages_RFC8628_3_3_1_Complete: a link fills in the form and does nothing else.
func TestDevicePages_RFC8628_3_3_1_Complete(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	code, _ := wd.device()
	a := b.get("/device?user_code=" + strings.ToLower(code))
	if a.status != http.StatusOK || !strings.Contains(a.body, `value="`+code+`"`) || a.location() != "" {
		t.Errorf("%d %s", a.status, a.body)
	}
	for _, hostile := range []string{"%22%3E%3Cscript%3Ealert(1)%3C/script%3E", "%E2%80%AEB", strings.Repeat("A", 4000)} {
		if a := b.get("/device?user_code=" + hostile); a.status != http.StatusOK || strings.Contains(a.body, "<script>alert") || len(a.body) > 20_000 {
			t.Errorf("%.30s: %d", hostile, a.status)
		}
	}
	if a := b.get("/device?user_code=A&user_code=B"); a.status != http.StatusBadRequest {
		t.Errorf("twice: %d", a.status)
	}
	// Nothing can be allowed with GET, nor by a form of another site.
	flow, _ := b.enter(code)
	for _, path := range []string{"/device/confirm?flow=" + flow + "&decision=allow", "/device?user_code=" + code + "&decision=allow"} {
		b.get(path)
		if req := b.stored(flow); !req.ConfirmedAt.IsZero() {
			t.Fatalf("%s confirms", path)
		}
	}
}

// TestDevicePages_OAU18_Confirm: the page says which app, where, when and which code, asks
// with two equal buttons, and remembers an answer of this session only. RFC 8628 §5.4
func TestDevicePages_OAU18_Confirm(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	code, d := wd.device()
	wd.pass(2 * time.Minute)
	flow, _ := b.enter(code)
	path := "/device/confirm?flow=" + flow
	page := b.get(path)
	for _, part := range []string{
		code, "TV", "Third-party app", "curl", "198.51.100.7", "Not your network", "2 minutes ago", "Ann Example", "See when you are busy",
		"Allow this only if you began it yourself", "Allow", "Deny",
	} {
		if page.status != http.StatusOK || !strings.Contains(page.text(), part) {
			t.Errorf("%q is not on the page: %s", part, page.text())
		}
	}
	if strings.Count(page.body, `<button class="button strong" name="decision"`) != 2 {
		t.Error("the buttons are not alike")
	}
	if a := b.submit(page, path, "decision", "perhaps"); a.status != http.StatusBadRequest {
		t.Errorf("neither: %d", a.status)
	}
	if a := b.submit(page, path, "decision", "allow"); a.location() != "/authorize/continue?flow="+flow {
		t.Errorf("%d %s", a.status, a.location())
	}
	if req := b.stored(flow); req.ConfirmedAt.IsZero() || req.ConfirmedBy != req.SessionID || req.ConfirmedBy == "" {
		t.Errorf("%+v", req)
	}
	near, _ := wd.device(func(d *idp.DeviceRequest) { d.IP = "192.0.2.1" })
	flow, _ = b.enter(near)
	path = "/device/confirm?flow=" + flow
	page = b.get(path)
	if !strings.Contains(page.text(), "Your network") {
		t.Errorf("the same network: %s", page.text())
	}
	b.submit(page, path, "decision", "deny")
	if req := b.stored(flow); req.DeniedAt.IsZero() || !req.ConfirmedAt.IsZero() {
		t.Errorf("%+v", req)
	}

	// Nobody is asked who is not signed in, nor for a flow that is no device's, another
	// browser's, or whose device has its answer.
	stranger := wd.browser()
	flow, _ = stranger.enter(code)
	if a := stranger.get("/device/confirm?flow=" + flow); a.location() != "/authorize/continue?flow="+flow || a.body != "" {
		t.Errorf("not signed in: %d %s", a.status, a.location())
	}
	for name, path := range map[string]string{"no device": b.flow(), "another browser": flow, "no flow": ""} {
		if a := b.get("/device/confirm?flow=" + path); a.status != http.StatusBadRequest {
			t.Errorf("%s: %d", name, a.status)
		}
	}
	flow, _ = b.enter(code)
	answered := b.stored(flow)
	session := b.sessionID()
	wd.must(wd.db.ConfirmAuthRequest(t.Context(), flow, answered.BrowserHash, session, wd.now()))
	wd.must(wd.db.RefuseDeviceRequest(t.Context(), operator, flow, answered.BrowserHash, wd.now()))
	if again, a := b.enter(code); again != "" || a.status != http.StatusUnprocessableEntity {
		t.Errorf("a code that was answered: %d", a.status)
	}
	wd.pass(10 * time.Minute)
	if a := b.get("/device/confirm?flow=" + flow); a.status != http.StatusBadRequest {
		t.Errorf("late: %d (device %s)", a.status, d.ID)
	}
}

// sessionID is who is signed in.
func (b *browser) sessionID() string {
	b.wd.t.Helper()
	cookie, _, err := secret.Parse(secret.Session, b.cookies["__Host-signet"])
	b.wd.must(err)
	s, _, err := b.wd.db.Session(b.wd.t.Context(), secret.Hash("session", cookie), b.wd.now())
	b.wd.must(err)
	return s.ID
}

// TestDevicePages_LOG02_Limits: wrong codes come to an end, in one browser and for all;
// the page says how long to wait, and the right code does not help then.
func TestDevicePages_LOG02_Limits(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	n := 0
	for ; n < 100; n++ {
		if _, a := b.enter(secret.NewUserCode().Reveal()); a.status == http.StatusTooManyRequests {
			if a.header.Get("Retry-After") == "" || !strings.Contains(a.text(), "Too many codes were tried. Try again in") {
				t.Errorf("%v %s", a.header, a.text())
			}
			break
		}
	}
	if n != 10 {
		t.Errorf("%d tries", n)
	}
	code, _ := wd.device()
	if flow, a := b.enter(code); flow != "" || a.status != http.StatusTooManyRequests {
		t.Errorf("the right code: %d", a.status)
	}
	for n = 0; n < 100; n++ { // all from one network
		if _, a := wd.browser().enter(secret.NewUserCode().Reveal()); a.status == http.StatusTooManyRequests {
			break
		}
	}
	if n != 10 {
		t.Errorf("%d tries from the network", n)
	}
	wd.pass(10 * time.Minute)
	code, _ = wd.device()
	if flow, a := b.enter(code); flow == "" {
		t.Errorf("later: %d", a.status)
	}
}

// TestDevicePages_Answered: what people read in the end; a yes is also told by mail, once,
// for any app. RFC 10027 §6.1.6
func TestDevicePages_Answered(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	show := func(a web.DeviceAnswer) string {
		rec := httptest.NewRecorder()
		wd.pages.DeviceAnswered(rec, b.request("GET", "/authorize/continue", nil), a)
		return answer{rec.Code, rec.Header(), rec.Body.String()}.text()
	}
	if text := show(web.DeviceAnswer{ClientID: tvID}); !strings.Contains(text, "Denied") || !strings.Contains(text, "TV got no access") {
		t.Error(text)
	}
	text := show(web.DeviceAnswer{Allowed: true, ClientID: tvID, Resource: calendarID, Scopes: []string{"calendar.freebusy:read"}})
	if !strings.Contains(text, "You can go back to your device") || !strings.Contains(text, "TV will be connected") {
		t.Error(text)
	}
	wd.deliver()
	if len(wd.mail.List()) != 1 {
		t.Fatalf("%d mails", len(wd.mail.List()))
	}
	m := wd.mail.List()[0]
	if m.To != "ann@example.com" || !strings.Contains(m.Subject, "device") || !strings.Contains(m.Text, "See when you are busy") || !strings.Contains(m.Text, "/account/apps") {
		t.Errorf("%+v", m)
	}
	// The consent page leaves it to the end.
	code, _ := wd.device()
	flow, _ := b.enter(code)
	path := "/consent?flow=" + flow
	page := b.get(path)
	if !strings.Contains(page.text(), "Your device gets access; you stay here.") || strings.Contains(page.text(), "You will be sent") {
		t.Error(page.text())
	}
	if csp := page.header.Get("Content-Security-Policy"); !strings.HasSuffix(csp, "form-action 'self'") {
		t.Error(csp)
	}
	b.submit(page, path, "decision", "authorize")
	wd.deliver()
	if b.stored(flow).ConsentedAt.IsZero() || len(wd.mail.List()) != 1 {
		t.Errorf("%d mails", len(wd.mail.List()))
	}
}
