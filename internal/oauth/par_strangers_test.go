package oauth_test

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/oauth"
	"github.com/signet-id/signet/verify/verifytest"
)

// remembering counts what is remembered as used, by whose it is.
type remembering struct {
	oauth.Store
	mu   sync.Mutex
	used map[string]int
}

func (r *remembering) UseOnce(ctx context.Context, purpose string, id [32]byte, expiresAt, now time.Time) error {
	r.mu.Lock()
	r.used[purpose]++
	r.mu.Unlock()
	return r.Store.UseOnce(ctx, purpose, id, expiresAt, now)
}

// DOS-03: whoever knows the name of a public client can push with proofs of any key. It
// fills no more places than it may have requests, and none of those in which the proofs
// for the client's tokens are remembered.
func TestPAR_DOS03_ProofsInTheNameOfAPublicClient(t *testing.T) {
	t.Parallel()
	seen := &remembering{used: map[string]int{}}
	w := newWorld(t, func(c *oauth.Config) {
		seen.Store, c.Store = c.Store, seen
		c.Quotas.PerNetwork = 3
	})
	key := verifytest.NewDPoPKey(t)
	for range 9 {
		w.send("POST", "/par", ask("spa", "client_id", "spa"), "DPoP", w.prove(key, "POST", "/par", ""))
	}
	pushing := 0
	for _, n := range seen.used {
		pushing += n
	}
	if pushing != 3 {
		t.Errorf("places: %v", seen.used)
	}
	before := fmt.Sprint(seen.used)
	w.boundFor("spa", key)
	for purpose := range seen.used {
		if strings.Contains(before, purpose+":") {
			delete(seen.used, purpose)
		}
	}
	if len(seen.used) != 1 {
		t.Errorf("no place of its own at the token endpoint: before %s, then %v", before, seen.used)
	}
	// A proof works once all the same.
	w.pass(2 * time.Minute)
	proof := w.prove(key, "POST", "/par", "")
	if a := w.send("POST", "/par", ask("spa", "client_id", "spa"), "DPoP", proof); a.Code != http.StatusCreated {
		t.Fatalf("%d %s", a.Code, a.Body)
	}
	w.send("POST", "/par", ask("spa", "client_id", "spa"), "DPoP", proof).expect(http.StatusBadRequest, "invalid_dpop_proof")
}

// DOS-03: a secret that everybody gets who asks for one is no reason to let somebody fill
// the table.
func TestPAR_DOS03_SelfRegisteredClients(t *testing.T) {
	t.Parallel()
	w := openWorld(t, func(c *oauth.Config) { c.Quotas = oauth.Quotas{PerNetwork: 4, Total: 20} })
	pushed := 0
	for range 3 {
		made := w.sendJSON("POST", "/register", plainBody).created()
		for range 4 {
			a := w.send("POST", "/par", ask("web", "client_id", "", "redirect_uri", "https://mcp.example/cb", "scope", "openid"),
				"Authorization", basicAuth(fmt.Sprint(made["client_id"]), fmt.Sprint(made["client_secret"])))
			switch a.Code {
			case http.StatusCreated:
				pushed++
			case http.StatusTooManyRequests:
			default:
				t.Fatalf("%d %s", a.Code, a.Body)
			}
		}
	}
	if pushed != 4 {
		t.Errorf("%d requests of one network, by clients that it made itself", pushed)
	}
	w.push("web", ask("web"))
}
