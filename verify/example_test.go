package verify_test

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"time"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/jose"
)

// Three lines protect a handler.
func Example() {
	ctx := context.Background()
	mux := http.NewServeMux()
	orders := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		claims, ok := verify.FromContext(r.Context())
		if !ok {
			http.Error(w, "Require was forgotten", http.StatusInternalServerError)
			return
		}
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
	v, err := verify.New("https://id.example.com", "https://api.example.com/orders",
		verify.ResourceMetadataURL("https://api.example.com/.well-known/oauth-protected-resource/orders"))
	if err != nil {
		log.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET "+v.MetadataPath(), v.ResourceMetadata("orders:read", "orders:write"))
	fmt.Println(v.MetadataPath())
	// Output: /.well-known/oauth-protected-resource/orders
}

// Somebody carries a bundle to where there is no network.
func ExampleNewOffline() {
	v, err := verify.NewOffline("https://id.example.com", "https://orders.example.com", verify.Bundle{
		File:    "/etc/orders/signet.bundle",
		Signers: []string{"O2D2JCPR7CwXNqmbunZG3_fposwRSzeHQIxc1TPoR6k"}, // what signet key bundle said
		MaxAge:  24 * time.Hour,
	})
	if err != nil {
		log.Fatal(err)
	}
	go v.Run(context.Background())
	<-v.Ready()
}

// A start while the issuer is down.
func ExampleCache() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com", verify.Cache("/var/lib/orders/signet.cache"))
	if err != nil {
		log.Fatal(err)
	}
	go v.Run(context.Background())
	<-v.Ready()
}

// Keys from a file, no revocations.
func ExampleInsecureStaticKeys() {
	doc, err := os.ReadFile("/etc/orders/jwks.json")
	if err != nil {
		log.Fatal(err)
	}
	keys, err := jose.ParseKeySet(doc)
	if err != nil {
		log.Fatal(err)
	}
	v, err := verify.New("https://id.example.com", "https://orders.example.com", verify.InsecureStaticKeys(keys))
	fmt.Println(v.Status().Ready, err)
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

// Services that do not speak HTTP hand over the proof that came with a token.
func ExampleVerifier_VerifyProof() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com")
	if err != nil {
		log.Fatal(err)
	}
	go v.Run(context.Background())
	<-v.Ready()

	claims, err := v.VerifyProof(context.Background(), "eyJhbGciOiJFZERTQSIs…", verify.Proof{
		DPoP:   "eyJ0eXAiOiJkcG9wK2p3dCIs…",
		Method: "POST", URL: "https://orders.example.com/orders",
	})
	var needed *verify.NonceError
	switch {
	case errors.As(err, &needed):
		fmt.Println("once more, with the nonce", needed.Nonce)
	case errors.Is(err, verify.ErrProof), errors.Is(err, verify.ErrBound):
		fmt.Println("not the client that got the token:", err)
	case err != nil:
		fmt.Println("no:", err)
	default:
		fmt.Println("hello", claims.Subject)
	}
}

// An adapter to another protocol finds the same things in other places.
func ExampleVerifier_VerifyCredentials() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com")
	if err != nil {
		log.Fatal(err)
	}
	_, err = v.VerifyCredentials(context.Background(), verify.Credentials{
		Authorization: []string{"DPoP eyJhbGciOiJFZERTQSIs…"},
		Method:        "POST", URL: "/orders",
	})
	fmt.Println(errors.Is(err, verify.ErrProof), err)
	// Output: true wrong DPoP proof: DPoP: not exactly one header
}

// An authorization server binds what it issues to the key of the proof (RFC 9449 §5).
func ExampleProofChecker() {
	used := verify.NewReplayMemory(1 << 20)
	proofs, err := verify.NewProofChecker("https://id.example.com", verify.ProofAlgorithms(jose.ES256, jose.Ed25519))
	if err != nil {
		log.Fatal(err)
	}
	r := httptest.NewRequest("POST", "https://id.example.com/token", nil)
	good, err := proofs.Check(time.Now(), verify.ProofRequest{DPoP: r.Header.Values("DPoP"), Method: r.Method, URL: "/token"})
	if err != nil {
		fmt.Println("invalid_dpop_proof:", err)
		return
	}
	// Find out what the client may have, and then, before anything is done for it:
	if err := good.Use(r.Context(), time.Now(), used); err != nil {
		fmt.Println("no:", err)
		return
	}
	fmt.Println("cnf.jkt is", good.Thumbprint)
	// Output: invalid_dpop_proof: wrong DPoP proof: DPoP: not exactly one header
}

func ExampleNew_proofs() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com",
		verify.RequireProof(),                              // bearer tokens are refused
		verify.ExternalURL("https://api.example.com/shop"), // what clients call us, if it is not the audience
		verify.ProofNonces(nil),                            // proofs need a nonce of ours
		verify.ProofReplay(verify.NewReplayMemory(1<<20)),  // a million proofs at a time
		verify.ProofWindow(30*time.Second),                 // clients have good clocks
		verify.ProofAlgorithms(jose.ES256, jose.Ed25519),
		verify.MutualTLS(),
		verify.ResourceDescription("Orders", "https://docs.example.com/orders"),
	)
	fmt.Println(v != nil, err)
	// Output: true <nil>
}

// Behind a proxy that ends TLS: only the proxy can reach this socket, and it overwrites
// the header.
func ExampleClientCertificate() {
	fromProxy := func(r *http.Request) *x509.Certificate {
		if host, _, err := net.SplitHostPort(r.RemoteAddr); err != nil || host != "10.0.0.2" {
			return nil
		}
		block, _ := pem.Decode([]byte(r.Header.Get("X-Client-Cert")))
		if block == nil {
			return nil
		}
		c, err := x509.ParseCertificate(block.Bytes)
		if err != nil {
			return nil
		}
		return c
	}
	v, err := verify.New("https://id.example.com", "https://orders.example.com", verify.ClientCertificate(fromProxy))
	fmt.Println(v != nil, err)
	// Output: true <nil>
}

// A payment wants two factors, no longer than five minutes ago.
func ExampleVerifier_StepUp() {
	mux, pay := http.NewServeMux(), http.NotFoundHandler()
	v, err := verify.New("https://id.example.com", "https://orders.example.com")
	if err != nil {
		log.Fatal(err)
	}
	mux.Handle("/pay", v.Require("pay")(v.StepUp(verify.ACR("aal2"), verify.MaxAge(5*time.Minute))(pay)))
}

func ExampleVerifier_CheckStepUp() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com")
	if err != nil {
		log.Fatal(err)
	}
	err = v.CheckStepUp(&verify.Claims{ACR: "aal1"}, verify.ACR("aal2"))
	var want *verify.StepUpError
	fmt.Println(errors.As(err, &want), want.ACR)
	// Output: true [aal2]
}

// A handler is tested without a token.
func ExampleNewContext() {
	ctx := verify.NewContext(context.Background(), &verify.Claims{Subject: "ann"})
	c, ok := verify.FromContext(ctx)
	fmt.Println(c.Subject, ok)
	// Output: ann true
}

// For a health page, and for a gauge of how far behind a service is.
func ExampleVerifier_Status() {
	mux := http.NewServeMux()
	v, err := verify.New("https://id.example.com", "https://orders.example.com")
	if err != nil {
		log.Fatal(err)
	}
	mux.HandleFunc("GET /healthz", func(w http.ResponseWriter, _ *http.Request) {
		if !v.Status().Accepting {
			http.Error(w, "tokens are not accepted", http.StatusServiceUnavailable)
		}
	})
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, httptest.NewRequest("GET", "/healthz", nil))
	s := v.Status()
	fmt.Println(w.Code, s.Accepting, s.Rules, s.Staleness)
	// Output: 503 false 0 0s
}

// Troubles go to slog.Default, or where this says.
func ExampleLogger() {
	v, err := verify.New("https://id.example.com", "https://orders.example.com", verify.Logger(slog.With("part", "tokens")))
	fmt.Println(v != nil, err)
	// Output: true <nil>
}

// A service whose name is no address says what its clients write.
func ExampleExternalURL() {
	v, err := verify.New("https://id.example.com", "urn:example:orders", verify.ExternalURL("https://api.example.com/shop"))
	fmt.Println(v != nil, err)
	// Output: true <nil>
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
