package doctor

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/signet-id/signet/internal/config"
)

// files: those that hold secrets can be read by us and by nobody else, and the data directory
// can be written.
func (x *examination) files() {
	before := len(x.found)
	_, err := x.cfg.Key()
	x.file(x.cfg.KeyFile, err, "copy the key back that the database was made with; only for a new database: signet key new "+x.cfg.KeyFile)
	_, err = x.cfg.PreviousKey()
	x.file(x.cfg.PreviousKeyFile, err, "copy the key back, or remove previous_key_file if \"signet key rewrap\" said so")
	_, err = x.cfg.SMTPPassword()
	x.file(x.cfg.SMTP.PasswordFile, err, "write the SMTP password into "+x.cfg.SMTP.PasswordFile+" (mode 0600)")
	_, err = x.cfg.DatabasePassword()
	x.file(x.cfg.DatabasePasswordFile, err, "write the password of the database's user into "+x.cfg.DatabasePasswordFile+" (mode 0600)")
	if x.cfg.TLSCert != "" {
		_, err = x.cfg.TLSCertificate()
		x.file(x.cfg.TLSKey, err, "put the certificate chain (leaf first) and its key where tls_cert and tls_key say")
	}
	x.dataDir()
	if len(x.found) == before {
		x.ok("files", "secrets can be read by their owner only, and %s can be written", x.cfg.DataDir)
	}
}

// file explains what is wrong with a file that holds a secret.
func (x *examination) file(path string, err error, missing string) {
	if err == nil {
		return
	}
	if e, ok := errors.AsType[*config.Exposed](err); ok {
		x.problem("files", e.Fix(), "%s", e.What())
		return
	}
	fix := missing
	if errors.Is(err, fs.ErrPermission) {
		fix = "run signet doctor as the server's user; if that is who you are: chown $(id -un) " + path
	}
	x.problem("files", fix, "%v", err)
}

func (x *examination) dataDir() {
	dir := x.cfg.DataDir
	info, err := os.Stat(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		if err := mayCreateIn(existingParent(dir)); err != nil {
			x.problem("files", "make it for the server's user: install -d -m 700 -o USER "+dir, "data_dir %s does not exist, and this user cannot make it: %v", dir, err)
		}
		return
	case err != nil:
		x.problem("files", "run signet doctor as the server's user", "data_dir: %v", err)
		return
	case !info.IsDir():
		x.problem("files", "name a directory in data_dir", "data_dir %s is not a directory", dir)
		return
	}
	if err := mayCreateIn(dir); err != nil {
		x.problem("files", "run signet doctor as the server's user; if that is who you are: chown $(id -un) "+dir, "data_dir cannot be written: %v", err)
	}
	if mode, loose := openToOthers(info); loose {
		x.warn("files", "chmod 700 "+dir, "data_dir %s has mode %04o: other users can look into it", dir, mode)
	}
}

// mayCreateIn makes a file and removes it.
func mayCreateIn(dir string) error {
	f, err := os.CreateTemp(dir, ".signet-doctor-")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// existingParent is the nearest directory above that is there.
func existingParent(dir string) string {
	for {
		parent := filepath.Dir(dir)
		if _, err := os.Stat(parent); err == nil || parent == dir {
			return parent
		}
		dir = parent
	}
}

func writableByOthers(path string) (fs.FileMode, bool) {
	info, err := os.Stat(path)
	if err != nil || runtime.GOOS == "windows" {
		return 0, false
	}
	return info.Mode().Perm(), info.Mode().Perm()&0o022 != 0
}

func openToOthers(info fs.FileInfo) (fs.FileMode, bool) {
	return info.Mode().Perm(), runtime.GOOS != "windows" && info.Mode().Perm()&0o077 != 0
}
