package secret_test

import (
	"bytes"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/secret"
)

const canary = "canary-3b1f"

// holder has a secret in all the places where printers look.
type holder struct {
	Exported secret.Text
	hidden   secret.Text
	Pointer  *secret.Text
	List     []secret.Text
	Map      map[string]secret.Text
	Any      any
}

func newHolder() holder {
	t := secret.NewText(canary)
	return holder{t, t, &t, []secret.Text{t}, map[string]secret.Text{"k": t}, t}
}

// TestText_Format: no verb of fmt prints a secret, wherever it stands. OPS-01
func TestText_Format(t *testing.T) {
	t.Parallel()
	text := secret.NewText(canary)
	values := map[string]any{
		"value": text, "pointer": &text, "slice": []secret.Text{text}, "array": [1]secret.Text{text},
		"map": map[string]secret.Text{"k": text}, "key": map[secret.Text]int{text: 1},
		"struct": newHolder(), "struct pointer": ptr(newHolder()), "error": fmt.Errorf("x: %v", text), "zero": secret.Text{},
	}
	for name, v := range values {
		for _, flags := range []string{"", "+", "#", "-20", "020", " ", ".3", "+#"} {
			for _, verb := range "vTtbcdoOqxXUeEfFgGspwyz" {
				format := "%" + flags + string(verb)
				got := fmt.Sprintf(format, v)
				if leaks(got) {
					t.Errorf("%s of %s: %s", format, name, got)
				}
			}
		}
		if got := fmt.Sprint(v) + fmt.Sprintln(v); leaks(got) {
			t.Errorf("Sprint of %s: %s", name, got)
		}
	}
	if got := fmt.Sprintf("%s|%v|%#v|%q|%d", text, text, text, text, text); got != strings.Repeat("[secret]|", 4)+"[secret]" {
		t.Errorf("got %s", got)
	}
}

// TestText_Encoders: no encoder of the standard library writes a secret. OPS-01
func TestText_Encoders(t *testing.T) {
	t.Parallel()
	text := secret.NewText(canary)
	encoders := map[string]func(v any) ([]byte, error){
		"json":        json.Marshal,
		"json indent": func(v any) ([]byte, error) { return json.MarshalIndent(v, "", " ") },
		"xml":         xml.Marshal,
		"gob": func(v any) ([]byte, error) {
			var buf bytes.Buffer
			return buf.Bytes(), gob.NewEncoder(&buf).Encode(v)
		},
	}
	for name, encode := range encoders {
		for _, v := range []any{text, &text, []secret.Text{text}, newHolder(), map[string]secret.Text{"k": text}} {
			out, err := encode(v)
			if leaks(string(out)) || (err != nil && leaks(err.Error())) {
				t.Errorf("%s of %T: %s %v", name, v, out, err)
			}
		}
	}
	out, err := json.Marshal(map[secret.Text]secret.Text{text: text})
	if err != nil || string(out) != `{"[secret]":"[secret]"}` {
		t.Errorf("json: %s %v", out, err)
	}
}

// TestText_Slog: no handler, attribute or message of slog writes a secret. OPS-01
func TestText_Slog(t *testing.T) {
	t.Parallel()
	text := secret.NewText(canary)
	for _, handler := range []func(*bytes.Buffer) slog.Handler{
		func(w *bytes.Buffer) slog.Handler { return slog.NewTextHandler(w, nil) },
		func(w *bytes.Buffer) slog.Handler { return slog.NewJSONHandler(w, nil) },
	} {
		var out bytes.Buffer
		log := slog.New(handler(&out))
		log.Info("m", "t", text, "p", &text, "h", newHolder(), "l", []secret.Text{text}, slog.Group("g", "t", text))
		log.With("t", text).Error("m", "err", fmt.Errorf("x: %w", fmt.Errorf("%v", text)))
		if leaks(out.String()) {
			t.Errorf("%T: %s", handler(&out), out.String())
		}
		if n := strings.Count(out.String(), "[secret]"); n < 5 {
			t.Errorf("%T: only %d marks: %s", handler(&out), n, out.String())
		}
	}
}

// TestText_Panic: a secret in a panic value stays hidden in what recover prints. OPS-01
func TestText_Panic(t *testing.T) {
	t.Parallel()
	defer func() {
		if got := fmt.Sprint(recover()); leaks(got) {
			t.Error(got)
		}
	}()
	panic(newHolder())
}

func TestText_Reveal(t *testing.T) {
	t.Parallel()
	if got := secret.NewText(canary).Reveal(); got != canary {
		t.Errorf("got %q", got)
	}
	if zero := (secret.Text{}); zero.Reveal() != "" || !zero.Empty() || secret.NewText("x").Empty() {
		t.Error("empty")
	}
}

// TestHash_Purpose: a value that was made for one use is not found as another. TOK-09
func TestHash_Purpose(t *testing.T) {
	t.Parallel()
	text := secret.NewText("x")
	seen := map[[32]byte]string{}
	for _, p := range []string{"code", "refresh", "refresh_family", "client_secret", "session", "flow", ""} {
		h := secret.Hash(p, text)
		if other, dup := seen[h]; dup {
			t.Errorf("%q and %q hash alike", p, other)
		}
		seen[h] = p
	}
	if secret.Hash("a", secret.NewText("bc")) == secret.Hash("ab", secret.NewText("c")) {
		t.Error("purpose and value run together")
	}
	// SHA-256 of "signet:code" 0x00 "x", made with another tool: printf 'signet:code\0x' | sha256sum
	const want = "9ed39e9f298e60b7720c820ba40c43bf2757fae07e17c9e72873b9abe7060499"
	if got := secret.Hash("code", text); hex.EncodeToString(got[:]) != want {
		t.Errorf("got %x", got)
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 1000 {
		id := secret.ID()
		if !secret.IsID(id) || seen[id] {
			t.Fatalf("bad or repeated: %q", id)
		}
		seen[id] = true
	}
	for _, s := range []string{
		"", "calendar", strings.Repeat("0", 21), strings.Repeat("0", 23), strings.Repeat("z", 22),
		strings.Repeat("0", 21) + "-", strings.Repeat("0", 21) + "\n", strings.Repeat("é", 11),
	} {
		if secret.IsID(s) {
			t.Errorf("%q is no id", s)
		}
	}
	if !secret.IsID(strings.Repeat("0", 22)) || !secret.IsID("7n42DGM5Tflk9n8mt7Fhc7") || secret.IsID("7n42DGM5Tflk9n8mt7Fhc8") {
		t.Error("the range of 128 bits is not exact")
	}
}

func leaks(s string) bool {
	return strings.Contains(s, canary) || strings.Contains(s, hex.EncodeToString([]byte(canary))) ||
		strings.Contains(strings.ToLower(s), fmt.Sprintf("%x", canary)) || strings.Contains(s, fmt.Sprintf("%v", []byte(canary)))
}

func ptr[T any](v T) *T { return &v }
