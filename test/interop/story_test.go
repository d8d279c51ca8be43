package interop_test

import (
	"bufio"
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"testing"
)

const loggedOut = "http://127.0.0.1:9/bye"

// play runs a script, is the person that it asks for, and wants the chapters told, all of them.
func play(t *testing.T, p *provider, interpreter, file string, chapters []string, given map[string]any) {
	t.Helper()
	given["issuer"], given["callback"] = p.issuer, callback
	told := p.visitor(t, "ann").converse(startScript(t, interpreter, file, p.ca), given)
	if !slices.Equal(told.Exercised, chapters) {
		t.Errorf("%s exercised %q; want %q", file, told.Exercised, chapters)
	}
}

// converse speaks with a script as node/talk.mjs says, until its last word.
func (v *person) converse(s *script, given any) said {
	v.t.Helper()
	s.tell(given)
	for {
		line := s.hear()
		if line.Browse == "" {
			s.end()
			return line
		}
		at, err := v.walk(line.Browse, line.End)
		if err != nil {
			v.t.Fatalf("%s: %v", s.cmd.Args[1], err)
		}
		s.tell(map[string]string{"at": at.String(), "posted": at.posted.Encode()})
	}
}

// script is a running script that speaks in lines.
type script struct {
	t      *testing.T
	cmd    *exec.Cmd
	in     io.WriteCloser
	out    *bufio.Reader
	stderr bytes.Buffer
	ended  bool
}

// said is a line of a script.
type said struct {
	Browse    string   `json:"browse"`
	End       string   `json:"end"`
	Outcome   string   `json:"outcome"`
	Exercised []string `json:"exercised"`
}

// startScript runs a script, which is told by its environment which authority to trust.
func startScript(t *testing.T, interpreter, file, ca string) *script {
	t.Helper()
	s := &script{t: t, cmd: exec.Command(interpreter, file)}
	if ca != "" {
		s.cmd.Env = append(os.Environ(), "NODE_EXTRA_CA_CERTS="+ca, "REQUESTS_CA_BUNDLE="+ca)
	}
	s.cmd.Stderr = &s.stderr
	in, err1 := s.cmd.StdinPipe()
	out, err2 := s.cmd.StdoutPipe()
	if err := errors.Join(err1, err2, s.cmd.Start()); err != nil {
		t.Fatal(err)
	}
	s.in, s.out = in, bufio.NewReader(out)
	t.Cleanup(func() {
		if !s.ended {
			_ = s.cmd.Process.Kill()
			_ = s.cmd.Wait() // it was killed
		}
	})
	return s
}

func (s *script) tell(what any) {
	s.t.Helper()
	line, err := json.Marshal(what)
	if err == nil {
		_, err = s.in.Write(append(line, '\n'))
	}
	if err != nil {
		s.end()
		s.t.Fatal(err)
	}
}

func (s *script) hear() said {
	s.t.Helper()
	line, err := s.out.ReadBytes('\n')
	if err != nil {
		s.end()
		s.t.Fatalf("%s: %v", s.cmd.Args[1], err)
	}
	var what said
	if err := json.Unmarshal(line, &what); err != nil {
		s.t.Fatalf("%s: %s", s.cmd.Args[1], line)
	}
	return what
}

// end waits for the script; what it complained about is in the failure.
func (s *script) end() {
	s.t.Helper()
	s.ended = true
	if err := s.cmd.Wait(); err != nil {
		s.t.Fatalf("%s: %v\n%s", s.cmd.Args[1], err, s.stderr.Bytes())
	}
}

func missing(t *testing.T, what string) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf("%s is missing and CI=true", what)
	}
	t.Skipf("%s is missing", what)
}

// cast is who plays in the long stories, and where.
func (p *provider) cast(t *testing.T) map[string]any {
	t.Helper()
	return map[string]any{"loggedOut": loggedOut, "resource": notes, "resourceScope": notesRead, "clients": p.clients(t)}
}

// keyed is a client that has a key.
type keyed struct {
	client
	JWK map[string]string `json:"jwk"`
}

// clients registers the clients of the scripts.
func (p *provider) clients(t *testing.T) map[string]any {
	t.Helper()
	return map[string]any{
		"web":      p.register(t, web("Web", map[string]any{"post_logout_redirect_uris": []string{loggedOut}})),
		"post":     p.register(t, web("Post", map[string]any{"token_endpoint_auth_method": "client_secret_post"})),
		"open":     p.register(t, web("Open", map[string]any{"token_endpoint_auth_method": "none"})),
		"EdDSA":    p.register(t, web("EdDSA", map[string]any{"id_token_signed_response_alg": "EdDSA"})),
		"ES256":    p.register(t, web("ES256", map[string]any{"id_token_signed_response_alg": "ES256"})),
		"userinfo": p.register(t, web("Userinfo", map[string]any{"userinfo_signed_response_alg": "ES256"})),
		"service": p.register(t, map[string]any{
			"client_name": "Service", "grant_types": []string{"client_credentials"}, "scopes": []string{notesRead}, "resources": []string{notes},
		}),
		"key":    p.keyed(t, "Key", map[string]any{"token_endpoint_auth_method": "private_key_jwt"}),
		"signer": p.keyed(t, "Signer", nil),
		"fapi2": p.keyed(t, "Bank", map[string]any{
			"token_endpoint_auth_method": "private_key_jwt", "security_profile": "fapi2", "id_token_signed_response_alg": "ES256",
		}),
		"device": p.register(t, map[string]any{
			"client_name": "Device", "application_type": "native", "token_endpoint_auth_method": "none", "scopes": []string{"openid", notesRead},
			"grant_types": []string{"urn:ietf:params:oauth:grant-type:device_code"},
		}),
	}
}

func (p *provider) keyed(t *testing.T, name string, more map[string]any) keyed {
	t.Helper()
	private, public := makeJWK(t)
	metadata := web(name, more)
	metadata["jwks"] = map[string]any{"keys": []any{public}}
	return keyed{p.register(t, metadata), private}
}

// makeJWK makes a P-256 key (RFC 7518 §6.2).
func makeJWK(t *testing.T) (private, public map[string]string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	point, err1 := key.PublicKey.Bytes() // 4, x, y
	scalar, err2 := key.Bytes()
	if err1 != nil || err2 != nil {
		t.Fatal(err1, err2)
	}
	encode := base64.RawURLEncoding.EncodeToString
	jwk := func() map[string]string {
		return map[string]string{
			"kty": "EC", "crv": "P-256", "x": encode(point[1:33]), "y": encode(point[33:]), "kid": "interop", "alg": "ES256", "use": "sig",
		}
	}
	private, public = jwk(), jwk()
	private["d"] = encode(scalar)
	return private, public
}
