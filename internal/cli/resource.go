package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/spf13/cobra"
)

func (a *app) resourceCommand() *cobra.Command {
	cmd := a.administration(&cobra.Command{Use: "resource", Short: "Manage services that accept tokens, and their scopes"})
	cmd.AddCommand(a.resourcePut(), a.resourceList(), a.resourceShow(), a.resourceDelete())
	return cmd
}

func (a *app) resourcePut() *cobra.Command {
	var name, alg, file string
	var lifetime time.Duration
	var scopes, writes []string
	cmd := &cobra.Command{
		Use:   "put URI",
		Short: "Add a service or replace what is known of it",
		Long: "Add a service or replace what is known of it. The URI is the audience of its tokens; it is compared byte\n" +
			"for byte. A scope is given as NAME=TEXT, the text being what people consent to; those that only read and\n" +
			"those that change something stand apart there. A file can say more (several languages, details): it has\n" +
			"the form that \"signet resource show URI --json\" writes.",
		Example: "  signet resource put https://orders.example.com --name Orders --scope 'orders:read=See your orders' --write-scope 'orders:write=Change your orders'\n" +
			"  signet resource put https://orders.example.com --file orders.json",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			res := admin.Resource{Name: name, Alg: alg, AccessTokenLifetime: int64(lifetime / time.Second)}
			var err error
			if file != "" {
				res, err = a.readResource(file)
			} else {
				res.Scopes, err = parseScopes(scopes, writes)
			}
			if err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			if err := a.call(cmd.Context(), http.MethodPut, at("resources", args[0]), res, &res); err != nil {
				return err
			}
			return a.writeResource(res)
		},
	}
	cmd.Flags().StringVar(&name, "name", "", "name that people see")
	cmd.Flags().StringVar(&alg, "alg", "EdDSA", "how its tokens are signed: EdDSA, ES256, RS256, PS256, or ML-DSA-44, -65 or -87")
	cmd.Flags().DurationVar(&lifetime, "access-token-lifetime", 0, "how long its tokens live, 1m to 1h (default: the server's)")
	cmd.Flags().StringArrayVar(&scopes, "scope", nil, "scope as NAME=TEXT that only reads (repeat for more)")
	cmd.Flags().StringArrayVar(&writes, "write-scope", nil, "scope as NAME=TEXT that changes something (repeat for more)")
	cmd.Flags().StringVar(&file, "file", "", "read all from a JSON file; - is standard input")
	for _, other := range []string{"name", "alg", "access-token-lifetime", "scope", "write-scope"} {
		cmd.MarkFlagsMutuallyExclusive("file", other)
	}
	return cmd
}

func (a *app) readResource(file string) (res admin.Resource, err error) {
	in := a.stdin
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return res, err
		}
		defer f.Close()
		in = f
	}
	dec := json.NewDecoder(io.LimitReader(in, 1<<20))
	dec.DisallowUnknownFields()
	if err := dec.Decode(&res); err != nil {
		return res, fmt.Errorf("%s: %w", file, err)
	}
	return res, nil
}

// parseScopes reads those that only read, and those that change something.
func parseScopes(reads, writes []string) ([]idp.Scope, error) {
	scopes := make([]idp.Scope, 0, len(reads)+len(writes))
	for i, s := range slices.Concat(reads, writes) {
		name, text, ok := strings.Cut(s, "=")
		if !ok || name == "" || text == "" {
			return nil, errors.New("a scope is NAME=TEXT, like 'orders:read=See your orders'")
		}
		scopes = append(scopes, idp.Scope{Name: name, Title: map[string]string{"en": text}, Write: i >= len(reads)})
	}
	return scopes, nil
}

func (a *app) resourceList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List all services",
		Example: "  signet resource list\n  signet resource list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var resources []admin.Resource
			if err := a.call(cmd.Context(), http.MethodGet, "/resources", nil, &resources); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, resources)
			}
			rows := make([][]string, 0, len(resources))
			for _, r := range resources {
				rows = append(rows, []string{r.ID, r.Name, r.Alg, strings.Join(scopeNames(r.Scopes), " ")})
			}
			return table(a.stdout, []string{"ID", "NAME", "ALG", "SCOPES"}, rows)
		},
	}
}

func (a *app) resourceShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show URI",
		Short:   "Show a service",
		Example: "  signet resource show https://orders.example.com\n  signet resource show https://orders.example.com --json > orders.json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var resources []admin.Resource
			if err := a.call(cmd.Context(), http.MethodGet, "/resources", nil, &resources); err != nil {
				return err
			}
			for _, r := range resources {
				if r.ID == args[0] {
					return a.writeResource(r)
				}
			}
			return &exitError{exitNotFound, "not found"}
		},
	}
}

func (a *app) resourceDelete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "delete URI --yes",
		Short:   "Delete a service; no new tokens for it are made",
		Example: "  signet resource delete https://orders.example.com --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return refused("this cannot be undone; say --yes if you mean it")
			}
			if err := a.call(cmd.Context(), http.MethodDelete, at("resources", args[0]), nil, nil); err != nil {
				return err
			}
			return a.say("%s: deleted", args[0])
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "delete it")
	return cmd
}

func (a *app) writeResource(r admin.Resource) error {
	if a.json {
		return writeJSON(a.stdout, r)
	}
	lifetime := ""
	if r.AccessTokenLifetime > 0 {
		lifetime = (time.Duration(r.AccessTokenLifetime) * time.Second).String()
	}
	fields := []field{{"id", r.ID}, {"name", r.Name}, {"token format", r.TokenFormat}, {"alg", r.Alg}, {"access token lifetime", lifetime}}
	if strings.HasPrefix(r.Alg, "ML-DSA") {
		fields = append(fields, field{"keys", "at /jwks-pq.json, not in the usual set: its verifiers need verify.KeySetURL and verify/mldsa"})
	}
	for _, s := range r.Scopes {
		name := "scope"
		if s.Write {
			name = "write scope"
		}
		fields = append(fields, field{name, s.Name + " (" + s.Title["en"] + ")"})
	}
	return describe(a.stdout, fields)
}

func scopeNames(scopes []idp.Scope) []string {
	names := make([]string, 0, len(scopes))
	for _, s := range scopes {
		names = append(names, s.Name)
	}
	return names
}
