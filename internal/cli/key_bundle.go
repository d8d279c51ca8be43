package cli

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/signet-id/signet/internal/admin"
	"github.com/spf13/cobra"
)

func (a *app) keyBundle() *cobra.Command {
	var out string
	var valid time.Duration
	cmd := &cobra.Command{
		Use:   "bundle",
		Short: "Write keys and revocations, signed, for verifiers that have no network",
		Long: "Write keys and revocations, signed, for verifiers that have no network: the public keys and all revocations of\n" +
			"this moment in one file, which somebody carries there (verify.NewOffline in Go). What is revoked later, such a\n" +
			"verifier does not know before the next bundle; it refuses everything when the bundle is older than --valid or\n" +
			"than it was told to bear.\n\n" +
			"The name of the key that signed the bundle goes to standard error. Tell it to each verifier, once, by another\n" +
			"way than the bundle takes: it is how forged bundles are refused. Keys rotate every 30 days; the successor stands in\n" +
			"\"signet key list\" an hour before it signs. A bundle holds no secret.",
		Example: "  signet key bundle --out signet.bundle\n  signet key bundle --valid 72h > signet.bundle\n  signet key bundle --out signet.bundle --json",
		Args:    cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var b admin.Bundle
			in := admin.BundleRequest{ValidSeconds: int64(valid / time.Second)}
			if err := a.call(cmd.Context(), http.MethodPost, "/keys/bundle", in, &b); err != nil {
				return err
			}
			doc := b.Bundle + "\n"
			if out != "" {
				if err := replaceFile(out, doc); err != nil {
					return err
				}
				b.Bundle = "" // it is in the file
			}
			switch {
			case a.json:
				return writeJSON(a.stdout, b)
			case out == "":
				if _, err := a.stdout.Write([]byte(doc)); err != nil {
					return err
				}
			}
			return a.say("%d keys and %d revocations of %s, good until %s\nsigner: %s", b.Keys, b.Rules, b.Issuer, stamp(b.ExpiresAt), b.Signer)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "file to write, replaced at once when it is whole (default: standard output)")
	cmd.Flags().DurationVar(&valid, "valid", 24*time.Hour, "how long the bundle may be used: a minute to 720h")
	return cmd
}

// replaceFile writes beside the file and renames, so that nobody reads half of it.
func replaceFile(name, text string) (err error) {
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+".*.part")
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err == nil { // nothing in it is secret
		err = os.Rename(f.Name(), name)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return err
	}
	return syncDirectory(dir)
}
