package oauth_test

import (
	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// device asks for codes as a device does.
func (w *world) device(client string, pairs ...string) answer {
	w.t.Helper()
	return w.as(client, "/device_authorization", with(params("scope", "openid profile cal.read"), pairs...))
}

// poll asks what became of it.
func (w *world) poll(client, deviceCode string, pairs ...string) answer {
	w.t.Helper()
	return w.as(client, "/token", with(params("grant_type", idp.GrantDeviceCode, "device_code", deviceCode), pairs...))
}

// entered is a device whose code a person typed into a browser.
type entered struct {
	*browser
	flow  string
	codes answer
}

// enter starts a device and types its code into a new browser.
func (w *world) enter(client string, pairs ...string) entered {
	w.t.Helper()
	codes := w.device(client, pairs...).ok()
	b := w.browser()
	b.get("/authorize?" + ask("web").Encode()) // for the cookie of the flow
	return entered{b, b.typeCode(codes.json("user_code")), codes}
}

// typeCode is what the page of codes does; empty: there is no such code.
func (b *browser) typeCode(code string) (flow string) {
	b.w.t.Helper()
	ctx, now := b.w.t.Context(), b.w.clock()
	d, err := b.w.codes.Find(ctx, code, authn.Typist{Network: "192.0.2.9/32", Browser: secret.ID()})
	if err != nil {
		return ""
	}
	req := idp.AuthRequest{
		ID: secret.ID(), BrowserHash: b.flowHash(), ClientID: d.ClientID, Scopes: d.Scopes, Resource: d.Resource, MaxAge: -1,
		CreatedAt: now, ExpiresAt: d.ExpiresAt, DeviceID: d.ID,
	}
	b.w.must(b.w.db.CreateAuthRequest(ctx, req, "192.0.2.9/32", 1000, 100_000, now))
	return req.ID
}

func (e entered) code() string { return e.codes.json("device_code") }

// confirmPage is where the browser is sent to.
func (e entered) confirmPage() answer { return e.proceed(e.flow) }

// allow answers every page with yes.
func (e entered) allow(userID string) answer {
	e.w.t.Helper()
	a := e.through(e.proceed(e.flow), userID)
	if a.page() != "device-answered" || a.json("Allowed") != "true" {
		e.w.t.Fatalf("not allowed: %d %s %s", a.Code, a.page(), a.Body)
	}
	return a
}
