package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/signet-id/signet/internal/config"
)

// minimal is what every configuration must say.
const minimal = "public_url: https://id.example.com\nkey_file: key\ntrusted_proxies: [127.0.0.1]\n"

func write(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func load(t *testing.T, text string, env ...string) (config.Config, error) {
	t.Helper()
	return config.Load(write(t, "signet.yaml", text), env)
}

// The defaults are a promise to operators: who changes one changes this table and CHANGELOG.
func TestLoad_Defaults(t *testing.T) {
	t.Parallel()
	path := write(t, "signet.yaml", minimal)
	got, err := config.Load(path, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := config.Config{
		File: path, PublicURL: "https://id.example.com", KeyFile: filepath.Join(filepath.Dir(path), "key"),
		Listen: "127.0.0.1:8080", DataDir: "/var/lib/signet", Database: "sqlite:/var/lib/signet/signet.db",
		TrustedProxies: []string{"127.0.0.1"}, Registration: "off", ClientIDMetadataDocuments: "off",
		TracesPercent: 10, Brand: config.Brand{Name: "signet"}, SMTP: config.SMTP{Port: 587, TLS: "mandatory"},
		Lifetimes: config.Lifetimes{
			AccessToken: 5 * time.Minute, IDToken: 5 * time.Minute, RefreshToken: 90 * 24 * time.Hour,
			SessionIdle: 12 * time.Hour, Session: 30 * 24 * time.Hour,
		},
		Limits: config.Limits{
			MaxConnections: 10_000, MaxHeaderBytes: 16 << 10, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second,
			WriteTimeout: 30 * time.Second, IdleTimeout: 2 * time.Minute, PasswordMemory: 256,
		},
		Log: config.Log{Level: "info", Format: "auto"},
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff(want, got.WithDefaults()); d != "" {
		t.Errorf("defaults twice are not defaults once: %s", d)
	}
	if loosened := got.Loosened(); len(loosened) != 0 {
		t.Errorf("defaults are looser than the defaults: %q", loosened)
	}
}

func TestLoad_EveryKind(t *testing.T) {
	t.Parallel()
	got, err := load(t, `
public_url: http://localhost:8080
key_file: /etc/signet/key
data_dir: data
database: sqlite:db/signet.db
trusted_proxies:
  - 10.0.0.2
  - fd00::/8
lifetimes: {access_token: 2m, session: 1d12h, session_idle: 90m}
limits:
  max_connections: 500
smtp:
  host: smtp.example.com
  tls: implicit
  from: no-reply@example.com
brand: # nothing
log:
  level: warn
`)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Dir(got.File)
	for name, ok := range map[string]bool{
		"data_dir":          got.DataDir == filepath.Join(dir, "data"),
		"database":          got.Database == "sqlite:"+filepath.Join(dir, "db/signet.db"),
		"trusted_proxies":   cmp.Equal(got.TrustedProxies, []string{"10.0.0.2", "fd00::/8"}),
		"access_token":      got.Lifetimes.AccessToken == 2*time.Minute,
		"session":           got.Lifetimes.Session == 36*time.Hour,
		"session_idle":      got.Lifetimes.SessionIdle == 90*time.Minute,
		"max_connections":   got.Limits.MaxConnections == 500,
		"smtp port":         got.SMTP.Port == 465,
		"brand":             got.Brand.Name == "signet",
		"admin socket":      got.AdminSocket() == filepath.Join(dir, "data", "admin.sock"),
		"log level":         got.Log.Level == "warn",
		"key_file absolute": got.KeyFile == "/etc/signet/key",
	} {
		if !ok {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

func TestLoad_Environment(t *testing.T) {
	t.Parallel()
	wd, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	got, err := load(t, minimal+"listen: :1\n",
		"SIGNET_PUBLIC_URL=https://login.example.com", "SIGNET_LISTEN=:2", "SIGNET_TRUSTED_PROXIES=10.0.0.2, 10.1.0.0/16,",
		"SIGNET_LIFETIMES_ACCESS_TOKEN=90s", "SIGNET_LIMITS_MAX_CONNECTIONS=20", "SIGNET_SMTP_HOST=smtp.example.com",
		"SIGNET_SMTP_FROM=a@example.com", "SIGNET_SMTP_USERNAME=a", "SIGNET_SMTP_PASSWORD_FILE=pw", "SIGNET_BRAND_NAME=",
		"SIGNET_SERVICE_HOST=10.0.0.1", "SIGNET_PORT=tcp://10.0.0.1:80", "SIGNET_PORT_80_TCP_ADDR=10.0.0.1", "OTHER=1")
	if err != nil {
		t.Fatal(err)
	}
	if got.PublicURL != "https://login.example.com" || got.Listen != ":2" || got.Lifetimes.AccessToken != 90*time.Second ||
		got.Limits.MaxConnections != 20 || got.SMTP.Host != "smtp.example.com" || got.Brand.Name != "signet" {
		t.Errorf("%+v", got)
	}
	if !cmp.Equal(got.TrustedProxies, []string{"10.0.0.2", "10.1.0.0/16"}) {
		t.Errorf("%q", got.TrustedProxies)
	}
	if want := filepath.Join(wd, "pw"); got.SMTP.PasswordFile != want {
		t.Errorf("%q, want %q", got.SMTP.PasswordFile, want)
	}
	alone, err := config.Load("", []string{
		"SIGNET_PUBLIC_URL=http://127.0.0.1:8080", "SIGNET_KEY_FILE=/k", "XDG_CONFIG_HOME=" + t.TempDir(),
	})
	if err != nil || alone.File != "" && alone.File != "/etc/signet/signet.yaml" {
		t.Errorf("environment alone: %+v %v", alone, err)
	}
}

func TestLoad_SearchPath(t *testing.T) {
	t.Parallel()
	home, other := t.TempDir(), write(t, "other.yaml", minimal+"listen: :3\n")
	if err := os.MkdirAll(filepath.Join(home, "signet"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(home, "signet", "signet.yaml"), []byte(minimal+"listen: :2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		path   string
		env    []string
		listen string
	}{
		"found":                {"", []string{"XDG_CONFIG_HOME=" + home}, ":2"},
		"named by environment": {"", []string{"XDG_CONFIG_HOME=" + home, "SIGNET_CONFIG=" + other}, ":3"},
		"named by flag":        {other, []string{"SIGNET_CONFIG=" + filepath.Join(home, "signet", "signet.yaml")}, ":3"},
	} {
		if got, err := config.Load(c.path, c.env); err != nil || got.Listen != c.listen {
			t.Errorf("%s: %q %v", name, got.Listen, err)
		}
	}
	for name, c := range map[string]struct {
		path string
		env  []string
	}{
		"flag":        {filepath.Join(home, "missing.yaml"), nil},
		"environment": {"", []string{"SIGNET_CONFIG=" + filepath.Join(home, "missing.yaml")}},
	} {
		if _, err := config.Load(c.path, c.env); err == nil || !strings.Contains(err.Error(), "there is no file") || !strings.Contains(err.Error(), "missing.yaml; make one with: signet init --config ") {
			t.Errorf("a file that was named by %s and is missing: %v", name, err)
		}
	}
}

// Each mistake is named with its place and, where it can be known, what was meant.
func TestLoad_Mistakes(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"unknown":           {"colour: red", "line 1: colour: unknown key"},
		"mistyped":          {"public_ulr: x", "line 1: public_ulr: unknown key; did you mean public_url?"},
		"mistyped inside":   {"smtp:\n  hots: x", "line 2: smtp.hots: unknown key; did you mean smtp.host?"},
		"mistyped group":    {"limit:\n  max_connections: 5", "line 1: limit: unknown key; did you mean limits?"},
		"wrong place":       {"access_token: 5m", "line 1: access_token: unknown key; did you mean lifetimes.access_token?"},
		"other case":        {"Listen: :80", "line 1: Listen: unknown key; did you mean listen?"},
		"secret in file":    {"smtp:\n  password: hunter2", "line 2: smtp.password: unknown key; did you mean smtp.password_file?"},
		"twice":             {"listen: :1\nlisten: :2", "line 2: listen: given twice, first on line 1"},
		"twice inside":      {"log:\n  level: info\n  level: warn", "line 3: log.level: given twice, first on line 2"},
		"list for value":    {"listen: [a, b]", "line 1: listen: one value is wanted"},
		"keys for value":    {"listen: {a: b}", "line 1: listen: one value is wanted"},
		"value for keys":    {"smtp: smtp.example.com", "line 1: smtp: has keys of its own, like smtp.host"},
		"alias":             {"brand: {name: &x a}\nlisten: *x", "line 2: listen: one value is wanted"},
		"merge":             {"<<: {listen: :1}", "line 1: <<: unknown key"},
		"no unit":           {"lifetimes: {access_token: 300}", `lifetimes.access_token: "300" is not a time above 0 with its unit`},
		"negative time":     {"lifetimes: {access_token: -5m}", `"-5m" is not a time`},
		"no time":           {"lifetimes: {access_token: 0s}", `"0s" is not a time`},
		"not a number":      {"limits: {max_connections: many}", `limits.max_connections: "many" is not a whole number above 0`},
		"zero":              {"limits: {max_connections: 0}", `"0" is not a whole number above 0`},
		"list of lists":     {"trusted_proxies: [[a]]", "trusted_proxies: line 1: an element is not a text"},
		"not YAML":          {"listen: [", "signet.yaml:\n  line 2: this is no YAML: "},
		"a tab":             {"listen: :1\n\tdata_dir: x", "line 2: this is no YAML: "},
		"a list":            {"- a", "line 1: a list of"},
		"two documents":     {"listen: :1\n---\nlisten: :2", "signet.yaml"},
		"control character": {`listen: "a\nb"`, "contains a control character"},
	} {
		_, err := load(t, c.text)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%s: the error shows a value: %v", name, err)
		}
	}
	for name, c := range map[string]struct{ env, want string }{
		"mistyped":   {"SIGNET_PUBLIC_URI=x", "SIGNET_PUBLIC_URI: unknown environment variable; did you mean SIGNET_PUBLIC_URL?"},
		"wrong type": {"SIGNET_LIFETIMES_SESSION=x", `SIGNET_LIFETIMES_SESSION: "x" is not a time`},
	} {
		if _, err := load(t, minimal, c.env); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
	// All at once, so that nobody mends one after the other.
	_, err := load(t, "a: 1\nb: 2\nlisten: :1\nlisten: :2")
	for _, want := range []string{"a: unknown", "b: unknown", "listen: given twice"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v lacks %q", err, want)
		}
	}
}
