package cli

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
)

// beginning is what the first configuration is made from.
type beginning struct {
	given struct{ publicURL, email, smtp, database string } // as flags

	cfg              config.Config // only what differs from the defaults
	email            string        // of the administrator; empty: not told
	smtpPassword     secret.Text   // to be written to a file
	databasePassword secret.Text

	smtpPasswordFile, databasePasswordFile string // of flags: they exist already
}

var errSecretArgument = errors.New("a password on a command line can be read by all users of this machine; put it into a file of its own and name that")

func (b *beginning) setPublicURL(answer string, _ bool) error {
	b.cfg.PublicURL = answer
	return config.CheckPublicURL(answer)
}

func (b *beginning) setEmail(answer string, _ bool) (err error) {
	if answer != "none" {
		if b.email, err = idp.Mailbox(answer); err != nil {
			return errors.New("is not an e-mail address, like ann@example.com")
		}
	}
	return nil
}

// setSMTP reads a server's name or a URL. Errors do not repeat it: it may hold a password.
func (b *beginning) setSMTP(answer string, typed bool) error {
	if answer == "none" {
		return nil
	}
	if !strings.Contains(answer, "://") {
		answer = "smtp://" + answer
	}
	u, err := url.Parse(answer)
	if err != nil || u.Hostname() == "" || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Scheme != "smtp" && u.Scheme != "smtps" {
		return errors.New("is none of none, HOST, HOST:PORT, smtp://USER@HOST:PORT and smtps://USER@HOST")
	}
	s := config.SMTP{Host: u.Hostname(), Username: u.User.Username(), From: "no-reply@" + b.domain()}
	if u.Scheme == "smtps" {
		s.TLS = "implicit"
	}
	if u.Port() != "" {
		if s.Port, err = strconv.Atoi(u.Port()); err != nil || s.Port == 0 {
			return errors.New("has a port that is no number")
		}
	}
	password, inURL := u.User.Password()
	switch {
	case inURL && !typed:
		return fmt.Errorf("%w with --smtp-password-file", errSecretArgument)
	case inURL && password != "":
		b.smtpPassword, s.PasswordFile = secret.NewText(password), "smtp-password"
	case s.Username != "" && b.smtpPasswordFile != "":
		s.PasswordFile = b.smtpPasswordFile
	case s.Username != "" && typed:
		return errors.New("has a user without a password; write smtp://USER:PASSWORD@HOST, it is put into a file of its own")
	case s.Username != "":
		return errors.New("has a user without a password; name the file with it with --smtp-password-file")
	}
	b.cfg.SMTP = s
	return nil
}

// domain is where mail comes from: the SMTP server of the administrator may most likely
// send for the administrator's own domain.
func (b *beginning) domain() string {
	if _, domain, ok := strings.Cut(b.email, "@"); ok {
		return domain
	}
	u, err := url.Parse(b.cfg.PublicURL)
	if err != nil || u.Hostname() == "localhost" || net.ParseIP(u.Hostname()) != nil {
		return "example.com"
	}
	return u.Hostname()
}

func (b *beginning) setDatabase(answer string, typed bool) error {
	b.databasePassword, b.cfg.DatabasePasswordFile = secret.Text{}, b.databasePasswordFile
	if path, ok := strings.CutPrefix(answer, "sqlite:"); ok && path != "" {
		path, err := filepath.Abs(path)
		if err != nil {
			return err
		}
		answer = "sqlite:" + path
	}
	if answer == "sqlite" {
		return nil
	}
	if u, err := url.Parse(answer); err == nil && u.User != nil {
		if password, ok := u.User.Password(); ok && !typed {
			return fmt.Errorf("%w with --database-password-file", errSecretArgument)
		} else if ok && password != "" {
			b.databasePassword, b.cfg.DatabasePasswordFile = secret.NewText(password), "database-password"
			u.User = url.User(u.User.Username())
			answer = u.String()
		}
	}
	b.cfg.Database = answer
	return config.CheckDatabase(answer)
}

// absolute makes paths of flags such: they belong to the working directory, those in the
// file to the file's.
func (b *beginning) absolute() (err error) {
	for _, path := range []*string{&b.cfg.TLSCert, &b.cfg.TLSKey, &b.cfg.DataDir, &b.smtpPasswordFile, &b.databasePasswordFile} {
		if *path != "" {
			if *path, err = filepath.Abs(*path); err != nil {
				return err
			}
		}
	}
	return nil
}

// complete decides what nobody was asked about.
func (b *beginning) complete(dir string) error {
	b.cfg.KeyFile = "key"
	if b.cfg.DataDir == "" {
		b.cfg.DataDir = "data"
		if strings.HasPrefix(dir+"/", "/etc/") {
			b.cfg.DataDir = "/var/lib/signet"
		}
	}
	u, err := url.Parse(b.cfg.PublicURL)
	if err != nil {
		return err
	}
	host, port := "127.0.0.1", u.Port()
	switch {
	case u.Scheme == "http":
		if u.Hostname() != "localhost" {
			host = u.Hostname()
		}
		if port == "" {
			port = "80"
		}
	case b.cfg.TLSCert != "" || b.cfg.TLSKey != "":
		host = ""
		if port == "" {
			port = "443"
		}
	default:
		port, b.cfg.TrustedProxies = "8080", []string{"127.0.0.1"}
	}
	b.cfg.Listen = net.JoinHostPort(host, port)
	return b.check(dir)
}

// check holds the configuration to what it would be read as.
func (b *beginning) check(dir string) error {
	c := b.cfg
	if !filepath.IsAbs(c.DataDir) {
		c.DataDir = filepath.Join(dir, c.DataDir)
	}
	return c.WithDefaults().Check()
}

// write makes the configuration, its key and the files of passwords, and returns their
// names: all of them or none.
func (b *beginning) write(file string) (made []string, err error) {
	dir := filepath.Dir(file)
	if err := b.complete(dir); err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			for _, name := range made {
				err = errors.Join(err, os.Remove(name))
			}
			made = nil
		}
	}()
	key := filepath.Join(dir, b.cfg.KeyFile)
	if err := config.NewKey(key); errors.Is(err, os.ErrExist) {
		return nil, fmt.Errorf("%w, or begin in another directory: signet init --config DIR/%s", err, filepath.Base(file))
	} else if err != nil {
		return nil, err
	}
	made = append(made, key)
	for _, f := range []struct {
		name, text string
		mode       os.FileMode
	}{
		{filepath.Join(dir, "smtp-password"), b.smtpPassword.Reveal(), 0o600},
		{filepath.Join(dir, "database-password"), b.databasePassword.Reveal(), 0o600},
		{file, b.text(), 0o644},
	} {
		if f.text == "" {
			continue
		}
		if err := writeNew(f.name, f.text, f.mode); err != nil {
			return made, err
		}
		made = append(made, f.name)
	}
	return made, nil
}

// writeNew writes a file that must not exist yet. The mode is not the umask's to change: a
// service with a user of its own must be able to read the configuration.
func writeNew(name, text string, mode os.FileMode) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// text is the configuration file, at most 15 lines.
func (b *beginning) text() string {
	var t strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&t, format+"\n", args...) }
	c := b.cfg
	about := ""
	if b.email != "" {
		about = " of " + b.email
	}
	line("# signet%s. All keys: docs/reference/configuration.md; what does not fit: signet doctor", about)
	line("public_url: %s", c.PublicURL)
	line("key_file: %s # opens the signing keys: keep a copy, and not beside the backups", c.KeyFile)
	line("data_dir: %s", yamlText(c.DataDir))
	if c.Database != "" {
		line("database: %s", yamlText(c.Database))
	}
	if c.DatabasePasswordFile != "" {
		line("database_password_file: %s", yamlText(c.DatabasePasswordFile))
	}
	line("%s", smtpLine(c.SMTP))
	line("listen: %s", yamlText(c.Listen))
	switch {
	case c.TLSCert != "":
		line("tls_cert: %s", yamlText(c.TLSCert))
		line("tls_key: %s", yamlText(c.TLSKey))
	case len(c.TrustedProxies) > 0:
		line("# https needs somebody who speaks TLS. Here it is a reverse proxy on this machine; for one on another")
		line("# machine, name its address here, and in listen an address of this machine that it reaches.")
		line("trusted_proxies: [%s]", strings.Join(c.TrustedProxies, ", "))
		line("# Without a proxy, remove the line above, write listen: :443, and fill in:")
		line("# tls_cert: /etc/signet/tls.crt")
		line("# tls_key: /etc/signet/tls.key")
	}
	return t.String()
}

func smtpLine(s config.SMTP) string {
	if s.Host == "" {
		return "# smtp: {host: smtp.example.com, from: no-reply@example.com} # without it nobody gets mail"
	}
	fields := []string{"host: " + yamlText(s.Host)}
	for _, f := range []field{{"tls", s.TLS}, {"username", s.Username}, {"password_file", s.PasswordFile}, {"from", s.From}} {
		if f.value != "" {
			fields = append(fields, f.name+": "+yamlText(f.value))
		}
	}
	if s.Port != 0 {
		fields = append(fields, "port: "+strconv.Itoa(s.Port))
	}
	return "smtp: {" + strings.Join(fields, ", ") + "}"
}

// yamlText writes a text so that YAML reads the same one.
func yamlText(s string) string {
	if bareYAML.MatchString(s) {
		return s
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}
