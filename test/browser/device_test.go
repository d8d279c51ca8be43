package browser_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/chromedp/chromedp"
)

// clock is the demo's device.
const clock = "desk-clock"

// ask sends a form as a device does.
func ask(t *testing.T, endpoint string, pairs ...string) map[string]any {
	t.Helper()
	form := url.Values{"client_id": {clock}}
	for i := 0; i < len(pairs); i += 2 {
		form.Set(pairs[i], pairs[i+1])
	}
	resp, err := http.PostForm(endpoint, form)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer map[string]any
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	return answer
}

// OAU-18: a device without a browser, as its person sees it: the code that is typed in
// small letters, the question whether it is theirs, consent, and the end; then a no.
func TestDevice(t *testing.T) {
	t.Parallel()
	at := startStack(t)
	b := newTab(t)
	begin := func() (device, user, link string) {
		a := ask(t, at.issuer+"/device_authorization", "scope", "calendar.freebusy:read offline_access")
		return a["device_code"].(string), a["user_code"].(string), a["verification_uri_complete"].(string)
	}
	poll := func(device string) map[string]any {
		return ask(t, at.issuer+"/token", "grant_type", "urn:ietf:params:oauth:grant-type:device_code", "device_code", device)
	}
	device, user, _ := begin()
	b.open(at.issuer + "/device")
	b.look("signet-device")
	b.do(chromedp.SendKeys(chromedp.CSS("input[name=user_code]"), "bcdfg hjklm"))
	b.click("form button")
	b.expect("We do not know this code")
	b.look("signet-device-unknown")
	b.do(chromedp.SetValue(chromedp.CSS("input[name=user_code]"), strings.ToLower(strings.ReplaceAll(user, "-", ""))))
	b.click("form button")
	b.expect("Sign in", "to continue to Desk Clock")
	b.signIn("ann")
	b.expect("Is this your device?", user, "Desk Clock", "Your network", "See when you are busy")
	b.look("signet-device-confirm")
	b.click("button[value=allow]")
	b.expect("See when you are busy", "Your device gets access; you stay here.")
	b.look("signet-device-consent")
	b.click("button[value=authorize]")
	b.expect("You can go back to your device")
	b.look("signet-device-allowed")
	if a := poll(device); a["access_token"] == nil || a["refresh_token"] == nil {
		t.Errorf("%v", a)
	}
	b.open(at.issuer + "/account/apps")
	b.expect("Desk Clock")

	device, user, link := begin()
	b.open(link)
	b.expect("Connect a device")
	b.look("signet-device-link")
	if a := poll(device); a["error"] != "authorization_pending" {
		t.Errorf("after a link was opened: %v", a)
	}
	b.click("form button")
	b.expect("Is this your device?", user)
	b.click("button[value=deny]")
	b.expect("Denied")
	b.look("signet-device-denied")
}
