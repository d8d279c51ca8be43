//go:build unix

package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// cases lists the rows of the table.
func (t *target) cases() ([]benchCase, error) {
	access, err := t.issuerToken()
	if err != nil {
		return nil, err
	}
	bareToken, err := t.do(must(http.NewRequest("GET", t.Bare+"/token", nil)))
	if err != nil {
		return nil, err
	}
	return []benchCase{
		{
			name: "discovery", bareDoes: "HTTP, a document",
			prepare: t.gets(t.Signet+"/.well-known/openid-configuration", ""), bare: t.gets(t.Bare+"/document", ""),
		},
		{
			name: "JWKS", bareDoes: "HTTP, a document",
			prepare: t.gets(t.Signet+"/jwks.json", ""), bare: t.gets(t.Bare+"/document", ""),
		},
		{
			name: "client_credentials (EdDSA)", bareDoes: "HTTP, form, Basic, one EdDSA signature",
			prepare: t.posts(t.Signet+"/token", "web", clientCredentials), bare: t.posts(t.Bare+"/one", "web", clientCredentials),
		},
		{
			name: "userinfo", bareDoes: "HTTP, one EdDSA check",
			prepare: t.gets(t.Signet+"/userinfo", access), bare: t.gets(t.Bare+"/verified", string(bareToken)),
		},
		t.exchange("web", "/two", "HTTP, form, Basic, two EdDSA signatures, one gathered commit"),
		t.exchange("web-rs256", "/two-rs256", "the same with an RS256 ID token"),
		t.refresh("fresh", "/two", "HTTP, form, Basic, two EdDSA signatures, one gathered commit"),
		t.refresh("fresh-rs256", "/two-rs256", "the same with an RS256 ID token"),
	}, nil
}

// issuerToken returns an access token for userinfo.
func (t *target) issuerToken() (string, error) {
	answer, err := t.redeem("fresh")
	if err != nil {
		return "", err
	}
	form := url.Values{"grant_type": {"refresh_token"}, "refresh_token": {answer.RefreshToken}, "resource": {t.Signet}}
	body, err := t.do(t.post(t.Signet+"/token", "fresh", form))
	if err != nil {
		return "", err
	}
	var next tokens
	err = json.Unmarshal(body, &next)
	return next.AccessToken, err
}

type tokens struct {
	AccessToken  string `json:"access_token"`
	RefreshToken string `json:"refresh_token"`
}

func (t *target) redeem(clientID string) (answer tokens, err error) {
	form, err := t.codeForm(clientID)
	if err != nil {
		return answer, err
	}
	body, err := t.do(t.post(t.Signet+"/token", clientID, form))
	if err != nil {
		return answer, err
	}
	return answer, json.Unmarshal(body, &answer)
}

func (t *target) codeForm(clientID string) (url.Values, error) {
	code, verifier, err := t.code(clientID)
	return url.Values{
		"grant_type": {"authorization_code"}, "code": {code}, "code_verifier": {verifier}, "redirect_uri": {redirect},
	}, err
}

func (t *target) gets(address, bearer string) func(int) ([]*http.Request, error) {
	return func(n int) ([]*http.Request, error) {
		requests := make([]*http.Request, n)
		for i := range requests {
			requests[i] = must(http.NewRequest("GET", address, nil))
			if bearer != "" {
				requests[i].Header.Set("Authorization", "Bearer "+bearer)
			}
		}
		return requests, nil
	}
}

func clientCredentials(int) url.Values {
	return url.Values{"grant_type": {"client_credentials"}, "scope": {scope}}
}

func (t *target) posts(address, clientID string, form func(i int) url.Values) func(int) ([]*http.Request, error) {
	return func(n int) ([]*http.Request, error) {
		requests := make([]*http.Request, n)
		for i := range requests {
			requests[i] = t.post(address, clientID, form(i))
		}
		return requests, nil
	}
}

func (t *target) post(address, clientID string, form url.Values) *http.Request {
	r := must(http.NewRequest("POST", address, strings.NewReader(form.Encode())))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.SetBasicAuth(clientID, clientSecret(clientID).Reveal())
	return r
}

// exchange redeems codes that were made before the slice begins.
func (t *target) exchange(clientID, bare, bareDoes string) benchCase {
	return benchCase{
		name: "code exchange (" + clientID + ")", bareDoes: bareDoes,
		prepare: func(n int) ([]*http.Request, error) {
			requests := make([]*http.Request, n)
			for i := range requests {
				form, err := t.codeForm(clientID)
				if err != nil {
					return nil, err
				}
				requests[i] = t.post(t.Signet+"/token", clientID, form)
			}
			return requests, nil
		},
		bare: t.posts(t.Bare+bare, clientID, func(i int) url.Values {
			return url.Values{"grant_type": {"authorization_code"}, "code": {fmt.Sprint("code ", i)}, "code_verifier": {strings.Repeat("v", 44)}}
		}),
	}
}

// refresh rotates one family for each request; the answers give the next round's tokens.
func (t *target) refresh(clientID, bare, bareDoes string) benchCase {
	var families []string
	return benchCase{
		name: "refresh (" + clientID + ")", bareDoes: bareDoes,
		prepare: func(n int) ([]*http.Request, error) {
			for len(families) < n {
				answer, err := t.redeem(clientID)
				if err != nil {
					return nil, err
				}
				families = append(families, answer.RefreshToken)
			}
			return t.posts(t.Signet+"/token", clientID, func(i int) url.Values {
				return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {families[i]}}
			})(n)
		},
		bare: t.posts(t.Bare+bare, clientID, func(i int) url.Values {
			return url.Values{"grant_type": {"refresh_token"}, "refresh_token": {fmt.Sprint("family ", i)}}
		}),
		answered: func(i int, body []byte) error {
			var answer tokens
			err := json.Unmarshal(body, &answer)
			families[i] = answer.RefreshToken
			return err
		},
	}
}
