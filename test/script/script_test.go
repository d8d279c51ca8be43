package script_test

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/verify/verifytest"
)

// TestScript runs every transcript beside it.
func TestScript(t *testing.T) {
	t.Parallel()
	runAll(t, provider)
}

func runAll(t *testing.T, start func(*testing.T, *clock) (public, admin http.Handler)) {
	t.Helper()
	files, err := filepath.Glob("*.txt")
	if err != nil || len(files) < 10 {
		t.Fatalf("transcripts: %v, %v", files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(file, ".txt"), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			newRunner(t, start).run(file, string(text))
		})
	}
}

// runner is the state of one transcript.
type runner struct {
	t       *testing.T
	clock   *clock
	public  http.Handler
	admin   http.Handler
	where   string // file:line, for messages
	vars    map[string]string
	jars    map[string]map[string]string // cookies by browser
	browser string
	sign    string      // Authorization of the next requests
	extra   http.Header // of the next request
	keys    map[string]*verifytest.DPoPKey
	last    *response
}

func newRunner(t *testing.T, provider func(*testing.T, *clock) (public, admin http.Handler)) *runner {
	t.Helper()
	r := &runner{t: t, browser: "first", clock: &clock{now: start}, vars: map[string]string{}, jars: map[string]map[string]string{}, extra: http.Header{}, keys: map[string]*verifytest.DPoPKey{}}
	r.public, r.admin = provider(t, r.clock)
	return r
}

func (r *runner) run(file, text string) {
	r.t.Helper()
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		r.where = fmt.Sprintf("%s:%d: %s", file, i+1, line)
		words := r.words(line)
		verb, known := verbs[words[0]]
		if !known {
			r.check(words)
			continue
		}
		verb(r, words[1:])
	}
}

// verbs are the lines that do something; all others compare.
var verbs = map[string]func(*runner, []string){
	"GET":      func(r *runner, args []string) { r.request("GET", args) },
	"POST":     func(r *runner, args []string) { r.request("POST", args) },
	"auth":     (*runner).auth,
	"bearer":   func(r *runner, args []string) { r.sign = "Bearer " + r.only(args) },
	"dpop":     func(r *runner, args []string) { r.sign = "DPoP " + r.only(args) },
	"prove":    (*runner).prove,
	"browser":  func(r *runner, args []string) { r.browser = r.only(args) },
	"login":    func(r *runner, args []string) { r.submit("/login", "username", r.only(args), "password", password) },
	"choose":   func(r *runner, args []string) { r.submit("/select-account", "account", "this") },
	"consent":  func(r *runner, args []string) { r.submit("/consent", "decision", "authorize") },
	"confirm":  func(r *runner, args []string) { r.submit("/device/confirm", "decision", r.only(args)) },
	"enter":    (*runner).enter,
	"cancel":   func(r *runner, args []string) { r.submit("/consent", "decision", "cancel") },
	"press":    (*runner).press,
	"follow":   func(r *runner, _ []string) { r.follow() },
	"clock":    (*runner).pass,
	"operator": (*runner).operate,
	"let":      (*runner).let,
	"send":     (*runner).header,
}

func (r *runner) fail(format string, args ...any) {
	r.t.Helper()
	r.t.Fatalf("%s\n\t%s", r.where, fmt.Sprintf(format, args...))
}

var (
	word     = regexp.MustCompile(`(?:[^\s"]|"[^"]*")+`)
	variable = regexp.MustCompile(`\$([a-z][a-z0-9_]*)|\{([a-z._]+)\}`)
)

// words splits a line and puts in what the names stand for.
func (r *runner) words(line string) []string {
	r.t.Helper()
	words := word.FindAllString(line, -1)
	for i, w := range words {
		w = strings.ReplaceAll(w, `"`, "")
		words[i] = variable.ReplaceAllStringFunc(w, func(name string) string {
			value, ok := r.vars[strings.TrimPrefix(name, "$")]
			if name[0] == '{' {
				value, ok = names[strings.Trim(name, "{}")]
			}
			if !ok {
				r.fail("%s stands for nothing", name)
			}
			return value
		})
	}
	return words
}

func (r *runner) only(args []string) string {
	r.t.Helper()
	if len(args) != 1 {
		r.fail("wants one word")
	}
	return args[0]
}

func (r *runner) auth(args []string) {
	r.t.Helper()
	if args[0] == "none" {
		r.sign = ""
		return
	}
	key := secrets[args[0]]
	if len(args) > 1 {
		key = args[1]
	}
	r.sign = basic(args[0], key)
}

// header is for the next request: send NAME: VALUE.
func (r *runner) header(args []string) {
	r.t.Helper()
	name, ok := strings.CutSuffix(args[0], ":")
	if !ok {
		r.fail("send NAME: VALUE")
	}
	r.extra.Add(name, strings.Join(args[1:], " "))
}

// key is a client's key for proofs, made when it is first named.
func (r *runner) key(name string) *verifytest.DPoPKey {
	r.t.Helper()
	if r.keys[name] == nil {
		r.keys[name] = verifytest.NewDPoPKey(r.t)
	}
	return r.keys[name]
}

// prove is for the next request: prove KEY METHOD PATH claim=value …; token=TOKEN puts in
// the token's hash.
func (r *runner) prove(args []string) {
	r.t.Helper()
	if len(args) < 3 {
		r.fail("prove KEY METHOD PATH")
	}
	changes, token := verifytest.Claims{"iat": r.clock.Now().Unix(), "ath": nil}, ""
	for _, pair := range args[3:] {
		name, value, _ := strings.Cut(pair, "=")
		if name == "token" {
			token = value
			delete(changes, "ath")
			continue
		}
		changes[name] = value
	}
	r.extra.Set("DPoP", r.key(args[0]).Proof(args[1], issuer+args[2], token, "", changes))
}

func (r *runner) pass(args []string) {
	r.t.Helper()
	d, err := time.ParseDuration(strings.TrimPrefix(r.only(args), "+"))
	if err != nil {
		r.fail("%v", err)
	}
	r.clock.pass(d)
}

// let NAME = SOURCE…
func (r *runner) let(args []string) {
	r.t.Helper()
	if len(args) < 3 || args[1] != "=" {
		r.fail("let NAME = SOURCE")
	}
	value, there := r.source(args[2:])
	if !there {
		r.fail("there is none")
	}
	r.vars[args[0]] = value
}

// check compares: SOURCE OPERATOR VALUE.
func (r *runner) check(words []string) {
	r.t.Helper()
	for i, op := range words {
		if i == 0 {
			continue
		}
		want := strings.Join(words[i+1:], " ")
		got, there, holds := "", false, false
		switch op {
		case "==", "!=", "contains", "lacks", "is":
			got, there = r.source(words[:i])
		default:
			continue
		}
		switch {
		case op == "==":
			holds = there && got == want
		case op == "!=":
			holds = there && got != want
		case op == "contains":
			holds = strings.Contains(got, want)
		case op == "lacks":
			holds = !strings.Contains(got, want)
		case want == "missing":
			holds = !there
		case want == "present":
			holds = there
		default:
			r.fail("is missing, or is present?")
		}
		if !holds {
			r.fail("got %q (there: %v)\n\tthe answer was %s", got, there, r.last)
		}
		return
	}
	r.fail("not understood")
}

// source finds a value.
func (r *runner) source(words []string) (value string, there bool) {
	r.t.Helper()
	kind, args := words[0], words[1:]
	if r.last == nil && kind != "text" && kind != "s256" && kind != "claim" && kind != "thumbprint" {
		r.fail("no answer yet")
	}
	switch kind + strconv.Itoa(len(args)) {
	case "code0":
		return strconv.Itoa(r.last.code), true
	case "body0":
		return r.last.body, true
	case "json1":
		return member(r.last.body, args[0])
	case "header1":
		return r.last.header.Get(args[0]), r.last.header.Get(args[0]) != ""
	case "redirect0":
		location, _, _ := strings.Cut(r.last.header.Get("Location"), "?")
		return location, location != ""
	case "redirect1":
		q := r.last.location(r).Query()
		return q.Get(args[0]), q.Has(args[0])
	case "claim2":
		return claim(args[0], args[1])
	case "s2561":
		sum := sha256.Sum256([]byte(args[0]))
		return base64.RawURLEncoding.EncodeToString(sum[:]), true
	case "thumbprint1":
		return r.key(args[0]).Thumbprint(), true
	case "text1":
		return args[0], true
	}
	r.fail("no such source")
	return "", false
}

// claim reads a JWT without checking it.
func claim(jwt, name string) (string, bool) {
	parts := strings.Split(jwt, ".")
	if len(parts) != 3 {
		return "", false
	}
	payload, err := base64.RawURLEncoding.DecodeString(parts[1])
	if err != nil {
		return "", false
	}
	return member(string(payload), name)
}

func member(doc, name string) (string, bool) {
	var members map[string]json.RawMessage
	if json.Unmarshal([]byte(doc), &members) != nil || members[name] == nil {
		return "", false
	}
	var text string
	if json.Unmarshal(members[name], &text) == nil {
		return text, true
	}
	return string(members[name]), true
}

func basic(id, key string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(escape(id)+":"+escape(key)))
}
