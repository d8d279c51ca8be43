package scheduler

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// step says what a request is for, in words and in the specification's place.
type step struct {
	Name, Why string
	Specs     []spec
}

type spec struct{ Name, Link string }

func rfc(number, section string) spec {
	return spec{"RFC " + number + " §" + section, "https://www.rfc-editor.org/rfc/rfc" + number + "#section-" + section}
}

var (
	pushing    = step{"The app says what it wants", "To signet itself, with its secret. The browser will carry only a name for it.", []spec{rfc("9126", "2.1"), rfc("8707", "2")}}
	leaving    = step{"The browser goes to signet", "It brings the name, not the wish: there is nothing to read or to change on the way.", []spec{rfc("9126", "4"), rfc("6749", "4.1.1")}}
	returning  = step{"The browser comes back", "With a code that works once. “iss” says which server answers, “state” which question.", []spec{rfc("9207", "2"), rfc("6749", "4.1.2")}}
	redeeming  = step{"The app buys tokens with the code", "Only the app that began this login knows the code_verifier: a stolen code buys nothing.", []spec{rfc("6749", "4.1.3"), rfc("7636", "4.5")}}
	refreshing = step{"The app asks for a new access token", "The refresh token is used up by this; the next one comes with the answer.", []spec{rfc("6749", "6"), rfc("9700", "4.14.2")}}
	calling    = step{"The app calls the calendar", "The calendar checks the token by itself and asks nobody.", []spec{rfc("6750", "2.1")}}
	proving    = step{"The app calls the calendar", "With a proof of its key for this one request. The calendar checks both by itself and asks nobody.", []spec{rfc("9449", "7.1")}}
	givingBack = step{"The app gives the permission back", "", []spec{rfc("7009", "2.1")}}
)

// exchange is a request and its answer. What is secret was shortened before it was kept.
type exchange struct {
	step
	Line    string // method and address, without the query
	Request string
	Status  int
	Answer  string
}

// trace is what a browser's connection has said to others, and heard.
type trace []exchange

// The beginning of a trace always stays; of what follows, the latest.
const (
	maxTrace   = 24
	beginnings = 4 // pushed, left, came back, code redeemed
)

func (t *trace) add(e exchange) {
	if t == nil {
		return
	}
	if *t = append(*t, e); len(*t) > maxTrace {
		*t = slices.Delete(*t, beginnings, beginnings+1)
	}
}

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// ask sends a request and notes in the trace what may be seen of it; sent is the body.
func (a *App) ask(req *http.Request, sent string, what step, t *trace) (got answer, err error) {
	res, err := a.http.Do(req)
	if err != nil {
		return got, err
	}
	defer res.Body.Close()
	got = answer{status: res.StatusCode, header: res.Header}
	if got.body, err = io.ReadAll(io.LimitReader(res.Body, 1<<20)); err != nil {
		return got, err
	}
	if req.Header.Get("DPoP") != "" {
		what.Specs = append(slices.Clone(what.Specs), rfc("9449", "4"))
	}
	t.add(exchange{what, req.Method + " " + address(req.URL), headers(req.Header, "Authorization", "DPoP") + lines(req.URL.Query()) + sent,
		got.status, headers(res.Header, "WWW-Authenticate", "Retry-After") + document(got.body)})
	return got, nil
}

// address is a URL as far as it is no secret.
func address(u *url.URL) string {
	return (&url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path}).String()
}

// public are the parameters and members that are no secrets. All others are shortened.
var public = map[string]bool{
	"client_id": true, "redirect_uri": true, "response_type": true, "scope": true, "resource": true, "code_challenge": true,
	"code_challenge_method": true, "prompt": true, "grant_type": true, "token_type_hint": true, "iss": true, "error": true,
	"error_description": true, "token_type": true, "expires_in": true, "from": true, "to": true, "id": true, "title": true,
	"start": true, "end": true, "created_by": true, "revoked_at": true, "heard_at": true,
}

func show(name, value string) string {
	if public[name] {
		return value
	}
	return short(value)
}

// short is enough of a secret to know it again, and too little to use it.
func short(secret string) string {
	if len(secret) < 24 {
		return "…"
	}
	return strings.ToValidUTF8(fmt.Sprintf("%s…%s (%d characters)", secret[:8], secret[len(secret)-4:], len(secret)), "")
}

// lines writes a query or a form.
func lines(values url.Values) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(values)) {
		for _, value := range values[name] {
			fmt.Fprintf(&b, "%s = %s\n", name, show(name, value))
		}
	}
	return b.String()
}

// headers writes the named ones; of credentials only the scheme is no secret.
func headers(h http.Header, names ...string) string {
	var b strings.Builder
	for _, name := range names {
		for _, value := range h.Values(name) {
			switch scheme, rest, _ := strings.Cut(value, " "); name {
			case "Authorization":
				value = scheme + " " + short(rest)
			case "DPoP":
				value = short(value)
			}
			fmt.Fprintf(&b, "%s: %s\n", name, value)
		}
	}
	return b.String()
}

// document writes the members of a JSON object, whatever is in them.
func document(body []byte) string {
	var members map[string]any
	dec := json.NewDecoder(bytes.NewReader(body))
	dec.UseNumber()
	if dec.Decode(&members) != nil {
		return ""
	}
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(members)) {
		switch v := members[name].(type) {
		case string:
			fmt.Fprintf(&b, "%s = %s\n", name, show(name, v))
		case []any:
			fmt.Fprintf(&b, "%s = %d items\n", name, len(v))
		case json.Number, bool:
			fmt.Fprintf(&b, "%s = %v\n", name, v)
		}
	}
	return b.String()
}
