// Package doctor looks at an installation from outside, before and while it runs: what does
// not fit, why, and what to do about it. Each check is a file, named after what it looks at.
//
// It deliberately repairs nothing and writes nothing, neither to the database nor to files
// (but one to see whether it could, which it removes), and sends no mail.
package doctor

import (
	"context"
	"crypto/x509"
	"fmt"
	"net"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/config"
)

// State is what a check says.
type State string

// The states. What was skipped could not be looked at now; its text says why.
const (
	OK      State = "ok"
	Warning State = "warning"
	Problem State = "problem"
	Skipped State = "skipped"
)

// Finding is what one look brought.
type Finding struct {
	Check string `json:"check"`
	State State  `json:"state"`
	Text  string `json:"text"`
	Fix   string `json:"fix,omitempty"` // one sentence, a command or a line of the configuration
}

// Config is what the checks must know of the world.
type Config struct {
	Path     string   // of the configuration; empty: where commands look for it
	Env      []string // as os.Environ gives it
	Now      func() time.Time
	Roots    *x509.CertPool // authorities for certificates; nil: the system's
	Resolver *net.Resolver  // nil: the system's
}

// patience is how long one conversation over the network may take.
const patience = 5 * time.Second

// examination is one visit.
type examination struct {
	Config
	cfg     config.Config
	public  *url.URL        // of public_url
	running bool            // the server of this configuration runs on this machine
	parts   map[string]bool // of its readiness, by name; nil: not told
	found   []Finding
}

// Examine makes all checks. A configuration that does not load leaves nothing to look at.
func Examine(ctx context.Context, c Config) []Finding {
	x := &examination{Config: c}
	var err error
	if x.cfg, err = config.Load(c.Path, c.Env); err == nil {
		x.public, err = url.Parse(x.cfg.PublicURL)
	}
	if err != nil && c.nothingSaid() {
		x.problem("configuration", "write one with: signet init; or name yours with --config", "there is none: no file where commands look for it, and no SIGNET_ variable")
		return x.found
	}
	if err != nil {
		x.problem("configuration", "correct it and run signet doctor again; \"signet init\" writes a first one", "%v", err)
		for _, check := range []string{"files", "server", "database", "keys", "clock", "address", "certificate", "public url", "proxy", "cookies", "mail"} {
			x.skip(check, "there is no configuration to go by")
		}
		return x.found
	}
	x.configuration()
	x.files()
	for _, check := range []func(context.Context){
		x.server, x.database, x.address, x.certificate, x.publicURL, x.proxy, x.cookies, x.mail,
	} {
		ctx, cancel := context.WithTimeout(ctx, 2*patience)
		check(ctx)
		cancel()
	}
	return x.found
}

// nothingSaid reports whether there is no configuration at all, not even a wrong one.
func (c Config) nothingSaid() bool {
	cfg, err := config.Read(c.Path, c.Env)
	return err == nil && cfg.File == "" && cfg.PublicURL == "" && cfg.KeyFile == ""
}

func (x *examination) ok(check, text string, args ...any) { x.add(check, OK, "", text, args) }

func (x *examination) skip(check, text string, args ...any) { x.add(check, Skipped, "", text, args) }

func (x *examination) warn(check, fix, text string, args ...any) {
	x.add(check, Warning, fix, text, args)
}

func (x *examination) problem(check, fix, text string, args ...any) {
	x.add(check, Problem, fix, text, args)
}

func (x *examination) add(check string, s State, fix, text string, args []any) {
	x.found = append(x.found, Finding{Check: check, State: s, Text: fmt.Sprintf(text, args...), Fix: fix})
}

// configuration: it loads; what does it give up, and who may change it?
func (x *examination) configuration() {
	for _, text := range x.cfg.Loosened() {
		x.warn("configuration", "remove the key if nobody needs this value: the default is safer", "%s", text)
	}
	if x.cfg.File == "" {
		x.ok("configuration", "that of the environment makes a server")
		return
	}
	if mode, loose := writableByOthers(x.cfg.File); loose {
		x.problem("configuration", "chmod 644 "+x.cfg.File, "%s has mode %04o: others can change it, and with it where passwords are sent", x.cfg.File, mode)
		return
	}
	x.ok("configuration", "%s makes a server", x.cfg.File)
}
