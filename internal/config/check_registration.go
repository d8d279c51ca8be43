package config

import (
	"errors"
	"fmt"
	"net/url"
	"strings"
)

func (c Config) checkRegistration() error {
	problems := []error{
		named("registration", oneOf(c.Registration, "off", "token", "open")),
		named("client_id_metadata_documents", oneOf(c.ClientIDMetadataDocuments, "off", "on")),
	}
	for _, s := range c.RegistrationScopes {
		if s == "" || strings.ContainsAny(s, " \"\\") {
			problems = append(problems, fmt.Errorf("registration_scopes: %q is no scope", s))
		}
	}
	for key, hosts := range map[string][]string{"client_id_hosts_allowed": c.ClientIDHostsAllowed, "client_id_hosts_denied": c.ClientIDHostsDenied} {
		for _, h := range hosts {
			problems = append(problems, named(key, checkClientHost(h)))
		}
	}
	return errors.Join(problems...)
}

// checkClientHost wants the spelling that is compared.
func checkClientHost(host string) error {
	u, err := url.Parse("https://" + host)
	if err != nil || u.Hostname() != host && "["+u.Hostname()+"]" != host || host == "" {
		return fmt.Errorf("%q is not a host; leave out scheme, port and path", host)
	}
	return checkHost(u)
}
