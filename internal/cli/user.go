package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/spf13/cobra"
)

func (a *app) userCommand() *cobra.Command {
	cmd := a.administration(&cobra.Command{Use: "user", Short: "Manage people"})
	cmd.AddCommand(
		a.userAdd(), a.userList(), a.userShow(), a.userSet(), a.userPassword(),
		a.userVerb("disable", "Keep a person from signing in; sessions and tokens end at once", http.MethodPost, "disable"),
		a.userVerb("enable", "Let a person sign in again", http.MethodPost, "enable"),
		a.userDelete(),
	)
	return cmd
}

// password is how a password reaches us: through standard input, or made here.
type password struct {
	stdin, generate bool
}

func (p *password) flags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&p.stdin, "password-stdin", false, "read the password from standard input, up to the first line break")
	cmd.Flags().BoolVar(&p.generate, "generate-password", false, "make a password and write it to standard output")
	cmd.MarkFlagsMutuallyExclusive("password-stdin", "generate-password")
}

// read returns the password; empty if none was asked for.
func (p *password) read(stdin io.Reader) (secret.Text, error) {
	switch {
	case p.generate:
		return secret.NewText(secret.ID()), nil // 128 bits
	case !p.stdin:
		return secret.Text{}, nil
	case terminal(stdin):
		return secret.Text{}, errors.New("standard input is a terminal, which would show the password; pipe it in, or use --generate-password")
	}
	line, err := bufio.NewReader(io.LimitReader(stdin, 4096)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return secret.Text{}, fmt.Errorf("read password: %w", err)
	}
	line = strings.TrimSuffix(strings.TrimSuffix(line, "\n"), "\r")
	if line == "" {
		return secret.Text{}, errors.New("standard input holds no password")
	}
	return secret.NewText(line), nil
}

// userFlags are the fields of a person that flags can set.
type userFlags struct {
	email, name string
	verified    bool
	groups      []string
}

func (f *userFlags) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.email, "email", "", "e-mail address")
	cmd.Flags().BoolVar(&f.verified, "email-verified", false, "the address is known to be the person's")
	cmd.Flags().StringVar(&f.name, "name", "", "name to show")
	cmd.Flags().StringSliceVar(&f.groups, "group", nil, "group the person belongs to (repeat for more)")
}

// userRequest is admin.NewUser as it is sent: here the password becomes readable.
type userRequest struct {
	admin.UserFields
	Password string `json:"password,omitempty"`
}

type passwordRequest struct {
	Password string `json:"password"`
}

// userWithPassword is the answer when a password was made.
type userWithPassword struct {
	admin.User
	Password string `json:"password,omitempty"`
}

func (a *app) userAdd() *cobra.Command {
	var f userFlags
	var pw password
	cmd := &cobra.Command{
		Use:   "add USERNAME",
		Short: "Add a person",
		Long:  "Add a person. Without a password the person cannot sign in until one is set.",
		Example: "  signet user add ann --email ann@example.com --name 'Ann Example' --generate-password\n" +
			"  signet user add bob --password-stdin < password.txt",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			text, err := pw.read(a.stdin)
			if err != nil {
				return err
			}
			req := userRequest{Password: text.Reveal(), UserFields: admin.UserFields{
				Username: args[0], Email: f.email, EmailVerified: f.verified, Groups: f.groups, Profile: idp.Profile{Name: f.name},
			}}
			var u admin.User
			if err := a.call(cmd.Context(), http.MethodPost, "/users", req, &u); err != nil {
				return a.taken(cmd.Context(), err, "", args[0], f.email)
			}
			made := ""
			if pw.generate {
				made = text.Reveal()
			}
			if err := a.writeUser(u, made); err != nil || !text.Empty() {
				return err
			}
			return a.say("%s has no password and cannot sign in until there is one: signet user password %s --generate-password", u.Username, shellWord(u.Username))
		},
	}
	f.flags(cmd)
	pw.flags(cmd)
	return cmd
}

func (a *app) userList() *cobra.Command {
	return &cobra.Command{
		Use:     "list",
		Short:   "List all people",
		Example: "  signet user list\n  signet user list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			users, err := a.allUsers(cmd.Context())
			if err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, users)
			}
			rows := make([][]string, 0, len(users))
			for _, u := range users {
				rows = append(rows, []string{u.Username, u.Email, u.Profile.Name, strings.Join(u.Groups, ","), yesNo(!u.DisabledAt.IsZero()), u.ID})
			}
			return table(a.stdout, []string{"USERNAME", "EMAIL", "NAME", "GROUPS", "DISABLED", "ID"}, rows)
		},
	}
}

func (a *app) allUsers(ctx context.Context) ([]admin.User, error) {
	const page = 500
	all := []admin.User{}
	for after := ""; ; {
		q := url.Values{"limit": {strconv.Itoa(page)}}
		if after != "" {
			q.Set("after", after)
		}
		var some []admin.User
		if err := a.call(ctx, http.MethodGet, "/users?"+q.Encode(), nil, &some); err != nil {
			return nil, err
		}
		all = append(all, some...)
		if len(some) < page {
			return all, nil
		}
		after = some[len(some)-1].Username
	}
}

func (a *app) userShow() *cobra.Command {
	return &cobra.Command{
		Use:     "show USER",
		Short:   "Show a person, named by username, e-mail address or id",
		Example: "  signet user show ann\n  signet user show ann@example.com --json",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var u admin.User
			if err := a.call(cmd.Context(), http.MethodGet, at("users", args[0]), nil, &u); err != nil {
				return err
			}
			return a.writeUser(u, "")
		},
	}
}

func (a *app) userSet() *cobra.Command {
	var f userFlags
	var username string
	cmd := &cobra.Command{
		Use:     "set USER",
		Short:   "Change what is known of a person; what no flag names stays",
		Example: "  signet user set ann --email ann@example.org --email-verified\n  signet user set ann --group staff --group admins",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var u admin.User
			if err := a.call(cmd.Context(), http.MethodGet, at("users", args[0]), nil, &u); err != nil {
				return err
			}
			change := map[string]any{}
			for _, c := range []struct {
				flag, member string
				value        any
			}{
				{"username", "username", username}, {"email", "email", f.email},
				{"email-verified", "email_verified", f.verified}, {"group", "groups", f.groups},
			} {
				if cmd.Flags().Changed(c.flag) {
					change[c.member] = c.value
				}
			}
			if cmd.Flags().Changed("name") {
				u.Profile.Name = f.name
				change["profile"] = u.Profile
			}
			if err := a.call(cmd.Context(), http.MethodPatch, at("users", u.ID), change, &u); err != nil {
				return a.taken(cmd.Context(), err, u.ID, username, f.email)
			}
			return a.writeUser(u, "")
		},
	}
	f.flags(cmd)
	cmd.Flags().StringVar(&username, "username", "", "new username")
	return cmd
}

// taken says which of the names somebody has who is not the person id. The server does not:
// what it answers with is logged, and its log names no people.
func (a *app) taken(ctx context.Context, err error, id string, names ...string) error {
	if e, ok := errors.AsType[*apiError](err); !ok || e.status != http.StatusConflict {
		return err
	}
	for _, name := range names {
		var u admin.User
		if name != "" && a.call(ctx, http.MethodGet, at("users", name), nil, &u) == nil && u.ID != id {
			return fmt.Errorf("%q belongs to the user %s already; choose another, or see who it is: signet user show %s", name, u.Username, shellWord(u.Username))
		}
	}
	return err
}

func (a *app) userPassword() *cobra.Command {
	var pw password
	cmd := &cobra.Command{
		Use:   "password USER",
		Short: "Set a person's password; all sessions and connected apps end",
		Example: "  signet user password ann --generate-password\n" +
			"  signet user password ann --password-stdin < password.txt",
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !pw.stdin && !pw.generate {
				return &usageError{cmd.CommandPath(), errors.New("give --password-stdin or --generate-password")}
			}
			text, err := pw.read(a.stdin)
			if err != nil {
				return err
			}
			if err := a.call(cmd.Context(), http.MethodPut, at("users", args[0], "password"), passwordRequest{text.Reveal()}, nil); err != nil {
				return err
			}
			fmt.Fprintln(a.stderr, "password set; all sessions and connected apps have ended")
			switch {
			case !pw.generate:
				return nil
			case a.json:
				return writeJSON(a.stdout, passwordRequest{text.Reveal()})
			}
			_, err = fmt.Fprintln(a.stdout, text.Reveal())
			return err
		},
	}
	pw.flags(cmd)
	return cmd
}

func (a *app) userVerb(name, short, method, verb string) *cobra.Command {
	return &cobra.Command{
		Use:     name + " USER",
		Short:   short,
		Example: "  signet user " + name + " ann",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := a.call(cmd.Context(), method, at("users", args[0], verb), nil, nil); err != nil {
				return err
			}
			return a.say("%s: %sd", args[0], verb)
		},
	}
}

func (a *app) userDelete() *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use:     "delete USER --yes",
		Short:   "Delete a person for ever; sessions and tokens end at once",
		Example: "  signet user delete ann --yes",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if !yes {
				return refused("this cannot be undone; say --yes if you mean it (\"signet user disable\" can be undone)")
			}
			if err := a.call(cmd.Context(), http.MethodDelete, at("users", args[0]), nil, nil); err != nil {
				return err
			}
			return a.say("%s: deleted", args[0])
		},
	}
	cmd.Flags().BoolVar(&yes, "yes", false, "delete it")
	return cmd
}

func (a *app) writeUser(u admin.User, made string) error {
	if a.json {
		return writeJSON(a.stdout, userWithPassword{u, made})
	}
	return describe(a.stdout, []field{
		{"id", u.ID}, {"username", u.Username}, {"email", u.Email}, {"email verified", yesNo(u.EmailVerified)},
		{"name", u.Profile.Name}, {"groups", strings.Join(u.Groups, ", ")},
		{"created", stamp(u.CreatedAt)}, {"disabled", stamp(u.DisabledAt)}, {"password", made},
	})
}

// call is one request to the server's administration socket.
func (a *app) call(ctx context.Context, method, path string, in, out any) error {
	c, err := a.api()
	if err != nil {
		return err
	}
	return c.call(ctx, method, path, in, out)
}

// say tells people that something was done.
func (a *app) say(format string, args ...any) error {
	_, err := fmt.Fprintln(a.stderr, visible(fmt.Sprintf(format, args...)))
	return err
}
