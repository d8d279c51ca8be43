package verify_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/verify"
)

// Three lines protect a handler.
func Example() {
	ctx := context.Background()
	mux := http.NewServeMux()
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, _ := verify.FromContext(r.Context())
		fmt.Fprintln(w, "orders of", claims.Subject)
	})

	v, err := verify.New("https://id.example.com", "https://orders.example.com")
	if err != nil {
		log.Fatal(err)
	}
	go v.Run(ctx)
	mux.Handle("/orders", v.Require("orders:read")(orders))

	log.Fatal(http.ListenAndServe("127.0.0.1:8081", mux))
}

// Services that do not speak HTTP ask for themselves.
func ExampleVerifier_Verify() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com")
	if err != nil {
		log.Fatal(err)
	}
	go v.Run(context.Background())
	<-v.Ready()

	claims, err := v.Verify(context.Background(), "eyJhbGciOiJFZERTQSIs…")
	var revoked *verify.RevokedError
	switch {
	case errors.As(err, &revoked):
		fmt.Println("taken back at", revoked.At)
	case errors.Is(err, verify.ErrStale), errors.Is(err, verify.ErrNotReady):
		fmt.Println("ask again later")
	case err != nil:
		fmt.Println("no:", err)
	case claims.HasScope("orders:read"):
		fmt.Println("hello", claims.Subject)
	}
}

// A relying party checks who has logged in.
func ExampleVerifier_VerifyIDToken() {
	v, err := verify.New("https://id.example.com", "https://shop.example.com")
	if err != nil {
		log.Fatal(err)
	}
	go v.Run(context.Background())
	<-v.Ready()

	nonce := "the one that this browser's login began with"
	claims, err := v.VerifyIDToken(context.Background(), "eyJhbGciOiJSUzI1NiIs…", "shop", nonce)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("hello", claims.Subject)
}

// Clients that know only the service find the issuer through its metadata (RFC 9728).
func ExampleVerifier_ResourceMetadata() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com",
		verify.ResourceMetadataURL("https://orders.example.com/.well-known/oauth-protected-resource"))
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle(v.MetadataPath(), v.ResourceMetadata("orders:read", "orders:write"))
	fmt.Println(v.MetadataPath())
	// Output: /.well-known/oauth-protected-resource
}

func ExampleNew_options() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com",
		verify.MaxStaleness(time.Minute), // refuse a minute after the line to the issuer was cut
		verify.Leeway(10*time.Second),    // our clocks are good
		verify.Logger(slog.Default()),
		verify.HTTPClient(&http.Client{}),
		verify.Clock(time.Now),
	)
	fmt.Println(v != nil, err)
	_, err = verify.New("http://id.example.com", "https://orders.example.com")
	fmt.Println(err)
	// Output:
	// true <nil>
	// verify: the issuer must be https, or http on this machine
}

// For a gauge of how far behind a service is, and for its health page.
func ExampleVerifier_Status() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com")
	if err != nil {
		log.Fatal(err)
	}
	s := v.Status()
	fmt.Println(s.Ready, s.Stale, s.Rules, s.Staleness)
	// Output: false false 0 0s
}

func ExampleParseClaims() {
	c, err := verify.ParseClaims([]byte(`{"iss":"https://id.example.com","aud":"https://orders.example.com","sub":"u1",
		"client_id":"shop","jti":"j1","iat":1700000000,"exp":1700000300,"scope":"orders:read"}`))
	fmt.Println(c.Subject, c.Scopes, c.ExpiresAt.Sub(c.IssuedAt), err)
	_, err = verify.ParseClaims([]byte(`{"iss":"https://id.example.com","Exp":1700000300}`))
	fmt.Println(err)
	// Output:
	// u1 [orders:read] 5m0s <nil>
	// malformed token: sub: missing
}

// The snippet of the README is the Example above, and every error is explained there.
func TestREADME(t *testing.T) {
	t.Parallel()
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	readme, example, sentinels := read("README.md"), read("example_test.go"), read("errors.go")
	_, snippet, _ := strings.Cut(readme, "```go\n")
	snippet, _, _ = strings.Cut(snippet, "```")
	for _, line := range strings.Split(strings.TrimSpace(snippet), "\n") {
		if !strings.Contains(example, strings.TrimSpace(line)) {
			t.Errorf("README: not in the Example: %s", line)
		}
	}
	for _, word := range regexp.MustCompile(`\bErr[A-Z]\w+`).FindAllString(sentinels, -1) {
		if !strings.Contains(readme, "`"+word+"`") {
			t.Errorf("README: %s is not explained", word)
		}
	}
}
