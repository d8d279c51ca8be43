package cli

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// ask lets the SDK look at the token, as a service would that is the token's audience. It
// asks whom the token names, but nobody else than the issuer that is trusted.
func (e *explanation) ask(ctx context.Context, token string, q question, now time.Time) {
	issuer, audience := e.claim("iss"), e.claim("aud")
	switch {
	case e.Kind == jwtKinds["dpop+jwt"]:
		e.askItself(token)
		return
	case q.offline || q.issuer != "" && issuer != q.issuer:
		return
	case e.Kind != kindAccess && e.Kind != kindID:
		e.askKeys(token, q.set)
		return
	}
	ctx, cancel := context.WithTimeout(ctx, q.timeout)
	defer cancel()
	v, err := verifierFor(issuer, audience, q)
	if err != nil {
		e.Reason = err.Error()
		return
	}
	e.judge(e.putTo(ctx, v, token, audience), now)
	if q.set != nil && e.Verdict == accepted {
		e.Revoked, e.Reason = notAsked, "its signature and its times are good; whether it was revoked was not asked"
	}
}

// claim is the text of a claim, if it is one.
func (e *explanation) claim(name string) string {
	s, _ := e.Claims[name].(string)
	return s
}

func verifierFor(issuer, audience string, q question) (*verify.Verifier, error) {
	silent := verify.Logger(slog.New(slog.DiscardHandler)) // putTo tells the trouble
	switch {
	case q.set != nil:
		return verify.New(issuer, audience, verify.InsecureStaticKeys(q.set))
	case q.bundle.File != "":
		q.bundle.MaxAge = math.MaxInt64 // it says itself when its time is over
		return verify.NewOffline(issuer, audience, q.bundle, silent)
	}
	return verify.New(issuer, audience, silent)
}

func readKeys(file string) (*jose.KeySet, error) {
	doc, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	set, err := jose.ParseKeySet(doc)
	if err != nil {
		return nil, fmt.Errorf("--keys: %w", err)
	}
	return set, nil
}

// putTo puts the token to a verifier. nil means accepted; errNobody that nobody answered.
func (e *explanation) putTo(ctx context.Context, v *verify.Verifier, token, audience string) error {
	ctx, cancel := context.WithCancel(ctx)
	running := make(chan struct{})
	go func() {
		defer close(running)
		_ = v.Run(ctx) // ends with the context, with nothing else to say
	}()
	defer func() { cancel(); <-running }()
	select {
	case <-v.Ready():
	case <-ctx.Done():
		if len(v.Status().Keys) == 0 {
			return fmt.Errorf("%w: %s did not give its keys in time (%s)", errNobody, e.claim("iss"), v.Status().LastTrouble)
		}
	}
	if e.Kind == kindID {
		_, err := v.VerifyIDToken(ctx, token, audience, e.claim("nonce"))
		return err
	}
	_, err := v.Verify(ctx, token)
	return err
}

var errNobody = errors.New(nobodyAsked)

// askItself checks a proof of possession with the key that it brings (RFC 9449 §4.3). That
// proves that somebody has the key, and nothing of who.
func (e *explanation) askItself(token string) {
	_, key, err := jose.VerifyEmbedded(token, "dpop+jwt", jose.Algorithms())
	if err != nil {
		e.Signature, e.Verdict, e.Reason = "bad", isRefused, "it is not signed by the key that it brings: "+err.Error()
		return
	}
	e.Signature, e.Reason = "good", "it proves that its sender has the key "+key.ID()+", for one request; a service takes it only beside an access token that is bound to that key"
}

// askKeys checks the signature of a token that no service is shown.
func (e *explanation) askKeys(token string, set *jose.KeySet) {
	e.Reason = "no service takes tokens of this kind"
	if set == nil {
		return
	}
	typ, _ := e.Header["typ"].(string)
	_, _, err := set.Verify(token, typ)
	switch {
	case err == nil:
		e.Signature = "good"
	case errors.Is(err, jose.ErrUnknownKey):
		e.Signature = "unknown key"
	default:
		e.Signature, e.Verdict, e.Reason = "bad", isRefused, err.Error()
	}
}

// judge puts the SDK's answer into words.
func (e *explanation) judge(err error, now time.Time) {
	revoked, wasRevoked := errors.AsType[*verify.RevokedError](err)
	e.Verdict, e.Reason, e.Signature = isRefused, fmt.Sprint(err), "good"
	switch {
	case err == nil:
		e.Verdict, e.Reason, e.Revoked = accepted, "by a service that trusts this issuer and is this audience", "no"
	case errors.Is(err, errNobody):
		e.Verdict, e.Signature = isUnknown, notAsked
		e.NextStep = "look whether the issuer runs and can be reached from here"
	case errors.Is(err, verify.ErrNotReady), errors.Is(err, verify.ErrStale):
		e.Verdict, e.Reason = isUnknown, "the issuer gave its keys, but not its revocations"
		e.NextStep = "look whether the issuer's /revocations can be reached from here"
	case wasRevoked:
		e.Revoked, e.RevokedAt = "yes", revoked.At
		e.Reason = fmt.Sprintf("it was revoked %s ago (rule %d: %s)", span(now.Sub(revoked.At)), revoked.Rule.Seq, named(revoked.Rule.Kind))
		e.NextStep = e.afterRevocation(revoked.Rule.Kind)
	case errors.Is(err, verify.ErrExpired):
		e.Reason, e.NextStep = e.expiry(now), e.renewal()
	case errors.Is(err, verify.ErrUnknownKey):
		e.Signature, e.Reason = "unknown key", "its key is none of the issuer's: it is made up, or was signed before a key ended"
		e.NextStep = "get a new one; if that is refused as well, compare its kid with the issuer's jwks_uri"
	case errors.Is(err, verify.ErrSignature), errors.Is(err, verify.ErrAlgorithm):
		e.Signature, e.Reason = "bad", "it was changed on its way, or somebody else made it: "+err.Error()
		e.NextStep = "get a new one, and ask where this one came from"
	case errors.Is(err, verify.ErrBound):
		e.Reason, e.NextStep = isBound, "send it with the scheme DPoP and a proof of that key (RFC 9449 §7.1)"
	case errors.Is(err, verify.ErrMalformed), errors.Is(err, verify.ErrType):
		e.Signature = notAsked
	}
}

// ofClient reports whether the client itself is the subject, and no person has a say
// (RFC 9068 §2.2).
func (e *explanation) ofClient() bool {
	return e.claim("sub") != "" && e.claim("sub") == e.claim("client_id")
}

func (e *explanation) renewal() string {
	if e.ofClient() {
		return "its client gets a new one: it asks for it as for this one"
	}
	return "its client gets a new one, with its refresh token if it has one"
}

func (e *explanation) afterRevocation(kind verify.RuleKind) string {
	next := "its client must be authorized again"
	if e.ofClient() {
		next = "its client asks for a new token"
	}
	if kind == verify.RuleClient {
		return "if its client is disabled: signet client enable " + shellWord(e.claim("client_id")) + "; then " + next
	}
	return next
}

// expired reports whether the token's time is over for a service, which forgives clocks a minute.
func (e *explanation) expired(now time.Time) bool {
	const leeway = time.Minute
	return !e.ExpiresAt.IsZero() && !now.Before(e.ExpiresAt.Add(leeway))
}

func (e *explanation) expiry(now time.Time) string {
	return "it expired " + span(now.Sub(e.ExpiresAt)) + " ago"
}

// hold compares the token with what the service wants that asks. Who refused the token for
// another reason has said the more important thing.
func (e *explanation) hold(q question, now time.Time) {
	if e.Verdict == isRefused {
		return
	}
	refuse := func(reason, next string) { e.Verdict, e.Reason, e.NextStep = isRefused, reason, next }
	audience := e.claim("aud")
	switch {
	case q.issuer != "" && e.claim("iss") != q.issuer:
		refuse("it names "+orNobody(e.claim("iss"))+" as its issuer, not "+q.issuer, "get one from "+q.issuer+", or correct the issuer in the service's configuration; every byte counts")
	case q.audience != "" && audience != q.audience:
		refuse("it was made for "+orNobody(audience)+", not for "+q.audience, "let the client ask with resource="+q.audience+", or correct the audience in the service's configuration; every byte counts")
	case len(q.scopes) > 0 && e.Kind == kindID:
		refuse("an ID token tells a client who signed in; it opens no service", "send the access token")
	case e.expired(now):
		refuse(e.expiry(now), e.renewal())
	default:
		e.holdScopes(q.scopes, refuse)
	}
}

func (e *explanation) holdScopes(want []string, refuse func(reason, next string)) {
	have := strings.Fields(e.claim("scope"))
	for _, s := range want {
		if !slices.Contains(have, s) {
			next := "let the client ask for scope=" + s + "; the client must be allowed to (signet client set CLIENT --scope …)"
			if !e.ofClient() {
				next += ", and the person must consent"
			}
			refuse("it lacks the scope "+s, next)
			return
		}
	}
}

func orNobody(s string) string {
	if s == "" {
		return "nobody"
	}
	return s
}

// named says what of a token a rule names.
func named(k verify.RuleKind) string {
	switch k {
	case verify.RuleJTI:
		return "its token id"
	case verify.RuleAll:
		return "all tokens"
	}
	return "its " + string(k)
}
