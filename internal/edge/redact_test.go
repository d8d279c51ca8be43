package edge_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/secret"
)

type holder struct{ Token string }

type valuer struct{ s string }

func (v valuer) LogValue() slog.Value { return slog.StringValue(v.s) }

// OPS-01: a token that slipped through everything else is not written, wherever it stands.
func TestRedactor_OPS01(t *testing.T) {
	t.Parallel()
	var canaries []string
	for _, p := range []secret.Prefix{
		secret.Access, secret.Refresh, secret.Code, secret.Personal, secret.ServiceKey,
		secret.ClientSecret, secret.Device, secret.Invitation, secret.Pushed, secret.Session, secret.Flow,
	} {
		canaries = append(canaries, secret.New(p).Reveal())
	}
	jwt := "eyJhbGciOiJFZERTQSJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJlLWNhbmFyeQ"
	canaries = append(canaries, jwt)
	for _, handler := range []func(*bytes.Buffer) slog.Handler{
		func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
		func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
	} {
		var out bytes.Buffer
		log := slog.New(edge.NewRedactor(handler(&out)))
		for _, c := range canaries {
			log.With("with", c).WithGroup("g").Info("message "+c,
				"string", "Bearer "+c,
				"error", fmt.Errorf("wrapped: %w", errors.New(c)),
				"struct", holder{c}, "pointer", &holder{c}, "slice", []string{c}, "map", map[string]string{c: c},
				"bytes", []byte(c), "json", json.RawMessage(`"`+c+`"`), "valuer", valuer{c},
				slog.Group("group", "inner", c), "any", any(c), c, "as key", "nil", nil)
		}
		for _, c := range canaries {
			if body := c[4:20]; strings.Contains(out.String(), body) {
				t.Errorf("%s… was written: %s", c[:8], out.String())
			}
		}
		if strings.Count(out.String(), "[redacted]") < 13*len(canaries) {
			t.Errorf("too few redactions: %s", out.String())
		}
	}
}

// The net must not eat what an operator needs.
func TestRedactor_KeepsTheRest(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log := slog.New(edge.NewRedactor(slog.NewTextHandler(&out, nil)))
	log.Info("sgr_ is the prefix", "id", "4nSQyOPI7ZGh1cpV9dO2Xk", "n", 7, "route", "GET /sgt_short", "mail", "a@msgt_example.com")
	for _, want := range []string{"sgr_ is the prefix", "4nSQyOPI7ZGh1cpV9dO2Xk", "n=7", "GET /sgt_short"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("lost %q: %s", want, out.String())
		}
	}
}

// OPS-02: no value begins a line of its own or moves the cursor of a terminal.
func TestLog_OPS02(t *testing.T) {
	t.Parallel()
	for _, payload := range []string{
		"x\nlevel=ERROR msg=forged", "x\r\nforged", "\x1b[2J\x1b[31mforged", "\x00", "a\u2028b", `","level":"ERROR`, "\u0085next", "\x9b31m", "\u009b31m", "bell\a", "\u202egro.live", "\x7f",
	} {
		for name, handler := range map[string]func(*bytes.Buffer) slog.Handler{
			"json": func(b *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(b, nil) },
			"text": func(b *bytes.Buffer) slog.Handler { return slog.NewTextHandler(b, nil) },
		} {
			var out bytes.Buffer
			slog.New(edge.NewRedactor(handler(&out))).Info(payload, "key", payload, "error", errors.New(payload), "list", []string{payload}, payload, "v")
			line := out.String()
			if strings.Count(line, "\n") != 1 || strings.ContainsAny(line, "\r\x1b\x00\a\u2028\u0085\u009b\u202e\x7f") {
				t.Errorf("%s: %q came out as %q", name, payload, line)
			}
			if name == "json" && !json.Valid(out.Bytes()) {
				t.Errorf("not JSON: %q", line)
			}
		}
	}
}
