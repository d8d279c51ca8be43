package server_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/server"
	"github.com/signet-id/signet/verify"
)

// admin asks the administration socket.
func (r *running) admin(t *testing.T, method, path string) []byte {
	t.Helper()
	socket := filepath.Join(r.dir, "admin.sock")
	until(t, "administration", func() bool { _, err := os.Stat(socket); return err == nil })
	req, err := http.NewRequest(method, "http://signet"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}}}
	answer, err := client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode/100 != 2 {
		t.Fatalf("%s %s: %s, %v: %s", method, path, answer.Status, err, body)
	}
	return body
}

func (r *running) backup(t *testing.T) []byte { return r.admin(t, "POST", "/backup") }

func unzip(t *testing.T, data []byte) []byte {
	t.Helper()
	zip, err := gzip.NewReader(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(zip)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// service is a verifier that follows the server.
func (r *running) service(t *testing.T) *verify.Verifier {
	t.Helper()
	v, err := verify.New(r.url, r.url)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- v.Run(ctx) }()
	t.Cleanup(func() { cancel(); <-ended })
	<-v.Ready()
	return v
}

func accepted(v *verify.Verifier, token string) bool {
	_, err := v.Verify(context.Background(), token)
	return err == nil
}

// enter is a login with a code that was redeemed.
func (r *running) enter(t *testing.T, clientSecret secret.Text) (*browser, map[string]string) {
	t.Helper()
	b := &browser{t: t, s: r, cookies: map[string]string{}}
	b.login(password)
	tokens := b.token(clientSecret.Reveal(), url.Values{"grant_type": {"authorization_code"}, "code": {b.authorize()}, "redirect_uri": {redirect}})
	if tokens["access_token"] == "" || tokens["refresh_token"] == "" {
		t.Fatalf("no tokens: %v", tokens)
	}
	return b, tokens
}

func (b *browser) refresh(clientSecret secret.Text, token string) map[string]string {
	b.t.Helper()
	return b.token(clientSecret.Reveal(), url.Values{"grant_type": {"refresh_token"}, "refresh_token": {token}})
}

// userinfo asks with an access token and returns the status.
func (r *running) userinfo(t *testing.T, token string) int {
	t.Helper()
	req, err := http.NewRequest("GET", r.url+"/userinfo", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	return answer.StatusCode
}

// TestRestore_STO06_NothingComesBack: what was revoked or used after a backup stays dead
// when the backup is restored, and so does all that was alive in it; a fresh login works.
func TestRestore_STO06_NothingComesBack(t *testing.T) {
	t.Parallel()
	s := start(t, true, nil)
	clientSecret := s.seed(t)
	v := s.service(t)
	b, first := s.enter(t, clientSecret)
	code := b.authorize()
	if !accepted(v, first["access_token"]) || s.userinfo(t, first["access_token"]) != http.StatusOK {
		t.Fatal("a token is refused before anything happened")
	}
	file := s.backup(t)

	// After the backup: a refresh, another login, and the end of everything.
	second := b.refresh(clientSecret, first["refresh_token"])
	other, late := s.enter(t, clientSecret)
	for _, tokens := range []map[string]string{second, late} {
		if !accepted(v, tokens["access_token"]) {
			t.Fatal("a token is refused before it is revoked")
		}
	}
	s.admin(t, "DELETE", "/users/ann/sessions")
	s.admin(t, "DELETE", "/users/ann/apps/app")
	until(t, "revocation", func() bool { return !accepted(v, second["access_token"]) && !accepted(v, late["access_token"]) })
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}

	r, done := s.restored(t, file)
	if done.Sessions != 1 || done.Grants != 2 || done.Keys != 3 || done.Rows["users"] != 1 {
		t.Errorf("restored: %+v", done)
	}
	b.s, other.s = r, r

	newcomer := r.service(t)
	for name, tokens := range map[string]map[string]string{"first": first, "second": second, "late": late} {
		if accepted(v, tokens["access_token"]) {
			t.Errorf("%s access token: a service that followed the feed accepts it", name)
		}
		if accepted(newcomer, tokens["access_token"]) {
			t.Errorf("%s access token: a service that is new accepts it", name)
		}
		if code := r.userinfo(t, tokens["access_token"]); code != http.StatusUnauthorized {
			t.Errorf("%s access token: userinfo answers %d", name, code)
		}
		if answer := b.refresh(clientSecret, tokens["refresh_token"]); answer["error"] != "invalid_grant" {
			t.Errorf("%s refresh token: %v", name, answer)
		}
	}
	answer := b.token(clientSecret.Reveal(), url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {redirect}})
	if answer["error"] != "invalid_grant" {
		t.Errorf("code: %v", answer)
	}
	for name, cookies := range map[string]*browser{"first": b, "late": other} {
		if answer, _ := cookies.do("GET", r.url+"/account", nil); answer.StatusCode == http.StatusOK {
			t.Errorf("%s login: the account page answers", name)
		}
	}

	_, fresh := r.enter(t, clientSecret)
	if !accepted(r.service(t), fresh["access_token"]) {
		t.Error("a fresh token is refused")
	}
	if code := r.userinfo(t, fresh["access_token"]); code != http.StatusOK {
		t.Errorf("fresh token: userinfo answers %d", code)
	}
	if answer := b.refresh(clientSecret, fresh["refresh_token"]); answer["access_token"] == "" {
		t.Errorf("fresh refresh token: %v", answer)
	}
}

// restored restores a backup of a server that has stopped to another place and starts it
// under the old address.
func (r *running) restored(t *testing.T, file []byte) (*running, server.Restored) {
	t.Helper()
	at := newPlace(t)
	at.key, at.address = r.key, r.address
	done, err := server.Restore(t.Context(), at.config(), bytes.NewReader(file), time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return startAt(t, at, true, nil), done
}

// TestRestore_STO06_FollowersBeginAgain: a service that has followed the feed hears of the
// new epoch by itself: tokens that were alive in the backup are refused by the rule that
// ends them all, and those of the restored server are accepted.
func TestRestore_STO06_FollowersBeginAgain(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("a service asks for keys twice within 30 seconds only once")
	}
	s := start(t, true, nil)
	clientSecret := s.seed(t)
	v := s.service(t)
	_, tokens := s.enter(t, clientSecret)
	epoch := v.Status().Epoch
	file := s.backup(t)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	r, _ := s.restored(t, file)
	until(t, "the new epoch reaches the service", func() bool {
		now := v.Status()
		return now.Epoch != epoch && now.Rules >= 4 && !now.Stale
	})
	_, err := v.Verify(t.Context(), tokens["access_token"])
	if err == nil {
		t.Error("a token from before is accepted")
	}
	_, fresh := r.enter(t, clientSecret)
	if _, err := v.Verify(t.Context(), fresh["access_token"]); err != nil {
		t.Errorf("a fresh token is refused: %v", err)
	}
}

// TestRestore_Refused: not while a server runs, not over what is there, and a directory
// that a refused restore has begun can still be restored to.
func TestRestore_Refused(t *testing.T) {
	t.Parallel()
	s := start(t, true, nil)
	s.seed(t)
	file := s.backup(t)
	restore := func(at place, data []byte) error {
		_, err := server.Restore(t.Context(), at.config(), bytes.NewReader(data), time.Now())
		return err
	}
	if err := restore(s.place, file); err == nil || !strings.Contains(err.Error(), "stop the server first") {
		t.Errorf("while it runs: %v", err)
	}
	if _, err := server.BeginEpoch(t.Context(), s.config(), time.Now()); err == nil || !strings.Contains(err.Error(), "stop the server first") {
		t.Errorf("in place while it runs: %v", err)
	}
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	if err := restore(s.place, file); err == nil || !strings.Contains(err.Error(), "not empty") || !strings.Contains(err.Error(), s.dir) {
		t.Errorf("over what is there: %v", err)
	}
	at := newPlace(t)
	if err := restore(at, file[:len(file)-1]); err == nil || !strings.Contains(err.Error(), "damaged or not complete") {
		t.Errorf("cut: %v", err)
	}
	if err := restore(at, file); err != nil {
		t.Error(err)
	}
}

// TestBeginEpoch_InPlace: the same end for a database that was set back by other means.
func TestBeginEpoch_InPlace(t *testing.T) {
	t.Parallel()
	s := start(t, true, nil)
	clientSecret := s.seed(t)
	b, tokens := s.enter(t, clientSecret)
	if err := s.stop(); err != nil {
		t.Fatal(err)
	}
	done, err := server.BeginEpoch(t.Context(), s.config(), time.Now())
	if err != nil || done.Sessions != 1 || done.Grants != 1 || done.Keys != 3 {
		t.Fatalf("%+v, %v", done, err)
	}
	r := startAt(t, s.place, true, nil)
	b.s = r
	if answer := b.refresh(clientSecret, tokens["refresh_token"]); answer["error"] != "invalid_grant" {
		t.Errorf("refresh token: %v", answer)
	}
	if code := r.userinfo(t, tokens["access_token"]); code != http.StatusUnauthorized {
		t.Errorf("access token: userinfo answers %d", code)
	}
	// Right after the start, new tokens are dated later than the rule that ended the old ones.
	_, fresh := r.enter(t, clientSecret)
	if !accepted(r.service(t), fresh["access_token"]) {
		t.Error("a fresh token is dead at birth")
	}
}
