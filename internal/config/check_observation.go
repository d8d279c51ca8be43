package config

import (
	"errors"
	"net/url"
)

func (c Config) checkObservation() error {
	problems := []error{
		named("metrics_listen", c.checkMetricsListen()),
		named("traces_endpoint", checkTracesEndpoint(c.TracesEndpoint)),
		within("traces_percent", c.TracesPercent, 1, 100),
	}
	for _, n := range c.TracesSources {
		problems = append(problems, named("traces_sources", checkNetwork(n, "contains everybody: strangers could choose what is traced; name your networks")))
	}
	return errors.Join(problems...)
}

// checkMetricsListen: what is not for the public has a listener of its own (OPS-03).
func (c Config) checkMetricsListen() error {
	switch c.MetricsListen {
	case "":
		return nil
	case c.Listen:
		return errors.New("is the address of \"listen\", which the public reaches; give another port, like 127.0.0.1:9464")
	}
	return checkListen(c.MetricsListen)
}

func checkTracesEndpoint(s string) error {
	if s == "" {
		return nil
	}
	u, err := url.Parse(s)
	switch {
	case err != nil || u.Opaque != "" || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return errors.New("is not an address like http://127.0.0.1:4318") // which might hold a password
	case u.User != nil:
		return errors.New("must not contain a user name or password; remove everything before the @")
	case u.RawQuery != "" || u.ForceQuery || u.Fragment != "":
		return errors.New("must end with its path; remove the ? or # and all behind it")
	}
	return nil
}
