package verify

import (
	"crypto/x509"
	"net/http"
	"slices"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// RequireProof refuses bearer tokens, which are as good in a thief's hands: only tokens
// that are bound to a DPoP key or a TLS client certificate are accepted, with the proof.
func RequireProof() Option { return func(v *Verifier) { v.proofs.required = true } }

// ExternalURL sets what the addresses of this service begin with, as clients write them:
// "https://orders.example.com", and a path if a proxy takes one away. DPoP proofs are for
// one URL (RFC 9449 §4.3), which is this and the path of the request. The default is the
// origin of the audience, if that is a URL. Without either no DPoP proof is accepted:
// Host and X-Forwarded-Host are whatever the sender likes, also the name of the service
// that the proof was stolen from.
func ExternalURL(url string) Option { return func(v *Verifier) { v.proofs.base = url } }

// ProofWindow sets how far the time at which a DPoP proof was made may be from now, to
// either side, for clocks differ (RFC 9449 §11.1). The default is 60 seconds.
func ProofWindow(d time.Duration) Option { return func(v *Verifier) { v.proofs.window = d } }

// ProofAlgorithms sets which algorithms DPoP proofs may have. The default is all of
// package jose.
func ProofAlgorithms(algs ...jose.Algorithm) Option {
	return func(v *Verifier) { v.proofs.algorithms = slices.Clone(algs) }
}

// ProofReplay sets where used DPoP proofs are remembered. The default is this process:
// a service on several nodes that share no store takes a proof once on each of them, and
// a process that is started anew takes one again that it had taken before (ProofNonces
// without a key mends that). Nodes that share a store must have the same ProofWindow, for
// a proof is remembered as long as the window of the node that has taken it.
func ProofReplay(s ReplayStore) Option { return func(v *Verifier) { v.proofs.replay = s } }

// ProofNonces asks for a nonce of ours in each DPoP proof (RFC 9449 §9): a proof cannot be
// made long before it is used, whatever the client's clock says. Nonces are not stored:
// they live for 2 to 4 minutes, and any client may use the same one. Nodes that agree on
// a key of at least 32 bytes accept each other's; without a key, one is made at random for
// this verifier.
func ProofNonces(key []byte) Option {
	return func(v *Verifier) { v.proofs.nonces, v.proofs.nonceKey = &nonces{}, slices.Clone(key) }
}

// ClientCertificate sets where a request's TLS client certificate comes from, if TLS ends
// before this process. The function must believe a header only from a proxy that it knows,
// by the connection, and that overwrites what clients send: whoever can set the header can
// use every stolen token, for certificates are no secrets. The default is the certificate
// of the request's own connection.
func ClientCertificate(from func(*http.Request) *x509.Certificate) Option {
	return func(v *Verifier) { v.proofs.certificate = from }
}

// MutualTLS says in the metadata that clients can use tokens that are bound to their TLS
// certificate, because the server asks for it (tls.RequestClientCert or more). They are
// accepted in any case.
func MutualTLS() Option { return func(v *Verifier) { v.proofs.mutualTLS = true } }
