package cli

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
	"github.com/spf13/cobra"
)

// explanation is what can be said of a token. Its members are listed in
// docs/reference/verify.md; they are a promise.
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
	Server    *serverAnswer  `json:"server,omitempty"` // of opaque tokens, if the server was asked
	Verdict   string         `json:"verdict"`          // accepted, refused or unknown
	Reason    string         `json:"reason,omitempty"`
	NextStep  string         `json:"next_step,omitempty"`
}

// What a verdict can be.
const (
	accepted    = "accepted"
	isRefused   = "refused"
	isUnknown   = "unknown"
	notAsked    = "not asked"
	nobodyAsked = "its issuer was not asked"
	isBound     = "it is bound to a key, and came without the proof of it"
)

// question is what somebody wants to know of a token.
type question struct {
	offline  bool
	timeout  time.Duration
	issuer   string   // that the service trusts; empty: the token's own
	audience string   // that the service is; empty: the token's own
	scopes   []string // that the service needs
	keys     string   // file with the issuer's keys; empty: the issuer is asked
	set      *jose.KeySet
	bundle   verify.Bundle
}

func (a *app) verifyCommand() *cobra.Command {
	var q question
	cmd := &cobra.Command{
		Use:   "verify [TOKEN]",
		Short: "Explain a token: kind, issuer, who, what for, times, signature, revoked or not",
		Long: "Explain a token: kind, issuer, who, what for, times, and what a service would say to it and why. For a JWT the issuer\n" +
			"that it names is asked for its keys and revocations, as a service would do; the token itself is not sent anywhere.\n" +
			"Whether that issuer is one you trust is for you to say, with --issuer; --audience and --scope say which service asks.\n" +
			"With --keys or --bundle nobody is asked: keys come from a file of the issuer's jwks_uri, keys and revocations from\n" +
			"one of \"signet key bundle\". Opaque tokens are looked up by the server on this machine, through its administration\n" +
			"socket, if it runs; it is shown a hash.\n\n" +
			"With - or without an argument the token is read from standard input: an argument stays in the shell's history, and\n" +
			"other users of this machine can see it. It is never written out again, except for the parts of a JWT.\n\n" +
			"The exit code is 0 if a service would accept the token or nothing speaks against it, 4 if a service would\n" +
			"refuse it, 1 if it is no token. What --json writes is explained in docs/reference/verify.md.",
		Example: "  signet verify - < token.txt\n  signet verify eyJhbGciOiJFZERTQSIsInR5cCI6ImF0K2p3dCJ9.e30.AA --offline --json\n" +
			"  signet verify - --issuer https://id.example.com --audience https://orders.example.com --scope orders:read < token.txt\n" +
			"  signet verify - --keys jwks.json < token.txt\n" +
			"  signet verify - --bundle signet.bundle --signer 6bv1_TmZvqDRl8tVnZxUo2F2bmkvTn0Pf7sEcBjxuQE < token.txt",
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 && terminal(a.stdin) {
				return &usageError{cmd.CommandPath(), errNoToken}
			}
			token, err := a.readToken(args)
			if err != nil {
				return err
			}
			if token == "" {
				return &usageError{cmd.CommandPath(), errNoToken}
			}
			e, err := a.explain(cmd.Context(), token, q)
			if err != nil {
				return err
			}
			if err := cmd.Context().Err(); err != nil {
				return err
			}
			if err := a.writeExplanation(e); err != nil {
				return err
			}
			if e.Verdict == isRefused {
				return refused("a service refuses this token: " + e.sentence())
			}
			return nil
		},
	}
	fl := cmd.Flags()
	fl.BoolVar(&q.offline, "offline", false, "ask nobody")
	fl.DurationVar(&q.timeout, "timeout", 5*time.Second, "how long to wait for the issuer")
	fl.StringVar(&q.issuer, "issuer", "", "issuer that the service trusts (default: the one that the token names)")
	fl.StringVar(&q.audience, "audience", "", "name of the service, or for ID tokens the client (default: what the token names)")
	fl.StringSliceVar(&q.scopes, "scope", nil, "scope that the service needs (repeat for more)")
	fl.StringVar(&q.keys, "keys", "", "take the issuer's keys from this file (JSON Web Key Set), and ask nobody for revocations")
	fl.StringVar(&q.bundle.File, "bundle", "", "ask this file instead of the issuer")
	fl.StringSliceVar(&q.bundle.Signers, "signer", nil, "thumbprint of the key that may sign the bundle (repeat for more)")
	fl.StringVar(&a.socket, "socket", "", "administration socket of the server, for opaque tokens (default: as for other commands)")
	fl.BoolVar(&a.json, "json", false, "write JSON")
	cmd.MarkFlagsRequiredTogether("bundle", "signer")
	cmd.MarkFlagsMutuallyExclusive("bundle", "offline", "keys")
	return cmd
}

var errNoToken = errors.New("pipe the token in, or give it as an argument")

// readToken takes the token from where it is, also out of an answer of the token endpoint.
func (a *app) readToken(args []string) (string, error) {
	in := a.stdin
	if len(args) == 1 && args[0] != "-" {
		if exists(args[0]) {
			return "", fmt.Errorf("%s is a file; to look at the token in it: signet verify - < %s", args[0], shellWord(args[0]))
		}
		in = strings.NewReader(args[0])
	}
	r := bufio.NewReader(io.LimitReader(in, 64<<10))
	line, err := r.ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read token: %w", err)
	}
	line = strings.TrimSpace(line)
	if !strings.HasPrefix(line, "{") {
		return line, nil
	}
	var answer struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.NewDecoder(io.MultiReader(strings.NewReader(line), r)).Decode(&answer); err != nil || answer.AccessToken == "" {
		return "", errors.New("this is JSON without an access_token; give the token alone, or the whole answer of the token endpoint")
	}
	return answer.AccessToken, a.say("this is an answer of the token endpoint; what follows is its access_token")
}

// explain says what the token itself tells, and what those say who may be asked.
func (a *app) explain(ctx context.Context, token string, q question) (*explanation, error) {
	now := a.now()
	if kind := opaqueKind(token); kind != "" {
		e := explainOpaque(token, kind)
		if !q.offline && e.Verdict == isUnknown {
			a.askServer(ctx, e, token)
		}
		return e, nil
	}
	switch strings.Count(token, ".") {
	case 2:
	case 4:
		return nil, errors.New("this is an encrypted token (JWE): signet makes none")
	default:
		return nil, errors.New("this is no token that signet knows: neither three parts with dots between them, nor a known prefix like sgr_")
	}
	e, err := explainJWT(token)
	if err != nil {
		return nil, err
	}
	if q.keys != "" {
		if q.set, err = readKeys(q.keys); err != nil {
			return nil, err
		}
	}
	if e.Verdict == isUnknown {
		e.ask(ctx, token, q, now)
		e.hold(q, now)
	}
	return e, nil
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

// ownLabels begin lines that are ours to write: what was found out about the token.
var ownLabels = []string{"kind", "alg", "typ", "kid", "issued", "expires", "checksum", "signature", "revoked", "verdict", "next", "user", "grant"}

var plainLabel = regexp.MustCompile(`^[A-Za-z0-9_.:/#-]{1,64}$`)

// claimLabel is what a claim is called. Whoever made the token chose its name, so one that
// reads like a label of ours, or like no name at all, stands in quotes.
func claimLabel(name string) string {
	if word, ok := claimWords[name]; ok {
		return word
	}
	low := strings.ToLower(name)
	taken := slices.Contains(ownLabels, low) || slices.Contains(slices.Collect(maps.Values(claimWords)), low)
	if !taken && plainLabel.MatchString(name) {
		return name
	}
	return "claim " + strconv.QuoteToASCII(name)
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
		fields = append(fields, field{claimLabel(name), text})
	}
	fields = append(fields, e.Server.fields(now)...)
	fields = append(fields,
		field{"issued", inWords(e.IssuedAt, now)}, field{"not before", inWords(e.NotBefore, now)}, field{"expires", inWords(e.ExpiresAt, now)},
		field{"checksum", e.Checksum}, field{"signature", e.Signature}, field{"revoked", e.Revoked}, field{"revoked at", inWords(e.RevokedAt, now)},
		field{"verdict", strings.TrimSuffix(e.Verdict+": "+e.Reason, ": ")}, field{"next", e.NextStep})
	return describe(a.stdout, fields)
}

// sentence is why, and what to do.
func (e *explanation) sentence() string {
	if e.NextStep == "" {
		return oneLine(e.Reason)
	}
	return oneLine(e.Reason + "; " + e.NextStep)
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
