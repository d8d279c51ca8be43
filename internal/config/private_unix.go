//go:build unix

package config

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// checkPrivate accepts files that others can neither read nor write. The group may read
// what root owns: root chose that group for it.
func checkPrivate(info fs.FileInfo) error {
	if info.IsDir() {
		return errors.New("is a directory")
	}
	forbidden := fs.FileMode(0o077)
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid == 0 {
		forbidden = 0o027
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return fmt.Errorf("has mode %04o, so others can read or change it; change it with: chmod 600", mode)
	}
	return nil
}
