package web

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// consoleKeysShow lists the signing keys.
type consoleKeysShow struct{ *Console }

type consoleKeysPage struct {
	view
	Keys []consoleKeyLine
}

// A consoleKey is a signing key as the API shows one.
type consoleKey struct {
	ID         string    `json:"kid"`
	Alg        string    `json:"alg"`
	State      string    `json:"state"`
	StagedAt   time.Time `json:"staged_at"`
	ActiveAt   time.Time `json:"active_at"`
	RetiringAt time.Time `json:"retiring_at"`
	RetiredAt  time.Time `json:"retired_at"`
	Next       string    `json:"next"`
	NextAt     time.Time `json:"next_at"`
}

// A consoleKeyLine is a key in words.
type consoleKeyLine struct {
	consoleKey
	Since instant // in this state
	Then  string  // what happens to it by itself, and when; empty: nothing
	Live  bool    // it signs or verifies something
}

// place is where the key stands in the list: first what signs, last what is over.
func (k consoleKey) place() int {
	return slices.Index([]string{"active", "staged", "retiring", "retired"}, k.State)
}

// since is when the key came into its state.
func (k consoleKey) since() time.Time {
	switch k.State {
	case "active":
		return k.ActiveAt
	case "retiring":
		return k.RetiringAt
	case "retired":
		return k.RetiredAt
	}
	return k.StagedAt
}

// keyNext are what happens to keys by itself: the API's words, and the names of ours.
var keyNext = map[string]string{
	"signs": "signs", "gets a successor": "successor", "is relieved": "relieved", "is retired": "retired", "is forgotten": "forgotten",
}

func (p consoleKeysShow) serve(w http.ResponseWriter, r *http.Request) error {
	var found []consoleKey
	if err := p.ask(r.Context(), http.MethodGet, "/keys", nil, &found); err != nil {
		return err
	}
	slices.SortStableFunc(found, func(a, b consoleKey) int {
		return cmp.Or(cmp.Compare(a.place(), b.place()), strings.Compare(a.Alg, b.Alg), a.StagedAt.Compare(b.StagedAt))
	})
	page, now := consoleKeysPage{view: p.consoleView(r, "keys", p.words(r, nil).T("console.nav.keys"))}, p.now()
	for _, k := range found {
		line := consoleKeyLine{consoleKey: k, Since: page.instant(k.since(), now), Live: k.State != "retired"}
		if name := keyNext[k.Next]; name != "" && !k.NextAt.IsZero() {
			line.Then = page.T("console.keys.next."+name, page.instant(k.NextAt, now).Exact)
		}
		page.Keys = append(page.Keys, line)
	}
	return p.render(w, "console/keys", http.StatusOK, page, policy{})
}

// consoleKeysChange lets keys have successors, or ends one in an emergency.
type consoleKeysChange struct{ *Console }

func (p consoleKeysChange) rotate(w http.ResponseWriter, r *http.Request, _ url.Values) error {
	if err := p.ask(r.Context(), http.MethodPost, "/keys/rotate", struct{}{}, nil); err != nil {
		return err
	}
	return p.done(w, "keys_rotated", "/keys")
}

func (p consoleKeysChange) retire(w http.ResponseWriter, r *http.Request, form url.Values) error {
	kid := form.Get("kid")
	if kid == "" {
		return badChoice("kid")
	}
	now := struct {
		Now bool `json:"now"`
	}{true}
	if err := p.ask(r.Context(), http.MethodPost, apiPath("keys", kid, "retire"), now, nil); err != nil {
		return err
	}
	return p.done(w, "key_retired", "/keys")
}
