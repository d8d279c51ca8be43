package cli

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

func (a *app) initCommand() *cobra.Command {
	b := &beginning{}
	cmd := &cobra.Command{
		Use:   "init",
		Short: "Write a first configuration and its key, from four answers",
		Long: "Write a first configuration and its key-encryption key beside it, from four answers: the public URL, your e-mail\n" +
			"address, the SMTP server and the database. They are asked for on a terminal, unless a flag gives them; without\n" +
			"a terminal only --public-url must be given. No file that exists is ever touched.\n\n" +
			"It writes the file that --config names, else ./signet.yaml. Passwords never stand in it: one that is typed as a\n" +
			"part of an answer is put into a file of its own, and for a script a flag names such a file.\n\n" +
			"With an https address the configuration expects a reverse proxy on this machine, which speaks TLS; with\n" +
			"--tls-cert and --tls-key signet speaks it itself. The file says which lines to change.\n" +
			"Nobody is made an administrator by it, and there is no default password: it says how you add yourself.",
		Example: "  signet init --config /etc/signet/signet.yaml\n" +
			"  signet init --public-url https://id.example.com --email ann@example.com --smtp smtp.example.com --database sqlite\n" +
			"  signet init --public-url https://id.example.com --tls-cert /etc/signet/tls.crt --tls-key /etc/signet/tls.key\n" +
			"  signet init --public-url https://id.example.com --database 'postgres://signet@db.example.com/signet?sslmode=verify-full' --database-password-file /etc/signet/database-password",
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			file, err := filepath.Abs(cmp.Or(a.config, "signet.yaml"))
			if err != nil {
				return err
			}
			if exists(file) { // before anybody answers questions
				return fmt.Errorf("%s is there already, and no file is ever touched; name another with --config, or look at it with: signet doctor --config %s", file, shellWord(file))
			}
			if err := b.absolute(); err != nil {
				return err
			}
			if err := a.ask(cmd, b); err != nil {
				return err
			}
			made, err := b.write(file)
			if err != nil {
				return err
			}
			return a.sayNext(b, file, made)
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&b.given.publicURL, "public-url", "", "address under which people reach signet")
	fl.StringVar(&b.given.email, "email", "", "your e-mail address, as the administrator's, or none")
	fl.StringVar(&b.given.smtp, "smtp", "", "SMTP server: HOST, HOST:PORT, smtp://USER@HOST:PORT, smtps://USER@HOST, or none")
	fl.StringVar(&b.given.database, "database", "", "sqlite, sqlite:PATH, or postgres://USER@HOST/NAME")
	fl.StringVar(&b.smtpPasswordFile, "smtp-password-file", "", "file that holds the SMTP password")
	fl.StringVar(&b.databasePasswordFile, "database-password-file", "", "file that holds the password of the database's user")
	fl.StringVar(&b.cfg.TLSCert, "tls-cert", "", "certificate chain, PEM: signet speaks TLS itself")
	fl.StringVar(&b.cfg.TLSKey, "tls-key", "", "private key of --tls-cert, PEM")
	fl.StringVar(&b.cfg.DataDir, "data-dir", "", "directory for the data (default: /var/lib/signet for a configuration in /etc, else data beside it)")
	return cmd
}

// setting is one of the four that init asks for.
type setting struct {
	flag, text string
	preset     string // the answer when none is given; empty: there must be one
	given      string // by the flag
	set        func(answer string, typed bool) error
}

func (b *beginning) questions() []setting {
	return []setting{
		{"public-url", "Address under which people reach signet, like https://id.example.com", "", b.given.publicURL, b.setPublicURL},
		{"email", "Your e-mail address, as the administrator's", "none", b.given.email, b.setEmail},
		{"smtp", "SMTP server: HOST, HOST:PORT or smtp://USER:PASSWORD@HOST:PORT", "none", b.given.smtp, b.setSMTP},
		{"database", "Database: sqlite, or postgres://USER:PASSWORD@HOST/NAME?sslmode=verify-full", "sqlite", b.given.database, b.setDatabase},
	}
}

// ask takes each answer from its flag, else from the terminal, where a wrong one is asked
// for again, else the usual one.
func (a *app) ask(cmd *cobra.Command, b *beginning) error {
	lines := bufio.NewReader(io.LimitReader(a.stdin, 64<<10))
	for _, q := range b.questions() {
		var err error
		switch {
		case cmd.Flags().Changed(q.flag):
			err = q.set(q.given, false)
		case terminal(a.stdin):
			err = a.askUntilGood(cmd.Context(), lines, q)
		case q.preset == "":
			err = errors.New("is missing; without a terminal it must be given")
		default:
			err = q.set(q.preset, false)
		}
		if cmd.Context().Err() != nil {
			return cmd.Context().Err()
		}
		if err != nil {
			return &usageError{cmd.CommandPath(), fmt.Errorf("--%s: %w", q.flag, err)}
		}
	}
	return nil
}

func (a *app) askUntilGood(ctx context.Context, lines *bufio.Reader, q setting) error {
	prompt := q.text
	if q.preset != "" {
		prompt += " [" + q.preset + "]"
	}
	for {
		fmt.Fprint(a.stderr, prompt+": ")
		line, err := readLine(ctx, lines)
		if err != nil {
			fmt.Fprintln(a.stderr)
			return err
		}
		answer := cmp.Or(strings.TrimSpace(line), q.preset)
		if answer == "" {
			continue
		}
		if err = q.set(answer, true); err == nil {
			return nil
		}
		fmt.Fprintln(a.stderr, visible("  "+err.Error()))
	}
}

// readLine waits for a line, or until somebody interrupts: the program ends then, and with
// it the reading, which nothing else can end.
func readLine(ctx context.Context, lines *bufio.Reader) (string, error) {
	type result struct {
		line string
		err  error
	}
	read := make(chan result, 1)
	go func() {
		line, err := lines.ReadString('\n')
		read <- result{line, err}
	}()
	select {
	case r := <-read:
		if r.err != nil {
			return "", errors.New("no answer")
		}
		return r.line, nil
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// sayNext tells what to do now, with commands that can be copied.
func (a *app) sayNext(b *beginning, file string, made []string) error {
	config := " --config " + shellWord(file)
	proxy := ""
	if len(b.cfg.TrustedProxies) > 0 {
		proxy = "\n  the reverse proxy passes " + b.cfg.PublicURL + " on to http://" + b.cfg.Listen + ", with X-Forwarded-For"
	}
	return a.say("wrote %s\nKeep a copy of the key, and not beside the backups of the database.\n\nNext:%s\n"+
		"  signet serve%s\n"+
		"  signet user add %s --generate-password%s   (while it runs; it prints your password)\n"+
		"  signet doctor%s   (says what does not fit yet)\n"+
		"  sign in at %s/login and change the password",
		strings.Join(made, ", "), proxy, config, b.administrator(), config, config, b.cfg.PublicURL)
}

// administrator is what "user add" is told of the person who answered.
func (b *beginning) administrator() string {
	name, _, _ := strings.Cut(b.email, "@")
	if !plainWord.MatchString(name) {
		name = "admin"
	}
	if b.email == "" {
		return name
	}
	return name + " --email " + shellWord(b.email) + " --email-verified"
}

var (
	plainWord = regexp.MustCompile(`^[a-z0-9][a-z0-9._-]{0,63}$`)
	bareWord  = regexp.MustCompile(`^[A-Za-z0-9@%+=:,./_-]+$`)
	bareYAML  = regexp.MustCompile(`^[A-Za-z/][A-Za-z0-9@./_-]*$`)
)

// shellWord quotes what a shell would read in another way.
func shellWord(s string) string {
	if bareWord.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}
