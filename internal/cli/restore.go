package cli

import (
	"errors"
	"os"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/server"
	"github.com/spf13/cobra"
)

func (a *app) restoreCommand() *cobra.Command {
	var inPlace bool
	cmd := &cobra.Command{
		Use:   "restore {FILE | --in-place}",
		Short: "Load a backup into an empty database, while the server is stopped",
		Long: "Load a backup into the configured database, which must be empty, while the server is stopped. The whole file\n" +
			"is checked before anything is written, and all of it is written or nothing.\n\n" +
			"What was revoked after the backup must not come back, and nobody remembers what that was. So everything ends\n" +
			"that could be used: all logins, all refresh tokens, every token that was issued until now, and the signing keys;\n" +
			"the server makes new ones when it starts. People sign in again, and apps that ran without them are connected\n" +
			"again. Users, clients, services, consents, passwords and settings are as they were when the backup was made:\n" +
			"who was deleted or disabled later is back.\n\n" +
			"With --in-place nothing is loaded: the same end is made in the present database, after it was set back by other\n" +
			"means, such as a snapshot of its volume.",
		Example: "  signet restore --config /etc/signet/signet.yaml /var/backups/signet.backup\n  signet restore --in-place",
		Args:    cobra.MaximumNArgs(1),
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if inPlace == (len(args) == 1) {
			return &usageError{cmd.CommandPath(), errors.New("name the backup, or say --in-place")}
		}
		cfg, err := config.Load(a.config, a.env)
		if err != nil {
			return err
		}
		if inPlace {
			done, err := server.BeginEpoch(cmd.Context(), cfg, a.now())
			if err != nil {
				return err
			}
			return a.sayEnded(done)
		}
		f, err := os.Open(args[0])
		if err != nil {
			return err
		}
		defer f.Close()
		done, err := server.Restore(cmd.Context(), cfg, f, a.now())
		if err != nil {
			return err
		}
		made := stamp(done.Backup.Time)
		err = a.say("Restored from the backup of %s: %d users, %d clients, %d services, %d consents, %d lines of the audit log.",
			made, done.Rows["users"], done.Rows["clients"], done.Rows["resources"], done.Rows["consents"], done.Rows["events"])
		if err != nil {
			return err
		}
		if err := a.sayEnded(done); err != nil {
			return err
		}
		return a.say("Users, clients, passwords and consents are as they were then. Who was deleted or disabled after %s is back:\n"+
			"look through \"signet user list\" and \"signet client list\" before people do.", made)
	}
	cmd.Flags().BoolVar(&inPlace, "in-place", false, "begin again with the present database instead of loading a file")
	return cmd
}

// sayEnded tells what people will notice.
func (a *app) sayEnded(done server.Restored) error {
	return a.say("Ended: %d logins, %d grants with their refresh tokens, %d signing keys, and every token issued until now.\n"+
		"People sign in again, and apps that ran without them must be connected again. Services notice by themselves.\n"+
		"Start the server now: it makes new signing keys.", done.Sessions, done.Grants, done.Keys)
}
