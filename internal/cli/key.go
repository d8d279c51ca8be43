package cli

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/config"
	"github.com/spf13/cobra"
)

func (a *app) keyCommand() *cobra.Command {
	cmd := a.administration(&cobra.Command{Use: "key", Short: "Signing keys, and the key-encryption key that seals them"})
	cmd.AddCommand(a.keyNew(), a.keyList(), a.keyRotate(), a.keyRetire(), a.keyRewrap(), a.keyBundle())
	return cmd
}

func (a *app) keyNew() *cobra.Command {
	return &cobra.Command{
		Use:   "new FILE",
		Short: "Write a new key-encryption key (key_file) to a file that does not exist yet",
		Long: "Write a new key-encryption key (key_file) to a file that does not exist yet. It seals the signing keys in\n" +
			"the database: keep a copy, and not beside the backup of the database.",
		Example: "  signet key new /etc/signet/key",
		Args:    cobra.ExactArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := config.NewKey(args[0]); err != nil {
				return err
			}
			return a.say("wrote %s; keep a copy of it, and not beside the backup of the database", args[0])
		},
	}
}

func (a *app) keyList() *cobra.Command {
	return &cobra.Command{
		Use:   "list",
		Short: "List the signing keys, where each is in its life, and what happens to it next",
		Long: "List the signing keys, where each is in its life, and what happens to it next. A key is staged (published, so\n" +
			"that everybody knows it before it signs), active for 30 days, retiring (verifies what it signed until that has\n" +
			"expired) and retired: its private half is destroyed, its public half verifies nothing but id_token_hint. All of\n" +
			"it happens by itself.",
		Example: "  signet key list\n  signet key list --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var keys []admin.Key
			if err := a.call(cmd.Context(), http.MethodGet, "/keys", nil, &keys); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, keys)
			}
			rows := make([][]string, 0, len(keys))
			for _, k := range keys {
				rows = append(rows, []string{
					k.ID, k.Alg, k.State, stamp(k.StagedAt), stamp(k.ActiveAt), stamp(k.RetiringAt), stamp(k.RetiredAt), next(k),
				})
			}
			return table(a.stdout, []string{"ID", "ALG", "STATE", "STAGED", "ACTIVE", "RETIRING", "RETIRED", "NEXT"}, rows)
		},
	}
}

// next is what happens to a key, and when.
func next(k admin.Key) string {
	if k.NextAt.IsZero() {
		return ""
	}
	return k.Next + " " + stamp(k.NextAt)
}

func (a *app) keyRotate() *cobra.Command {
	var alg string
	cmd := &cobra.Command{
		Use:   "rotate",
		Short: "Let every signing key have its successor now, or with --alg one",
		Long: "Let every signing key have its successor now, or with --alg one. The successor is published at once and signs\n" +
			"an hour later, when everybody has had the time to fetch it; the old key goes on verifying what it signed. Nothing\n" +
			"that was issued is refused. Asking again changes nothing. Keys rotate by themselves every 30 days: this is for\n" +
			"those who want it earlier, or after the server's clock was wrong.",
		Example: "  signet key rotate\n  signet key rotate --alg RS256",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return a.succeed(cmd, "/keys/rotate", admin.Rotation{Alg: strings.TrimSpace(alg)})
		},
	}
	cmd.Flags().StringVar(&alg, "alg", "", "only the key of this algorithm, such as RS256")
	return cmd
}

// succeed asks for successors and says when they sign.
func (a *app) succeed(cmd *cobra.Command, path string, in any) error {
	var keys []admin.Key
	if err := a.call(cmd.Context(), http.MethodPost, path, in, &keys); err != nil {
		return err
	}
	if a.json {
		return writeJSON(a.stdout, keys)
	}
	for _, k := range keys {
		if err := a.say("%s: %s signs from %s on", k.Alg, k.ID, stamp(k.NextAt)); err != nil {
			return err
		}
	}
	return nil
}

func (a *app) keyRetire() *cobra.Command {
	var now bool
	cmd := &cobra.Command{
		Use:   "retire KID",
		Short: "Replace a signing key in order, or with --now in an emergency",
		Long: "Replace a signing key in order, like rotate for its algorithm. With --now, because somebody else has the key:\n" +
			"everything that it ever signed is refused at all verifiers within a second, also as id_token_hint; its private\n" +
			"half and those of staged successors that lay beside it are destroyed; another key is made and signs at once.\n" +
			"People and programs get new tokens with their refresh tokens or logins, which stay good.\n" +
			"Services that check tokens without the revocation feed accept the key until they fetch the key set again.\n" +
			"If the key-encryption key leaked together with the database, retire every key that \"signet key list\" shows.\n" +
			"A KID that begins with a hyphen is given after --.",
		Example: "  signet key retire 6bv1_TmZvqDRl8tVnZxUo2F2bmkvTn0Pf7sEcBjxuQE\n  signet key retire 6bv1_TmZvqDRl8tVnZxUo2F2bmkvTn0Pf7sEcBjxuQE --now",
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := at("keys", args[0], "retire")
			if !now {
				return a.succeed(cmd, path, admin.Retirement{})
			}
			var keys []admin.Key
			if err := a.call(cmd.Context(), http.MethodPost, path, admin.Retirement{Now: true}, &keys); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, keys)
			}
			for _, k := range keys {
				if err := a.say("%s is dead; %s signs with %s", args[0], k.ID, k.Alg); err != nil {
					return err
				}
			}
			return nil
		},
	}
	cmd.Flags().BoolVar(&now, "now", false, "emergency: refuse at once everything that the key signed")
	return cmd
}

func (a *app) keyRewrap() *cobra.Command {
	return &cobra.Command{
		Use:   "rewrap",
		Short: "Seal all signing keys again under key_file, after the key-encryption key was changed",
		Long: "Seal all signing keys again under key_file, after the key-encryption key was changed. To change it:\n\n" +
			"  1. signet key new FILE\n" +
			"  2. several nodes on one database: name the new file in previous_key_file on each node, and start it again;\n" +
			"     a single server needs no such step\n" +
			"  3. name the new file in key_file and the old one in previous_key_file, on each node, and start it again\n" +
			"  4. signet key rewrap, once\n" +
			"  5. remove previous_key_file from each node, start it again, and destroy the old file; backups of the\n" +
			"     database from before need it as long as they are kept\n\n" +
			"It may be interrupted and repeated. The counts of failed logins begin anew with step 3.",
		Example: "  signet key rewrap\n  signet key rewrap --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var done admin.Rewrapped
			if err := a.call(cmd.Context(), http.MethodPost, "/keys/rewrap", nil, &done); err != nil {
				return err
			}
			if a.json {
				return writeJSON(a.stdout, done)
			}
			if done.Left > 0 {
				return a.say("%d of %d keys sealed again, %d are left (another node changed them meanwhile): run it again", done.Resealed, done.Keys, done.Left)
			}
			return a.say("%d of %d keys sealed again; all are sealed under key_file: previous_key_file may be removed once no node has it as key_file", done.Resealed, done.Keys)
		},
	}
}

func (a *app) auditCommand() *cobra.Command {
	var user string
	var limit int
	cmd := a.administration(&cobra.Command{
		Use:     "audit",
		Short:   "Show what was done and refused, newest first",
		Example: "  signet audit --limit 20\n  signet audit --user ann --json",
	})
	cmd.Args = cobra.NoArgs
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		q := url.Values{"limit": {strconv.Itoa(limit)}}
		if user != "" {
			q.Set("user", user)
		}
		var events []admin.Event
		if err := a.call(cmd.Context(), http.MethodGet, "/events?"+q.Encode(), nil, &events); err != nil {
			return err
		}
		if a.json {
			return writeJSON(a.stdout, events)
		}
		rows := make([][]string, 0, len(events))
		for _, e := range events {
			rows = append(rows, []string{stamp(e.At), e.Result, e.Action, e.Target, e.ActorKind + " " + e.ActorID, e.IP, e.Reason})
		}
		return table(a.stdout, []string{"TIME", "RESULT", "ACTION", "TARGET", "BY", "ADDRESS", "REASON"}, rows)
	}
	cmd.Flags().StringVar(&user, "user", "", "only what concerns this person")
	cmd.Flags().IntVar(&limit, "limit", 100, "how many, at most 1000")
	return cmd
}
