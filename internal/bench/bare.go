//go:build unix

package main

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
)

// bare does what nobody can do without: HTTP, the signatures, and one commit.
type bare struct {
	db     *store.DB
	ed     ed25519.PrivateKey
	rsa    *rsa.PrivateKey
	header string
	claims []byte
	token  string // a signed one, for checking
}

func newBare(database string) (*bare, error) {
	db, err := store.Open(context.Background(), database, store.Options{RuleLifetime: time.Hour})
	if err != nil {
		return nil, err
	}
	_, ed, err := ed25519.GenerateKey(nil)
	if err != nil {
		return nil, err
	}
	key, err := rsa.GenerateKey(nil, 2048)
	if err != nil {
		return nil, err
	}
	b := &bare{db: db, ed: ed, rsa: key}
	b.header = base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"EdDSA","typ":"at+jwt","kid":"` + strings.Repeat("k", 43) + `"}`))
	b.claims = []byte(`{"iss":"http://localhost:8080","sub":"` + strings.Repeat("u", 22) + `","aud":"` + resource +
		`","exp":1800000300,"iat":1800000000,"jti":"` + strings.Repeat("j", 22) + `","client_id":"web","scope":"` + scope + `","sid":"` +
		strings.Repeat("s", 22) + `","grant_id":"` + strings.Repeat("g", 22) + `","auth_time":1800000000,"acr":"aal1","amr":["pwd"]}`)
	b.token = b.sign()
	return b, nil
}

func (b *bare) close() { _ = b.db.Close() }

func (b *bare) handler() http.Handler {
	mux := http.NewServeMux()
	document := []byte(strings.Repeat("x", 1600))
	mux.HandleFunc("GET /document", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(document)
	})
	mux.HandleFunc("GET /verified", func(w http.ResponseWriter, r *http.Request) {
		signed, sig, _ := cutLast(strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer "))
		signature, _ := base64.RawURLEncoding.DecodeString(sig)
		if !ed25519.Verify(b.ed.Public().(ed25519.PublicKey), []byte(signed), signature) {
			http.Error(w, "no", http.StatusUnauthorized)
			return
		}
		fmt.Fprint(w, `{"sub":"x"}`)
	})
	mux.HandleFunc("GET /token", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, b.token) })
	mux.HandleFunc("POST /one", b.tokens(func() []string { return []string{b.sign()} }, false))
	mux.HandleFunc("POST /two", b.tokens(func() []string { return []string{b.sign(), b.sign()} }, true))
	mux.HandleFunc("POST /two-rs256", b.tokens(func() []string { return []string{b.sign(), b.signRSA()} }, true))
	return mux
}

// tokens reads a form and Basic credentials, signs, commits if asked, and answers.
func (b *bare) tokens(sign func() []string, commit bool) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		_, given, _ := r.BasicAuth()
		sum := secret.Hash("client_secret", secret.NewText(given))
		if err := r.ParseForm(); err != nil || sum == [32]byte{} {
			http.Error(w, "no", http.StatusBadRequest)
			return
		}
		tokens := sign()
		if commit {
			if err := b.db.PutSetting(r.Context(), r.PostFormValue("refresh_token")+r.PostFormValue("code"), sum[:]); err != nil {
				http.Error(w, "no", http.StatusInternalServerError)
				return
			}
		}
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, `{"tokens":[%q]}`, tokens)
	}
}

func (b *bare) sign() string {
	signed := b.header + "." + base64.RawURLEncoding.EncodeToString(b.claims)
	return signed + "." + base64.RawURLEncoding.EncodeToString(ed25519.Sign(b.ed, []byte(signed)))
}

func (b *bare) signRSA() string {
	signed := b.header + "." + base64.RawURLEncoding.EncodeToString(b.claims)
	sum := sha256.Sum256([]byte(signed))
	sig, err := rsa.SignPKCS1v15(nil, b.rsa, crypto.SHA256, sum[:])
	if err != nil {
		panic(err)
	}
	return signed + "." + base64.RawURLEncoding.EncodeToString(sig)
}

func cutLast(s string) (before, after string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+1:], true
}
