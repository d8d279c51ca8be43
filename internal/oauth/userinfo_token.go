package oauth

import (
	"net/http"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/verify"
)

const maxUserinfoForm = 32 << 10

// The schemes of access tokens (RFC 6750 §2.1, RFC 9449 §7.1).
const (
	schemeBearer = "Bearer"
	schemeDPoP   = "DPoP"
)

// givenToken is an access token as it came.
type givenToken struct {
	token string
	bound bool // with the scheme DPoP
}

// read wants a token that goes with its scheme: one that is bound to a key is no bearer
// token, and a proof says nothing about one that is not.
func (e *userinfoEndpoint) read(given givenToken, now time.Time) (*verify.Claims, error) {
	if given.bound {
		return e.tokens.VerifyBound(given.token, e.issuer, now)
	}
	return e.tokens.Verify(given.token, e.issuer, now)
}

// presentedToken takes the token from the header or, with POST, the form: from one of them
// only, and never from the query (RFC 6750 §2, OAuth 2.1 §5.1). A proof goes with the
// scheme DPoP: one that nobody checks is none, which the client is to learn at once.
func presentedToken(w http.ResponseWriter, r *http.Request) (givenToken, error) {
	lines := r.Header.Values("Authorization")
	if len(lines) > 1 {
		return givenToken{}, refuse(InvalidRequest, "more than one Authorization header")
	}
	body, err := bodyToken(w, r)
	if err != nil {
		return givenToken{}, err
	}
	given := givenToken{token: body}
	if len(lines) == 1 {
		scheme, value, _ := strings.Cut(lines[0], " ")
		given = givenToken{strings.TrimLeft(value, " "), strings.EqualFold(scheme, schemeDPoP)}
		switch {
		case !given.bound && !strings.EqualFold(scheme, schemeBearer):
			return givenToken{}, errNoToken
		case body != "":
			return givenToken{}, refuse(InvalidRequest, "more than one way to send the access token")
		}
	} else if body == "" {
		return givenToken{}, errNoToken
	}
	if !given.bound && len(r.Header.Values("DPoP")) > 0 {
		return givenToken{}, refuse(InvalidRequest, "a DPoP proof goes with a token of the scheme DPoP")
	}
	return given, nil
}

func bodyToken(w http.ResponseWriter, r *http.Request) (string, error) {
	if r.Method != http.MethodPost || r.Header.Get("Content-Type") == "" {
		return "", nil
	}
	form, err := edge.Form(w, r, maxUserinfoForm)
	if err != nil {
		return "", formError(err)
	}
	return form.Get("access_token"), nil
}

// refuse answers with a challenge for each scheme (RFC 6750 §3, RFC 9449 §7.1): what is
// wrong goes with the one that was used.
func (e *userinfoEndpoint) refuse(w http.ResponseWriter, r *http.Request, err error) {
	problem := asError(err)
	status := problem.status()
	switch problem.Code {
	case InvalidToken, InvalidDPoPProof, UseDPoPNonce:
		status = http.StatusUnauthorized
	case InsufficientScope:
		status = http.StatusForbidden
	}
	if status < http.StatusInternalServerError {
		w.Header()["Www-Authenticate"] = e.challenges(usedScheme(r), problem)
	}
	if problem == errNoToken {
		w.WriteHeader(status)
		return
	}
	jsonErrors{e.issuer}.writeStatus(w, status, problem)
}

// usedScheme is Bearer if there was no token.
func usedScheme(r *http.Request) string {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	if strings.EqualFold(scheme, schemeDPoP) {
		return schemeDPoP
	}
	return schemeBearer
}

func (e *userinfoEndpoint) challenges(used string, problem *Error) []string {
	other := schemeDPoP
	if used == schemeDPoP {
		other = schemeBearer
	}
	if problem.Code == InsufficientScope { // with which another scheme does not help
		return []string{e.challenge(used, problem)}
	}
	return []string{e.challenge(used, problem), e.challenge(other, errNoToken)}
}

func (e *userinfoEndpoint) challenge(scheme string, problem *Error) string {
	c := scheme + ` realm="` + e.issuer + `"`
	if problem != errNoToken {
		c += `, error="` + string(problem.Code) + `", error_description="` + problem.Description + `"`
	}
	if problem.Code == InsufficientScope {
		c += `, scope="openid"`
	}
	if scheme == schemeDPoP {
		c += `, algs="` + strings.Join(proofAlgorithmNames(), " ") + `"`
	}
	return c
}
