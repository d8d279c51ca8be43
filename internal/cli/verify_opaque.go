package cli

import (
	"context"
	"net/http"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/secret"
)

// opaqueKinds are the tokens that only the server can look up.
var opaqueKinds = map[secret.Prefix]string{
	secret.Access: "opaque access token", secret.Refresh: "refresh token", secret.Code: "authorization code",
	secret.Personal: "personal access token", secret.ServiceKey: "service key", secret.ClientSecret: "client secret",
	secret.Device: "device code", secret.Invitation: "invitation to register a client", secret.Pushed: "pushed authorization request",
	secret.Management: "token by which a client manages its registration",
	secret.Session:    "login cookie", secret.Flow: "cookie of a login that was begun",
}

func opaqueKind(token string) string {
	const prefixLen = 4
	if len(token) < prefixLen {
		return ""
	}
	return opaqueKinds[secret.Prefix(token[:prefixLen])]
}

func explainOpaque(token, kind string) *explanation {
	e := &explanation{
		Kind: kind, Checksum: "ok", Verdict: isUnknown, Reason: "only the server that made it can say whether it is good",
		NextStep: "run this where the server runs, as its user, or name its socket with --socket",
	}
	if _, _, err := secret.Parse(secret.Prefix(token[:4]), token); err != nil {
		e.Checksum, e.Verdict = "wrong", isRefused
		e.Reason, e.NextStep = "its checksum is wrong: it was cut, or mistyped, or is made up", "copy it again, whole"
	}
	return e
}

// serverAnswer is what the server knows of an opaque token.
type serverAnswer struct{ admin.TokenAnswer }

func (s *serverAnswer) fields(now time.Time) []field {
	if s == nil {
		return nil
	}
	user := s.Username
	if s.UserID != "" {
		user = strings.TrimSpace(user + " (" + s.UserID + ")")
	}
	return []field{
		{"user", user}, {"client", s.ClientID}, {"made for", s.Resource}, {"may", strings.Join(s.Scopes, " ")}, {"session", s.SessionID},
		{"grant", s.GrantID}, {"issued", inWords(s.CreatedAt, now)}, {"expires", inWords(s.ExpiresAt, now)},
	}
}

// askServer asks the server on this machine, if there is one that we may ask. It is shown
// hashes: whoever listens at the socket learns no token.
func (a *app) askServer(ctx context.Context, e *explanation, token string) {
	q, ok := admin.QuestionAbout(token)
	if !ok {
		e.Reason, e.NextStep = "tokens of this kind cannot be looked up", ""
		return
	}
	var s serverAnswer
	if err := a.call(ctx, http.MethodPost, "/tokens/inspect", q, &s.TokenAnswer); err != nil {
		if a.socket != "" {
			e.Reason = "the server was not reached: " + err.Error()
		}
		return
	}
	e.Server = &s
	switch s.State {
	case "live":
		e.Verdict, e.Reason, e.NextStep = accepted, "the server that made it would take it", "if it was found where it does not belong, end it: "+howToEnd(e.Kind, s)
	case "dead":
		e.Verdict, e.Reason, e.NextStep = isRefused, s.Reason, ""
		if s.Reason == admin.ClientDisabled {
			e.NextStep = "signet client enable " + shellWord(s.ClientID)
		}
	default:
		e.Verdict, e.Reason, e.NextStep = isRefused, s.Reason, "if another server made it, ask that one"
	}
}

// howToEnd is the command that makes a token worthless.
func howToEnd(kind string, s serverAnswer) string {
	switch kind {
	case opaqueKinds[secret.Refresh], opaqueKinds[secret.Code]:
		return "signet grant revoke " + shellWord(s.Username) + " " + s.GrantID
	case opaqueKinds[secret.Session]:
		return "signet session end " + shellWord(s.Username) + " " + s.SessionID
	case opaqueKinds[secret.ClientSecret]:
		return "signet client secret " + shellWord(s.ClientID)
	case opaqueKinds[secret.Invitation]:
		return "signet client registration-token revoke, with its id from signet client registration-token list"
	}
	return "signet client disable " + shellWord(s.ClientID)
}
