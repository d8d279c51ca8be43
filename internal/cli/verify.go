package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/verify"
	"github.com/spf13/cobra"
)

// explanation is what can be said of a token.
type explanation struct {
	Kind      string         `json:"kind"`
	Header    map[string]any `json:"header,omitempty"`
	Claims    map[string]any `json:"claims,omitempty"`
	IssuedAt  time.Time      `json:"issued_at,omitzero"`
	NotBefore time.Time      `json:"not_before,omitzero"`
	ExpiresAt time.Time      `json:"expires_at,omitzero"`
	Checksum  string         `json:"checksum,omitempty"`  // of opaque tokens: ok or wrong
	Signature string         `json:"signature,omitempty"` // good, bad, unknown key or not asked
	Revoked   string         `json:"revoked,omitempty"`   // yes, no or not asked
	RevokedAt time.Time      `json:"revoked_at,omitzero"`
	Verdict   string         `json:"verdict"` // accepted, refused or unknown
	Reason    string         `json:"reason,omitempty"`
}

const notAsked = "not asked"

func (a *app) verifyCommand() *cobra.Command {
	var offline bool
	var timeout time.Duration
	var bundle verify.Bundle
	cmd := &cobra.Command{
		Use:   "verify TOKEN",
		Short: "Explain a token: kind, issuer, who, what for, times, signature, revoked or not",
		Long: "Explain a token: kind, issuer, who, what for, times. For a JWT the issuer that it names is asked for its keys\n" +
			"and revocations, as a service would do; the token itself is not sent anywhere. Whether that issuer is one\n" +
			"you trust is for you to say. With - the token is read from standard input, where other users of this\n" +
			"machine cannot see it. With --bundle nobody is asked: keys and revocations come from a file of \"signet key bundle\".\n\n" +
			"The exit code is 0 if a service would accept the token or nothing speaks against it, 4 if a service would\n" +
			"refuse it, 1 if it is no token.",
		Example: "  signet verify - < token.txt\n  signet verify eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.e30.AA --offline --json\n" +
			"  signet verify - --bundle signet.bundle --signer 6bv1_TmZvqDRl8tVnZxUo2F2bmkvTn0Pf7sEcBjxuQE < token.txt",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			token, err := readToken(args[0], a.stdin)
			if err != nil {
				return err
			}
			e, err := explain(token, a.now())
			if err != nil {
				return err
			}
			if !offline && e.Verdict == "unknown" && e.Signature != "" {
				e.ask(cmd.Context(), token, timeout, bundle)
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := a.writeExplanation(e); err != nil {
				return err
			}
			if e.Verdict == "refused" {
				return refused("a service refuses this token: " + e.Reason)
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&offline, "offline", false, "ask nobody")
	cmd.Flags().DurationVar(&timeout, "timeout", 5*time.Second, "how long to wait for the issuer")
	cmd.Flags().StringVar(&bundle.File, "bundle", "", "ask this file instead of the issuer")
	cmd.Flags().StringSliceVar(&bundle.Signers, "signer", nil, "thumbprint of the key that may sign the bundle (repeat for more)")
	cmd.MarkFlagsRequiredTogether("bundle", "signer")
	cmd.MarkFlagsMutuallyExclusive("bundle", "offline")
	cmd.Flags().BoolVar(&a.json, "json", false, "write JSON")
	return cmd
}

func readToken(arg string, stdin io.Reader) (string, error) {
	if arg != "-" {
		return strings.TrimSpace(arg), nil
	}
	line, err := bufio.NewReader(io.LimitReader(stdin, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read token: %w", err)
	}
	return strings.TrimSpace(line), nil
}

// explain says what the token itself tells.
func explain(token string, now time.Time) (*explanation, error) {
	if kind := opaqueKind(token); kind != "" {
		return explainOpaque(token, kind), nil
	}
	switch strings.Count(token, ".") {
	case 2:
		return explainJWT(token, now)
	case 4:
		return nil, errors.New("this is an encrypted token (JWE): signet makes none")
	}
	return nil, errors.New("this is no token that signet knows: neither three parts with dots between them, nor a known prefix like sgr_")
}

// opaqueKinds are the tokens that only the server can look up.
var opaqueKinds = map[secret.Prefix]string{
	secret.Access: "opaque access token", secret.Refresh: "refresh token", secret.Code: "authorization code",
	secret.Personal: "personal access token", secret.ServiceKey: "service key", secret.ClientSecret: "client secret",
	secret.Device: "device code", secret.Invitation: "invitation", secret.Pushed: "pushed authorization request",
	secret.Session: "login cookie", secret.Flow: "cookie of a login that was begun",
}

func opaqueKind(token string) string {
	const prefixLen = 4
	if len(token) < prefixLen {
		return ""
	}
	return opaqueKinds[secret.Prefix(token[:prefixLen])]
}

func explainOpaque(token, kind string) *explanation {
	e := &explanation{Kind: kind, Checksum: "ok", Verdict: "unknown", Reason: "only the server that made it can say whether it is good"}
	if _, _, err := secret.Parse(secret.Prefix(token[:4]), token); err != nil {
		e.Checksum, e.Verdict = "wrong", "refused"
		e.Reason = "its checksum is wrong: it was cut, or mistyped, or is made up"
	}
	return e
}

// claimOrder is how claims are shown; the others follow by name.
var claimOrder = []string{
	"iss", "sub", "aud", "client_id", "azp", "scope", "sid", "grant_id", "jti", "auth_time", "acr", "amr", "groups", "roles",
	"nonce", "at_hash",
}

// claimWords says in words what the claims mean (RFC 7519 §4.1, RFC 9068 §2.2, OpenID Connect Core §2).
var claimWords = map[string]string{
	"iss": "issuer", "sub": "subject", "aud": "made for", "client_id": "client", "azp": "client", "scope": "may",
	"sid": "session", "grant_id": "grant", "jti": "token id", "auth_time": "signed in", "acr": "assurance", "amr": "signed in by",
}

func (a *app) writeExplanation(e *explanation) error {
	if a.json {
		return writeJSON(a.stdout, e)
	}
	fields := []field{{"kind", e.Kind}}
	for _, name := range []string{"alg", "typ", "kid"} {
		if v, ok := e.Header[name]; ok {
			fields = append(fields, field{name, claimText(v)})
		}
	}
	names := make([]string, 0, len(e.Claims))
	for name := range e.Claims {
		if name != "iat" && name != "nbf" && name != "exp" {
			names = append(names, name)
		}
	}
	place := func(name string) int {
		if i := slices.Index(claimOrder, name); i >= 0 {
			return i
		}
		return len(claimOrder)
	}
	slices.SortFunc(names, func(a, b string) int { return cmp.Or(cmp.Compare(place(a), place(b)), strings.Compare(a, b)) })
	now := a.now()
	for _, name := range names {
		value := e.Claims[name]
		text := claimText(value)
		if t, ok := unixTime(value); ok && name == "auth_time" {
			text = inWords(t, now)
		}
		fields = append(fields, field{cmp.Or(claimWords[name], name), text})
	}
	fields = append(fields,
		field{"issued", inWords(e.IssuedAt, now)}, field{"not before", inWords(e.NotBefore, now)}, field{"expires", inWords(e.ExpiresAt, now)},
		field{"checksum", e.Checksum}, field{"signature", e.Signature}, field{"revoked", e.Revoked}, field{"revoked at", inWords(e.RevokedAt, now)},
		field{"verdict", strings.TrimSuffix(e.Verdict+": "+e.Reason, ": ")})
	return describe(a.stdout, fields)
}

// inWords writes a time and how far it is from now.
func inWords(t, now time.Time) string {
	if t.IsZero() {
		return ""
	}
	if d := t.Sub(now); d >= 0 {
		return stamp(t) + " (in " + span(d) + ")"
	}
	return stamp(t) + " (" + span(now.Sub(t)) + " ago)"
}

// span writes a duration in its two largest units.
func span(d time.Duration) string {
	for _, unit := range []struct {
		size, next time.Duration
		name, rest string
	}{
		{24 * time.Hour, time.Hour, "d", "h"}, {time.Hour, time.Minute, "h", "min"}, {time.Minute, time.Second, "min", "s"},
	} {
		if d >= unit.size {
			if rest := d % unit.size / unit.next; rest > 0 {
				return fmt.Sprintf("%d %s %d %s", d/unit.size, unit.name, rest, unit.rest)
			}
			return fmt.Sprintf("%d %s", d/unit.size, unit.name)
		}
	}
	return fmt.Sprintf("%d s", d/time.Second)
}

// ask asks the issuer or its bundle, as a service would.
func (e *explanation) ask(ctx context.Context, token string, timeout time.Duration, b verify.Bundle) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	issuer, _ := e.Claims["iss"].(string)
	audience, _ := e.Claims["aud"].(string)
	e.judge(askIssuer(ctx, token, e.Kind, issuer, audience, e.Claims, b))
}
