package scheduler

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"
)

// claim is a member of a token, with what it says.
type claim struct{ Name, Value, Says string }

// meanings are in the order in which they are shown; %s is how far away the time is.
var meanings = []struct{ name, says string }{
	{"typ", "an access token, not an ID token"},
	{"alg", "how it is signed; the key decides, not the token"},
	{"kid", "which of signet’s public keys checks it"},
	{"iss", "who made it"},
	{"aud", "only here: every other service refuses it"},
	{"scope", "all that it allows"},
	{"client_id", "which app holds it"},
	{"sub", "whose calendar: an id, not a name"},
	{"exp", "ends by itself in %s"},
	{"iat", "made %s ago"},
	{"jti", "its own number: revoking that kills this token"},
	{"grant_id", "your permission: revoking that kills all tokens that came of it"},
	{"sid", "your login: signing out kills it"},
	{"cnf", "bound to a key: worth nothing without a proof of that key"},
	{"auth_time", "you signed in %s ago"},
	{"amr", "how you signed in"},
	{"acr", "how well you signed in"},
}

// openToken reads a token without checking it. Only the panel does that, for people: what
// is in a token is between signet and the calendar, and an app that relies on it breaks.
func openToken(token string, now time.Time) []claim {
	parts := strings.Split(token, ".")
	if len(parts) != 3 {
		return nil
	}
	members := map[string]json.RawMessage{}
	for _, part := range parts[:2] {
		doc, err := base64.RawURLEncoding.DecodeString(part)
		if err != nil || json.Unmarshal(doc, &members) != nil {
			return nil
		}
	}
	var out []claim
	for _, m := range meanings {
		if value, ok := members[m.name]; ok {
			out = append(out, claim{m.name, plain(value), strings.Replace(m.says, "%s", distance(value, now), 1)})
			delete(members, m.name)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		out = append(out, claim{Name: name, Value: plain(members[name])})
	}
	return out
}

func plain(value json.RawMessage) string {
	var s string
	if json.Unmarshal(value, &s) == nil {
		return s
	}
	return string(value)
}

// distance says how far away a time is.
func distance(value json.RawMessage, now time.Time) string {
	var seconds int64
	_ = json.Unmarshal(value, &seconds) // of what is no number nothing is said
	return words(time.Unix(seconds, 0).Sub(now).Abs())
}

// words writes a time as people say it: 4 min 58 s.
func words(d time.Duration) string {
	return strings.NewReplacer("h", " h ", "m", " min ", "s", " s").Replace(d.Round(time.Second).String())
}

// left returns how long a token would still be good.
func left(token string, now time.Time) string {
	for _, c := range openToken(token, now) {
		if c.Name == "exp" {
			var seconds int64
			_ = json.Unmarshal([]byte(c.Value), &seconds)
			return words(max(0, time.Unix(seconds, 0).Sub(now)))
		}
	}
	return "some time"
}
