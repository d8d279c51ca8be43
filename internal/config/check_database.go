package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

// CheckDatabase says what is wrong with the name of a database, without repeating it.
func CheckDatabase(dsn string) error {
	if isPostgres(dsn) {
		return checkPostgres(dsn)
	}
	path, ok := strings.CutPrefix(dsn, "sqlite:")
	switch {
	case !ok || path == "" || strings.HasPrefix(path, "//"):
		// The text must not show what was given: an address may hold a password.
		return errors.New("is neither \"sqlite:\" and a path, like sqlite:/var/lib/signet/signet.db, nor an address like postgres://signet@db.example.com/signet?sslmode=verify-full")
	case strings.ContainsAny(path, "?#"):
		return errors.New("the path must not contain ? or #")
	}
	return nil
}

func isPostgres(dsn string) bool {
	return strings.HasPrefix(dsn, "postgres://") || strings.HasPrefix(dsn, "postgresql://")
}

func checkPostgres(dsn string) error {
	u, err := url.Parse(dsn)
	if err != nil {
		return errors.New("is not an address like postgres://signet@db.example.com/signet?sslmode=verify-full")
	}
	q, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		return errors.New("has parameters behind the ? that cannot be read; write name=value, joined by &")
	}
	_, inUser := u.User.Password()
	switch {
	case inUser || q.Has("password"):
		return errors.New("must not hold a password, because configurations are shown around; put it into a file and name that in database_password_file")
	case strings.Trim(u.Path, "/") == "" && q.Get("dbname") == "":
		return errors.New("names no database; write its name behind the host, like postgres://signet@db.example.com/signet")
	case onThisMachine(u, q):
		return nil
	}
	switch mode := q.Get("sslmode"); mode {
	case "verify-full", "verify-ca", "require", "disable":
		return nil
	case "":
		return errors.New("is on another machine, so say how the connection is protected: sslmode=verify-full, or sslmode=disable on a network that nobody else can reach")
	default:
		return fmt.Errorf("sslmode=%s may end without protection; write sslmode=verify-full, or sslmode=disable on a network that nobody else can reach", mode)
	}
}

// onThisMachine: through a socket or the loopback interface.
func onThisMachine(u *url.URL, q url.Values) bool {
	hosts := u.Host
	if q.Has("host") {
		hosts = q.Get("host")
	}
	for host := range strings.SplitSeq(hosts, ",") {
		name := (&url.URL{Host: host}).Hostname()
		if name != "" && !strings.HasPrefix(host, "/") && !loopback(name) {
			return false
		}
	}
	return true
}

// looseSSLMode returns the sslmode of a connection to another machine that does not make
// sure who is there; empty if it does.
func looseSSLMode(dsn string) string {
	if !isPostgres(dsn) {
		return ""
	}
	u, err := url.Parse(dsn)
	if err != nil || onThisMachine(u, u.Query()) {
		return ""
	}
	if mode := u.Query().Get("sslmode"); mode != "verify-full" {
		return mode
	}
	return ""
}

func (c Config) checkDatabasePassword() error {
	if c.DatabasePasswordFile != "" && !isPostgres(c.Database) {
		return errors.New("is for PostgreSQL; remove the line, or name the database in \"database\"")
	}
	return nil
}
