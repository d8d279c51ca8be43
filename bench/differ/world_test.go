package differ_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/signet-id/signet/bench/issuer"
	"github.com/signet-id/signet/bench/reader"
	"github.com/signet-id/signet/verify/jose"
)

// candidates are the algorithms that all others have. The issuer has a key for each that
// ours has too; those of RS* and PS* have the same numbers.
var candidates = []string{"EdDSA", "ES256", "RS256", "PS256", "ES384", "ES512", "RS384", "RS512", "PS384", "PS512"}

// world is an issuer and all readers of its tokens.
type world struct {
	*issuer.Issuer
	algs   []string
	ours   *reader.Reader
	others []*named
}

type named struct {
	name string
	*reader.Reader
}

// oracles is how many of the others are asked whether ours may accept a token. The rest
// are in the table only: go-oidc is go-jose with fewer checks.
const oracles = 3

// open makes the world once. The keys are new each time, their names are not, so that a
// header can be kept as a seed.
var open = sync.OnceValues(func() (*world, error) {
	i, err := issuer.New(candidates...)
	if err != nil {
		return nil, err
	}
	i.Keys = slices.DeleteFunc(i.Keys, func(k issuer.Key) bool {
		_, err := jose.NewKey(jose.Algorithm(k.Alg), k.ID, k.Public)
		return err != nil
	})
	for n, k := range i.Keys {
		i.Keys[n].ID = "key-" + k.Alg
	}
	w := &world{Issuer: i, algs: i.Algorithms()}
	if w.ours, err = reader.Ours.Open(i, "EdDSA"); err != nil {
		return nil, err
	}
	for _, l := range reader.Others() {
		r, err := l.Open(i, "EdDSA")
		if err != nil {
			return nil, err
		}
		w.others = append(w.others, &named{l.Name, r})
	}
	return w, nil
})

// A token that all accept until the year 2100, whatever the clock says.
const goodPayload = `{"iss":"https://id.example.com","sub":"user-1","aud":"https://orders.example.com","client_id":"web",` +
	`"scope":"openid orders:read","jti":"t-1","sid":"s-1","grant_id":"g-1","iat":1700000000,"exp":4102444800,` +
	`"auth_time":1699999900,"acr":"aal2","amr":["pwd","otp"]}`

func goodHeader(alg string) string {
	return fmt.Sprintf(`{"alg":"%s","typ":"at+jwt","kid":"key-%s"}`, alg, alg)
}

// read asks a reader. A reader that panics has refused, and says so.
func read(r *reader.Reader, token string) (f reader.Facts, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return r.Read(token)
}

// panics reports whether a reader answered with a panic.
func panics(err error) bool { return err != nil && strings.HasPrefix(err.Error(), "panic: ") }
