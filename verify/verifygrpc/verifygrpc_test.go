package verifygrpc_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"math/big"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"

	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/verifygrpc"
	"github.com/signet-id/signet/verify/verifytest"
)

const (
	audience = "https://orders.example.com"
	check    = "/grpc.health.v1.Health/Check"
	watch    = "/grpc.health.v1.Health/Watch"
)

// health answers with claims, so that a test sees what a handler sees. gRPC's own health
// service has a unary and a streaming method; nothing needs to be generated.
type health struct {
	grpc_health_v1.UnimplementedHealthServer
	subjects chan string
}

func (h *health) saw(ctx context.Context) {
	c, ok := verify.FromContext(ctx)
	if !ok {
		h.subjects <- "nobody"
		return
	}
	h.subjects <- c.Subject
}

func (h *health) Check(ctx context.Context, _ *grpc_health_v1.HealthCheckRequest) (*grpc_health_v1.HealthCheckResponse, error) {
	h.saw(ctx)
	return &grpc_health_v1.HealthCheckResponse{}, nil
}

func (h *health) Watch(_ *grpc_health_v1.HealthCheckRequest, s grpc.ServerStreamingServer[grpc_health_v1.HealthCheckResponse]) error {
	h.saw(s.Context())
	return s.Send(&grpc_health_v1.HealthCheckResponse{})
}

// service is a server on a loopback address.
type service struct {
	t       *testing.T
	address string
	health  *health
}

func serve(t *testing.T, v *verify.Verifier, options ...grpc.ServerOption) *service {
	t.Helper()
	s := &service{t, "", &health{subjects: make(chan string, 1)}}
	options = append(options, verifygrpc.Unary(v, "orders:read"), verifygrpc.Stream(v, "orders:read"))
	server := grpc.NewServer(options...)
	grpc_health_v1.RegisterHealthServer(server, s.health)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s.address = listener.Addr().String()
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = server.Serve(listener)
	}()
	t.Cleanup(func() {
		server.Stop()
		<-done
	})
	return s
}

// ask calls one method and returns the code, the words and the metadata of the answer.
func (s *service) ask(method string, creds credentials.TransportCredentials, pairs ...string) (codes.Code, string, metadata.MD) {
	s.t.Helper()
	conn, err := grpc.NewClient("passthrough:///"+s.address, grpc.WithTransportCredentials(creds))
	if err != nil {
		s.t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, pairs...)
	client, header := grpc_health_v1.NewHealthClient(conn), metadata.MD{}
	if method == check {
		_, err = client.Check(ctx, &grpc_health_v1.HealthCheckRequest{}, grpc.Header(&header))
	} else {
		header, err = s.watch(ctx, client)
	}
	select {
	case got := <-s.health.subjects:
		if err != nil || got != "user-1" {
			s.t.Errorf("the handler saw %s; the client %v", got, err)
		}
	default:
		if err == nil {
			s.t.Error("accepted, but the handler was not called")
		}
	}
	return status.Code(err), status.Convert(err).Message(), header
}

func (s *service) watch(ctx context.Context, client grpc_health_v1.HealthClient) (metadata.MD, error) {
	stream, err := client.Watch(ctx, &grpc_health_v1.HealthCheckRequest{})
	if err != nil {
		return nil, err
	}
	for err == nil {
		_, err = stream.Recv()
	}
	header, _ := stream.Header() // an answer without one is an error that we have
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return header, err
}

var plain = insecure.NewCredentials()

// RFC 6750 §3.1, RFC 9449 §7: over a real connection, both kinds of call.
func TestInterceptors_Tokens(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	s := serve(t, iss.Verifier(t, audience))
	key, thief := verifytest.NewDPoPKey(t), verifytest.NewDPoPKey(t)
	scope := verifytest.Claims{"scope": "orders:read"}
	bearer, bound := iss.Token(audience, scope), iss.Token(audience, scope, key.Binding())
	for _, method := range []string{check, watch} {
		proof := func(key *verifytest.DPoPKey, verb, method string) string {
			return key.Proof(verb, audience+method, bound, "")
		}
		used := proof(key, "POST", method)
		for _, tc := range []struct {
			name  string
			pairs []string
			code  codes.Code
			words string
		}{
			{"nothing", nil, codes.Unauthenticated, "invalid_token"},
			{"bearer", []string{"authorization", "Bearer " + bearer}, codes.OK, ""},
			{"twice", []string{"authorization", "Bearer " + bearer, "authorization", "Bearer " + bearer}, codes.Unauthenticated, "invalid_token"},
			{"other scheme", []string{"authorization", "Basic " + bearer}, codes.Unauthenticated, "invalid_token"},
			{"other audience", []string{"authorization", "Bearer " + iss.Token("https://x.example.com", scope)}, codes.Unauthenticated, "invalid_token"},
			{"no scope", []string{"authorization", "Bearer " + iss.Token(audience)}, codes.PermissionDenied, "insufficient_scope"},
			{"DPoP", []string{"authorization", "DPoP " + bound, "dpop", used}, codes.OK, ""},
			{"DPoP again", []string{"authorization", "DPoP " + bound, "dpop", used}, codes.Unauthenticated, "invalid_dpop_proof"},
			{"DPoP for GET", []string{"authorization", "DPoP " + bound, "dpop", proof(key, "GET", method)}, codes.Unauthenticated, "invalid_dpop_proof"},
			{"DPoP for another method", []string{"authorization", "DPoP " + bound, "dpop", proof(key, "POST", method+"2")}, codes.Unauthenticated, "invalid_dpop_proof"},
			{"DPoP of another key", []string{"authorization", "DPoP " + bound, "dpop", proof(thief, "POST", method)}, codes.Unauthenticated, "invalid_token"},
			{"two proofs", []string{"authorization", "DPoP " + bound, "dpop", proof(key, "POST", method), "dpop", proof(key, "POST", method)}, codes.Unauthenticated, "invalid_dpop_proof"},
			{"no proof", []string{"authorization", "DPoP " + bound}, codes.Unauthenticated, "invalid_dpop_proof"},
			{"bound, as bearer", []string{"authorization", "Bearer " + bound}, codes.Unauthenticated, "invalid_token"},
		} {
			if code, words, _ := s.ask(method, plain, tc.pairs...); code != tc.code || words != tc.words {
				t.Errorf("%s: %s: %s %s", method, tc.name, code, words)
			}
		}
	}
	iss.Revoke(verify.Rule{Kind: verify.RuleSession, ID: "session-1"})
	if code, _, _ := s.ask(check, plain, "authorization", "Bearer "+bearer); code != codes.Unauthenticated {
		t.Errorf("revoked: %s", code)
	}
}

// TOK-12: a verifier that knows nothing yet says so without blaming the token.
func TestInterceptors_Unavailable(t *testing.T) {
	t.Parallel()
	v, err := verify.New("https://id.example.com", audience)
	if err != nil {
		t.Fatal(err)
	}
	token := verifytest.NewIssuer(t).Token(audience)
	if code, words, _ := serve(t, v).ask(check, plain, "authorization", "Bearer "+token); code != codes.Unavailable || words != "temporarily_unavailable" {
		t.Errorf("%s %s", code, words)
	}
}

// Who forgot Run finds it in the log, once.
func TestInterceptors_RunWasNotCalled(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer // written before the first answer, and not again
	v, err := verify.New("https://id.example.com", audience, verify.Logger(slog.New(slog.NewTextHandler(&log, nil))))
	if err != nil {
		t.Fatal(err)
	}
	token, s := verifytest.NewIssuer(t).Token(audience), serve(t, v)
	for _, method := range []string{check, watch, check} {
		if code, _, _ := s.ask(method, plain, "authorization", "Bearer "+token); code != codes.Unavailable {
			t.Errorf("%s: %s", method, code)
		}
	}
	if got := log.String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "Run was not called") {
		t.Errorf("%q", got)
	}
}

// RFC 9449 §9: the nonce is in the header of the answer.
func TestInterceptors_Nonce(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	s := serve(t, iss.Verifier(t, audience, verify.ProofNonces(nil)))
	key := verifytest.NewDPoPKey(t)
	token := iss.Token(audience, verifytest.Claims{"scope": "orders:read"}, key.Binding())
	for _, method := range []string{check, watch} {
		code, words, header := s.ask(method, plain, "authorization", "DPoP "+token, "dpop", key.Proof("POST", audience+method, token, ""))
		nonce := header.Get("dpop-nonce")
		if code != codes.Unauthenticated || words != "use_dpop_nonce" || len(nonce) != 1 {
			t.Fatalf("%s: %s %s %v", method, code, words, header)
		}
		if code, words, _ := s.ask(method, plain, "authorization", "DPoP "+token, "dpop", key.Proof("POST", audience+method, token, nonce[0])); code != codes.OK {
			t.Errorf("%s: with the nonce: %s %s", method, code, words)
		}
	}
}

// RFC 8705 §3: the certificate of the connection.
func TestInterceptors_Certificate(t *testing.T) {
	t.Parallel()
	iss := verifytest.NewIssuer(t)
	own, mine, theirs := selfSigned(t), selfSigned(t), selfSigned(t)
	s := serve(t, iss.Verifier(t, audience), grpc.Creds(credentials.NewTLS(&tls.Config{
		Certificates: []tls.Certificate{own}, ClientAuth: tls.RequestClientCert, MinVersion: tls.VersionTLS13,
	})))
	roots := x509.NewCertPool()
	roots.AddCert(own.Leaf)
	token := iss.Token(audience, verifytest.Claims{"scope": "orders:read"}, verifytest.CertificateBinding(mine.Leaf))
	for name, tc := range map[string]struct {
		certificates []tls.Certificate
		code         codes.Code
	}{
		"its own": {[]tls.Certificate{mine}, codes.OK},
		"another": {[]tls.Certificate{theirs}, codes.Unauthenticated},
		"none":    {nil, codes.Unauthenticated},
	} {
		creds := credentials.NewTLS(&tls.Config{RootCAs: roots, ServerName: "localhost", Certificates: tc.certificates, MinVersion: tls.VersionTLS13})
		if code, words, _ := s.ask(check, creds, "authorization", "Bearer "+token); code != tc.code {
			t.Errorf("%s: %s %s", name, code, words)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	if verifygrpc.Status(nil) != nil {
		t.Error("no error became one")
	}
	for err, want := range map[error]codes.Code{
		verify.ErrStale: codes.Unavailable, verify.ErrReplayStore: codes.Unavailable, verify.ErrScope: codes.PermissionDenied,
		&verify.StepUpError{}: codes.Unauthenticated, verify.ErrExpired: codes.Unauthenticated, io.EOF: codes.Unauthenticated,
	} {
		if got := status.Code(verifygrpc.Status(err)); got != want {
			t.Errorf("%v: %s", err, got)
		}
	}
}

// Three lines protect a server.
func Example() {
	ctx := context.Background()
	v, err := verify.New("https://id.example.com", "https://orders.example.com")
	if err != nil {
		panic(err)
	}
	go func() { _ = v.Run(ctx) }()
	s := grpc.NewServer(verifygrpc.Unary(v, "orders:read"), verifygrpc.Stream(v, "orders:read"))
	s.GracefulStop()
}

// selfSigned makes a certificate that nobody vouches for.
func selfSigned(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		DNSNames: []string{"localhost"}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key, Leaf: leaf}
}
