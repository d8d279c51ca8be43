package cli_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/signet-id/signet/internal/cli"
)

// guideBlocks are the ```sh blocks of a guide.
func guideBlocks(file string) ([]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var blocks []string
	for i, part := range strings.Split(string(text), "```") {
		if block, shell := strings.CutPrefix(part, "sh\n"); shell && i%2 == 1 {
			blocks = append(blocks, block)
		}
	}
	return blocks, nil
}

// guide NAME N runs the Nth block of commands of a guide, as it stands there but for the ports.
func guide(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 2 {
		ts.Fatalf("usage: guide name number")
	}
	blocks, err := guideBlocks("../../" + args[0])
	ts.Check(err)
	n, err := strconv.Atoi(args[1])
	ts.Check(err)
	if n < 1 || n > len(blocks) {
		ts.Fatalf("%s has %d blocks", args[0], len(blocks))
	}
	ports := strings.NewReplacer("localhost:8080", "localhost:"+ts.Getenv("PORT"), "127.0.0.1:8081", "127.0.0.1:"+ts.Getenv("CALENDAR"))
	if err := ts.Exec("sh", "-e", "-c", ports.Replace(blocks[n-1])); (err != nil) != neg {
		ts.Fatalf("%s, block %d: %v", args[0], n, err)
	}
}

// signin ISSUER CLIENT REDIRECT SCOPE [SECRET] [NAME=VALUE] is an app with a browser: Ann signs in, says
// yes where she is asked, and the app redeems its code with PKCE. It writes the answer of
// the token endpoint. NAME and VALUE are a parameter more of the authorization request.
func signIn(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 4 {
		ts.Fatalf("usage: signin issuer client redirect scope [secret] [name=value]")
	}
	issuer, client, redirect, scope := args[0], args[1], args[2], args[3]
	secret, more := "", url.Values{}
	for _, arg := range args[4:] {
		if name, value, ok := strings.Cut(arg, "="); ok {
			more.Set(name, value)
		} else {
			secret = arg
		}
	}
	verifier := rand.Text() + rand.Text()
	challenge := sha256.Sum256([]byte(verifier))
	b := cli.NewDemoBrowser()
	b.Catch(redirect)
	ctx := context.Background()
	asked := url.Values{
		"response_type": {"code"}, "client_id": {client}, "redirect_uri": {redirect}, "scope": {scope}, "state": {"s"}, "nonce": {"n"},
		"code_challenge": {base64.RawURLEncoding.EncodeToString(challenge[:])}, "code_challenge_method": {"S256"},
	}
	maps.Copy(asked, more)
	ts.Check(b.Open(ctx, issuer+"/authorize?"+asked.Encode()))
	ts.Check(b.Press(ctx, "Sign in", nil, map[string]string{"username": "ann", "password": "correct horse battery staple"}))
	if !strings.HasPrefix(b.At(), redirect) {
		ts.Check(b.Press(ctx, "authorize", nil, nil))
	}
	back, err := url.Parse(b.At())
	ts.Check(err)
	if q := back.Query(); q.Get("iss") != issuer || q.Get("state") != "s" {
		ts.Fatalf("came back at %s", b.At())
	}
	form := url.Values{"grant_type": {"authorization_code"}, "code": {back.Query().Get("code")}, "redirect_uri": {redirect}, "code_verifier": {verifier}}
	if secret == "" {
		form.Set("client_id", client)
	}
	req, err := http.NewRequest(http.MethodPost, issuer+"/token", strings.NewReader(form.Encode()))
	ts.Check(err)
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if secret != "" {
		req.SetBasicAuth(client, secret)
	}
	res, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	ts.Check(err)
	if res.StatusCode != http.StatusOK {
		ts.Fatalf("token endpoint: %s %s", res.Status, body)
	}
	fmt.Fprintf(ts.Stdout(), "%s\n", body)
}

// becomes CODE PROGRAM ARGS… runs a program until it has that exit code: what one process was
// told a moment ago, another hears a moment later.
func becomes(ts *testscript.TestScript, _ bool, args []string) {
	poll(ts, args[1], func() bool {
		code := 0
		if failed, ok := errors.AsType[*exec.ExitError](ts.Exec(args[1], args[2:]...)); ok {
			code = failed.ExitCode()
		}
		return strconv.Itoa(code) == args[0]
	})
}

// examples FILE runs a list of commands in order; each line is an exit code and a command.
// The directories of an installation are below the script's own.
func examples(ts *testscript.TestScript, _ bool, args []string) {
	here := strings.NewReplacer("/etc/signet/", "etc/", "/var/backups/", "backups/")
	for line := range strings.Lines(ts.ReadFile(args[0])) {
		code, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		exits(ts, false, []string{code, "sh", "-c", here.Replace(command)})
	}
}
