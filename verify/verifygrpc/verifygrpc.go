// Package verifygrpc protects gRPC servers with package verify.
//
//	v, err := verify.New("https://id.example.com", "https://orders.example.com")
//	go v.Run(ctx)
//	s := grpc.NewServer(verifygrpc.Unary(v, "orders:read"), verifygrpc.Stream(v, "orders:read"))
//
// A call carries its token in the metadata "authorization", as a request of HTTP does in
// its header (RFC 6750 §2.1). Tokens that are bound to a key work as well: a DPoP proof is
// in the metadata "dpop", for the method POST and the URL of the call, which is the
// address of the service, a slash, and the full name of the method (RFC 9449 §4.3); a
// certificate is the one of the connection (RFC 8705 §3).
//
// It is a module of its own, so that nobody else needs gRPC.
package verifygrpc

import (
	"context"
	"crypto/x509"
	"errors"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/peer"
	"google.golang.org/grpc/status"

	"github.com/signet-id/signet/verify"
)

// Unary wants a token with all the scopes for each unary call. The handler finds the
// claims with verify.FromContext. See Status for the answers to others.
func Unary(v *verify.Verifier, scopes ...string) grpc.ServerOption {
	return grpc.ChainUnaryInterceptor(UnaryInterceptor(v, scopes...))
}

// Stream does for streams what Unary does: the token is checked once, when a stream
// begins.
func Stream(v *verify.Verifier, scopes ...string) grpc.ServerOption {
	return grpc.ChainStreamInterceptor(StreamInterceptor(v, scopes...))
}

// UnaryInterceptor is Unary for those who chain interceptors themselves.
func UnaryInterceptor(v *verify.Verifier, scopes ...string) grpc.UnaryServerInterceptor {
	return func(ctx context.Context, req any, info *grpc.UnaryServerInfo, next grpc.UnaryHandler) (any, error) {
		c, err := authorize(ctx, v, info.FullMethod, scopes)
		if err != nil {
			return nil, refuse(ctx, err)
		}
		return next(verify.NewContext(ctx, c), req)
	}
}

// StreamInterceptor is Stream for those who chain interceptors themselves.
func StreamInterceptor(v *verify.Verifier, scopes ...string) grpc.StreamServerInterceptor {
	return func(srv any, s grpc.ServerStream, info *grpc.StreamServerInfo, next grpc.StreamHandler) error {
		c, err := authorize(s.Context(), v, info.FullMethod, scopes)
		if err != nil {
			return refuse(s.Context(), err)
		}
		return next(srv, &stream{s, verify.NewContext(s.Context(), c)})
	}
}

// stream is a stream with claims in its context.
type stream struct {
	grpc.ServerStream
	ctx context.Context
}

// Context implements grpc.ServerStream.
func (s *stream) Context() context.Context { return s.ctx }

func authorize(ctx context.Context, v *verify.Verifier, method string, scopes []string) (*verify.Claims, error) {
	c, err := v.VerifyCredentials(ctx, verify.Credentials{
		Authorization: metadata.ValueFromIncomingContext(ctx, "authorization"),
		DPoP:          metadata.ValueFromIncomingContext(ctx, "dpop"),
		Method:        http.MethodPost, URL: method, // gRPC over HTTP/2: "POST", and a path of a slash and the name
		Certificate: certificate(ctx),
	})
	if err != nil {
		return nil, err
	}
	for _, s := range scopes {
		if !c.HasScope(s) {
			return nil, verify.ErrScope
		}
	}
	return c, nil
}

// certificate returns the one that the client has proven in the handshake.
func certificate(ctx context.Context) *x509.Certificate {
	p, ok := peer.FromContext(ctx)
	if !ok {
		return nil
	}
	info, ok := p.AuthInfo.(credentials.TLSInfo)
	if !ok || len(info.State.PeerCertificates) == 0 {
		return nil
	}
	return info.State.PeerCertificates[0]
}

// refuse gives the client the nonce that its next proof needs (RFC 9449 §9).
func refuse(ctx context.Context, err error) error {
	if needed, ok := errors.AsType[*verify.NonceError](err); ok {
		_ = grpc.SetHeader(ctx, metadata.Pairs("dpop-nonce", needed.Nonce)) // without it the client asks in vain, and learns why
	}
	return Status(err)
}

// Status translates an error of package verify: ErrScope is PermissionDenied; ErrNotReady,
// ErrStale and ErrReplayStore, which say that the verifier cannot decide now, are
// Unavailable; all others are Unauthenticated. The words are fixed, and are the error
// codes of OAuth (RFC 6750 §3.1, RFC 9449 §7.1, RFC 9470 §3).
func Status(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, verify.ErrNotReady), errors.Is(err, verify.ErrStale), errors.Is(err, verify.ErrReplayStore):
		return status.Error(codes.Unavailable, "temporarily_unavailable")
	case errors.Is(err, verify.ErrScope):
		return status.Error(codes.PermissionDenied, "insufficient_scope")
	case errors.Is(err, verify.ErrProofNonce):
		return status.Error(codes.Unauthenticated, "use_dpop_nonce")
	case errors.Is(err, verify.ErrProof):
		return status.Error(codes.Unauthenticated, "invalid_dpop_proof")
	case errors.Is(err, verify.ErrStepUp):
		return status.Error(codes.Unauthenticated, "insufficient_user_authentication")
	}
	return status.Error(codes.Unauthenticated, "invalid_token")
}
