package config_test

import (
	"strings"
	"testing"
)

// Every refused value with the text that the operator reads.
func TestCheck(t *testing.T) {
	t.Parallel()
	const base = "key_file: key\ntrusted_proxies: [127.0.0.1]\n"
	for text, want := range map[string]string{
		"":                                                                                         "public_url: missing; give the address",
		"public_url: id.example.com":                                                               "is not an address like",
		"public_url: ftp://id.example.com":                                                         "is not an address like",
		"public_url: https://":                                                                     "is not an address like",
		"public_url: https://id.example.com/":                                                      "must not end in a slash; write https://id.example.com",
		"public_url: https://id.example.com/auth":                                                  "must not contain a path",
		"public_url: https://id.example.com?x=1":                                                   "must not contain a query",
		"public_url: https://id.example.com?":                                                      "must not contain a query",
		"public_url: 'https://id.example.com#x'":                                                   "must not contain a fragment",
		"public_url: 'https://id.example.com#'":                                                    "must not contain a fragment",
		"public_url: https://ann:pw@id.example.com":                                                "must not contain a user name or password",
		"public_url: http://id.example.com":                                                        "plain http is for loopback hosts only; write https://id.example.com",
		"public_url: http://127.0.0.1.example.com":                                                 "plain http is for loopback hosts only",
		"public_url: http://0.0.0.0:8080":                                                          "plain http is for loopback hosts only",
		"public_url: https://ID.example.com":                                                       "write the host in lower case: id.example.com",
		"public_url: https://id.exämple.com":                                                       "xn--",
		"public_url: https://id.example.com.":                                                      "must not begin or end with a dot",
		"public_url: https://id.example.com:443":                                                   "leave out the usual port: https://id.example.com",
		"public_url: http://localhost:80":                                                          "leave out the usual port: http://localhost",
		"public_url: 'https://id.example.com:'":                                                    "ends in a colon",
		"public_url: https://id.example.com:99999":                                                 "is not a port",
		"public_url: https://id.example.com:0":                                                     "is not a port",
		minimal + "listen: 8080":                                                                   `listen: "8080" is not host:port`,
		minimal + "listen: id.example.com:80":                                                      "is not an IP address of this machine",
		minimal + "listen: 127.0.0.1:http":                                                         `"http" is not a port`,
		minimal + "data_dir: /" + strings.Repeat("a/", 50):                                         "data_dir: too long: the administration socket's path would have",
		minimal + "database: postgres://u:hunter2@db/x":                                            "database: must not hold a password",
		minimal + "database: 'postgres://u@localhost/x?password=hunter2'":                          "database: must not hold a password",
		minimal + "database: postgres://u@db.example.com/x":                                        "say how the connection is protected: sslmode=verify-full",
		minimal + "database: postgres://u@localhost,db.example.com/x":                              "say how the connection is protected",
		minimal + "database: postgres://u@localhost/x?host=db.example.com":                         "say how the connection is protected",
		minimal + "database: postgres://u@db.example.com/x?sslmode=prefer":                         "sslmode=prefer may end without protection",
		minimal + "database: postgres://u@localhost":                                               "names no database",
		minimal + "database: postgres://u:%zz@localhost/x":                                         "is not an address like",
		minimal + "database_password_file: hunter2":                                                "database_password_file: is for PostgreSQL",
		minimal + "database: mysql://hunter2@localhost/x":                                          `is neither "sqlite:" and a path`,
		minimal + "database: /var/lib/x.db":                                                        `database: is neither "sqlite:" and a path`,
		minimal + "database: 'sqlite:'":                                                            `database: is neither "sqlite:" and a path`,
		minimal + "database: 'sqlite:///x.db'":                                                     `database: is neither "sqlite:" and a path`,
		minimal + "database: 'sqlite:x.db?mode=memory'":                                            "must not contain ? or #",
		minimal + "tls_cert: a":                                                                    "tls_cert, tls_key: one without the other",
		minimal + "tls_key: a":                                                                     "tls_cert, tls_key: one without the other",
		minimal + "lifetimes: {access_token: 59s}":                                                 "lifetimes.access_token: 59s is not between 1m0s and 1h0m0s",
		minimal + "lifetimes: {access_token: 2h}":                                                  "lifetimes.access_token: 2h0m0s is not between",
		minimal + "lifetimes: {id_token: 1d}":                                                      "lifetimes.id_token",
		minimal + "lifetimes: {refresh_token: 401d}":                                               "lifetimes.refresh_token",
		minimal + "lifetimes: {session: 91d}":                                                      "lifetimes.session:",
		minimal + "lifetimes: {session: 1h, session_idle: 2h}":                                     "lifetimes.session_idle: 2h0m0s is not between 5m0s and 1h0m0s",
		minimal + "limits: {max_connections: 1}":                                                   "limits.max_connections: 1 is not between 10 and 1000000",
		minimal + "limits: {max_header_bytes: 100}":                                                "limits.max_header_bytes",
		minimal + "limits: {read_header_timeout: 5m}":                                              "limits.read_header_timeout",
		minimal + "limits: {read_timeout: 1s}":                                                     "limits.read_timeout: 1s is not between 5s and",
		minimal + "limits: {write_timeout: 1s}":                                                    "limits.write_timeout",
		minimal + "limits: {idle_timeout: 2h}":                                                     "limits.idle_timeout",
		minimal + "limits: {password_memory_mib: 16}":                                              "limits.password_memory_mib",
		minimal + "log: {level: loud}":                                                             `log.level: "loud" is none of debug, info, warn, error`,
		minimal + "log: {format: xml}":                                                             "log.format",
		minimal + "brand: {name: " + strings.Repeat("a", 81) + "}":                                 "brand.name: longer than 80 bytes",
		minimal + "smtp: {from: a@example.com}":                                                    "smtp.host: missing",
		minimal + "smtp: {host: smtp.example.com}":                                                 "smtp.from:",
		minimal + "smtp: {host: 'smtp.example.com:25', from: a@example.com}":                       "smtp.host:",
		minimal + "smtp: {host: smtp.example.com, from: a@example.com, port: 70000}":               "smtp.port: 70000 is not a port",
		minimal + "smtp: {host: smtp.example.com, from: a@example.com, username: a}":               "smtp.username, smtp.password_file: one without the other",
		minimal + "smtp: {host: smtp.example.com, from: a@example.com, tls: none}":                 `smtp.tls: "none" is for a server on this machine only`,
		minimal + "smtp: {host: smtp.example.com, from: a@example.com, tls: starttls}":             `smtp.tls: "starttls" is none of`,
		"public_url: https://id.example.com\nkey_file: k":                                          "tls_cert: public_url is https, but nobody speaks TLS",
		"public_url: http://localhost:8080\nkey_file: k\ntls_cert: a\ntls_key: b":                  "tls_cert: public_url is http",
		"public_url: https://id.example.com\ntrusted_proxies: [127.0.0.1]":                         `key_file: missing; make a key with "signet key new FILE"`,
		"public_url: https://id.example.com\nkey_file: k\ntrusted_proxies: [proxy]":                `trusted_proxies: "proxy" is neither an address nor a prefix`,
		"public_url: https://id.example.com\nkey_file: k\ntrusted_proxies: [127.0.0.1, 0.0.0.0/0]": `trusted_proxies: "0.0.0.0/0" trusts everybody`,
		"public_url: https://id.example.com\nkey_file: k\ntrusted_proxies: [127.0.0.1]\nverifier_networks: [0.0.0.0/0]": `verifier_networks: "0.0.0.0/0" contains everybody`,
		"public_url: https://id.example.com\nkey_file: k\ntrusted_proxies: [127.0.0.1]\noutbound_networks: [\"::/0\"]":  `outbound_networks: "::/0" contains every address`,
		"public_url: https://id.example.com\nkey_file: k\ntrusted_proxies: [127.0.0.1]\noutbound_networks: [intra]":     `outbound_networks: "intra" is neither an address nor a prefix`,
		"public_url: https://id.example.com\nkey_file: k\ntrusted_proxies: [127.0.0.1]\nverifier_networks: [cluster]":   `verifier_networks: "cluster" is neither an address nor a prefix`,
		"public_url: https://id.example.com\nkey_file: k\ntrusted_proxies: ['::/0']":                                    `trusted_proxies: "::/0" trusts everybody`,
		"public_url: https://id.example.com\nkey_file: k\ntrusted_proxies: ['::ffff:10.0.0.0/104']":                     "is neither an address nor a prefix",
	} {
		if !strings.Contains(text, "key_file") && !strings.Contains(text, "trusted_proxies") {
			text += "\n" + base
		}
		_, err := load(t, text)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("%q: the error shows a secret: %v", text, err)
		}
	}
}

func TestCheck_Accepted(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"public_url: http://localhost:8080\nkey_file: k",
		"public_url: http://127.0.0.1:8080\nkey_file: k\nlisten: 127.0.0.1:8080",
		"public_url: 'http://[::1]:8080'\nkey_file: k\nlisten: '[::1]:8080'",
		"public_url: https://id.example.com:8443\nkey_file: k\ntls_cert: a\ntls_key: b\nlisten: :8443",
		"public_url: https://xn--bcher-kva.example\nkey_file: k\ntrusted_proxies: 10.0.0.0/8",
		minimal + "smtp: {host: localhost, from: a@example.com, tls: none}",
		minimal + "lifetimes: {session: 1h}", // the idle time follows
	} {
		if _, err := load(t, text); err != nil {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// What protects less than the default is said at every start.
func TestLoosened(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"lifetimes: {access_token: 10m}":                           "lifetimes.access_token is 10m0s, longer than the default of 5m0s",
		"lifetimes: {id_token: 10m}":                               "lifetimes.id_token",
		"lifetimes: {refresh_token: 91d}":                          "lifetimes.refresh_token",
		"lifetimes: {session: 31d}":                                "lifetimes.session is",
		"lifetimes: {session_idle: 13h}":                           "lifetimes.session_idle",
		"limits: {read_header_timeout: 6s}":                        "limits.read_header_timeout",
		"limits: {read_timeout: 11s}":                              "limits.read_timeout",
		"limits: {write_timeout: 31s}":                             "limits.write_timeout",
		"limits: {idle_timeout: 3m}":                               "limits.idle_timeout",
		"limits: {max_connections: 20000}":                         "limits.max_connections is 20000, more than the default of 10000",
		"limits: {max_header_bytes: 32768}":                        "limits.max_header_bytes",
		"listen: :8080":                                            "listen is :8080 without tls_cert",
		"smtp: {host: 127.0.0.1, from: a@example.com, tls: none}":  "smtp.tls is none",
		"lifetimes: {access_token: 1m, id_token: 1m, session: 5m}": "",
		"limits: {max_connections: 10, write_timeout: 5s}":         "",
		"listen: 127.0.0.1:1\nlimits: {password_memory_mib: 512}":  "",
		"tls_cert: a\ntls_key: b\nlisten: :443":                    "",
		"smtp: {host: smtp.example.com, from: a@example.com}":      "",
	} {
		c, err := load(t, minimal+text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		got := strings.Join(c.Loosened(), "\n")
		if want == "" && got != "" || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
