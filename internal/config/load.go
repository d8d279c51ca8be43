package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"strings"

	"go.yaml.in/yaml/v4"
)

const (
	envPrefix    = "SIGNET_"
	envFile      = envPrefix + "CONFIG"
	maxFileBytes = 1 << 20
)

// Load reads the configuration and checks it: see Read and Check. A path that is not empty
// names the file; env is what os.Environ gives.
func Load(path string, env []string) (Config, error) {
	c, err := Read(path, env)
	if err != nil {
		return Config{}, err
	}
	if err := c.Check(); err != nil {
		return Config{}, c.explain(err)
	}
	return c, nil
}

// Read reads the file and the environment, which wins, and fills in the defaults. It does
// not ask whether the values make a server: administration commands need the data
// directory only.
func Read(path string, env []string) (Config, error) {
	vars := environment(env)
	path, err := find(path, vars)
	if err != nil {
		return Config{}, err
	}
	var c Config
	if path != "" {
		if err := c.readFile(path); err != nil {
			return Config{}, err
		}
	}
	if err := c.readEnvironment(vars); err != nil {
		return Config{}, c.explain(err)
	}
	c.OTel = readOTel(vars)
	return c.WithDefaults(), nil
}

// explain puts the file's name above what is wrong, one line for each.
func (c Config) explain(err error) error {
	name := c.File
	if name == "" {
		name = "of the environment (no file was found; name one with --config, or write one with: signet init)"
	}
	text := strings.ReplaceAll(err.Error(), "\n", "\n  ")
	return fmt.Errorf("configuration %s:\n  %s", name, text)
}

// environment keeps the variables that are not empty and may be ours.
func environment(env []string) map[string]string {
	vars := map[string]string{}
	for _, kv := range env {
		name, value, _ := strings.Cut(kv, "=")
		if value != "" && (strings.HasPrefix(name, envPrefix) || strings.HasPrefix(name, "OTEL_") || name == "XDG_CONFIG_HOME" || name == "HOME") {
			vars[name] = value
		}
	}
	return vars
}

// find returns the file to read: the one that was named, or the first that exists.
func find(path string, vars map[string]string) (string, error) {
	if path == "" {
		path = vars[envFile]
	}
	if path != "" {
		_, err := os.Stat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return "", fmt.Errorf("there is no file %[1]s; make one with: signet init --config %[1]s", path)
		case err != nil:
			return "", fmt.Errorf("configuration file: %w", err)
		}
		return path, nil
	}
	for _, p := range searchPath(vars) {
		_, err := os.Stat(p)
		switch {
		case err == nil:
			return p, nil
		case !errors.Is(err, fs.ErrNotExist):
			// Another file further down might say something else than this one.
			return "", fmt.Errorf("configuration file: %w", err)
		}
	}
	return "", nil
}

func searchPath(vars map[string]string) []string {
	paths := []string{"signet.yaml"}
	switch {
	case vars["XDG_CONFIG_HOME"] != "":
		paths = append(paths, filepath.Join(vars["XDG_CONFIG_HOME"], "signet", "signet.yaml"))
	case vars["HOME"] != "":
		paths = append(paths, filepath.Join(vars["HOME"], ".config", "signet", "signet.yaml"))
	}
	return append(paths, filepath.FromSlash("/etc/signet/signet.yaml"))
}

func (c *Config) readFile(path string) error {
	path, err := filepath.Abs(path)
	if err != nil {
		return err
	}
	f, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, maxFileBytes+1))
	if err != nil {
		return fmt.Errorf("configuration file: %w", err)
	}
	if len(data) > maxFileBytes {
		return fmt.Errorf("configuration file %s: larger than %d bytes", path, maxFileBytes)
	}
	c.File = path
	if err := c.parse(data); err != nil {
		return c.explain(err)
	}
	c.resolve(filepath.Dir(path))
	return nil
}

func (c *Config) parse(data []byte) error {
	var doc yaml.Node
	if err := yaml.Load(data, &doc); err != nil {
		if strings.TrimSpace(string(data)) == "" {
			return nil
		}
		return wherein(err)
	}
	root := &doc
	if doc.Kind == yaml.DocumentNode {
		if len(doc.Content) != 1 {
			return nil // only comments
		}
		root = doc.Content[0]
	}
	if root.Kind == 0 || isNull(root) {
		return nil
	}
	return decode(root, reflect.ValueOf(c).Elem(), "")
}

// wherein says in which line the file is no YAML.
func wherein(err error) error {
	e, ok := errors.AsType[*yaml.LoadError](err)
	if !ok || e.Mark.Line == 0 {
		return err
	}
	return fmt.Errorf("line %d: this is no YAML: %s", e.Mark.Line, e.Message)
}

func (c *Config) readEnvironment(vars map[string]string) error {
	var problems []error
	known := map[string]bool{envFile: true}
	base, err := os.Getwd()
	if err != nil {
		return err
	}
	eachKey(reflect.ValueOf(c).Elem(), "", func(key string, field reflect.Value) {
		name := envName(key)
		known[name] = true
		value, ok := vars[name]
		if !ok {
			return
		}
		if isPath(key) {
			value = inDir(base, value)
		}
		if err := setText(field, value); err != nil {
			problems = append(problems, fmt.Errorf("%s: %w", name, err))
		}
	})
	// Names that begin like ours may be somebody else's: Kubernetes sets SIGNET_PORT for a
	// service called signet. One that is a letter or two away from ours is a mistake.
	for name := range vars {
		if !known[name] {
			if near := nearest(name, known); near != "" {
				problems = append(problems, fmt.Errorf("%s: unknown environment variable; did you mean %s?", name, near))
			}
		}
	}
	return errors.Join(problems...)
}

// envName is the environment variable of a key: smtp.host is SIGNET_SMTP_HOST.
func envName(key string) string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

// isPath reports whether the key's value is a path.
func isPath(key string) bool {
	switch key {
	case "key_file", "previous_key_file", "data_dir", "tls_cert", "tls_key", "brand.logo", "brand.logo_dark", "smtp.password_file", "database", "database_password_file":
		return true
	}
	return false
}

// resolve makes the paths of the file absolute.
func (c *Config) resolve(dir string) {
	eachKey(reflect.ValueOf(c).Elem(), "", func(key string, field reflect.Value) {
		if isPath(key) {
			field.SetString(inDir(dir, field.String()))
		}
	})
}

func inDir(dir, path string) string {
	kind, rest, ok := strings.Cut(path, ":")
	switch {
	case ok && kind == "sqlite":
		return kind + ":" + inDir(dir, rest)
	case path == "" || filepath.IsAbs(path) || strings.Contains(path, "://"):
		return path
	}
	return filepath.Join(dir, path)
}
