package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"

	"github.com/signet-id/signet/internal/admin"
	"github.com/signet-id/signet/internal/backup"
	"github.com/spf13/cobra"
)

// saved is what was written.
type saved struct {
	File   string           `json:"file"`
	Header backup.Header    `json:"header"`
	Rows   map[string]int64 `json:"rows"`
}

func (a *app) backupCommand() *cobra.Command {
	var force bool
	cmd := a.administration(&cobra.Command{
		Use:   "backup FILE",
		Short: "Write a backup of a running server's database",
		Long: "Write a backup of a running server's database: everything as it stood at one moment, checked while it is\n" +
			"written. FILE appears when it is complete; - is standard output. A backup is as secret as the database: it\n" +
			"names people and holds hashes of their passwords. It does not hold the key-encryption key (key_file), without\n" +
			"which nobody signs with its keys: keep both, and not in one place.",
		Example: "  signet backup /var/backups/signet.backup\n  signet backup --force signet.backup --json\n  signet backup - > signet.backup",
	})
	cmd.Args = cobra.ExactArgs(1)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if args[0] == "-" {
			if a.json {
				return &usageError{cmd.CommandPath(), errors.New("standard output takes the backup or JSON, not both")}
			}
			if terminal(a.stdout) {
				return &usageError{cmd.CommandPath(), errors.New("a backup is not for a terminal: name a file, or send it to one")}
			}
			s, err := a.receive(cmd.Context(), a.stdout)
			if err != nil {
				return err
			}
			return a.sayBackup(s, "standard output")
		}
		s, err := a.saveBackup(cmd.Context(), args[0], force)
		if err != nil {
			return err
		}
		if a.json {
			return writeJSON(a.stdout, s)
		}
		return a.sayBackup(s, args[0])
	}
	cmd.Flags().BoolVar(&force, "force", false, "replace FILE if it exists")
	return cmd
}

func (a *app) sayBackup(s saved, where string) error {
	return a.say("%s: %d users, %d clients, %d services, %d lines of the audit log; complete",
		where, s.Rows["users"], s.Rows["clients"], s.Rows["resources"], s.Rows["events"])
}

// saveBackup writes beside the file and renames at the end, so that what stands under its
// name is whole and on the disk.
func (a *app) saveBackup(ctx context.Context, name string, force bool) (s saved, err error) {
	if !force {
		if err := absent(name); err != nil {
			return saved{}, err
		}
	}
	dir := filepath.Dir(name)
	f, err := os.CreateTemp(dir, "."+filepath.Base(name)+".*.part") // mode 0600
	if err != nil {
		return saved{}, err
	}
	defer func() {
		if err != nil {
			_ = f.Close() // it may be closed, and renamed: what counts is err
			_ = os.Remove(f.Name())
		}
	}()
	if s, err = a.receive(ctx, f); err != nil {
		return saved{}, err
	}
	if err = errors.Join(f.Sync(), f.Close()); err != nil {
		return saved{}, err
	}
	if !force {
		if err = absent(name); err != nil { // somebody may have been faster
			return saved{}, err
		}
	}
	if err = os.Rename(f.Name(), name); err != nil {
		return saved{}, err
	}
	s.File = name
	return s, syncDirectory(dir)
}

func absent(name string) error {
	_, err := os.Lstat(name)
	if err == nil {
		return fmt.Errorf("%s: %w; say --force to replace it", name, fs.ErrExist)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// receive lets the server make a backup, and checks it while it is written to w.
func (a *app) receive(ctx context.Context, w io.Writer) (saved, error) {
	c, err := a.api()
	if err != nil {
		return saved{}, err
	}
	body, err := c.stream(ctx, "/backup")
	if err != nil {
		return saved{}, err
	}
	defer body.Close()
	h, rows, err := backup.Check(io.TeeReader(body, w))
	if err != nil {
		return saved{}, fmt.Errorf("what came from the server: %w; its log may say why", err)
	}
	return saved{Header: h, Rows: rows}, nil
}

// stream starts what answers with a body that may be long.
func (c *api) stream(ctx context.Context, path string) (io.ReadCloser, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+admin.Host+path, nil)
	if err != nil {
		return nil, err
	}
	patient := *c.http
	patient.Timeout = 0
	res, err := patient.Do(req)
	if err != nil {
		return nil, c.explain(err)
	}
	if res.StatusCode == http.StatusOK {
		return res.Body, nil
	}
	defer res.Body.Close()
	data, err := io.ReadAll(io.LimitReader(res.Body, maxAnswer))
	if err != nil {
		return nil, c.explain(err)
	}
	return nil, asAPIError(res.StatusCode, data)
}
