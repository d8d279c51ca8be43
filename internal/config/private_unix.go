//go:build unix

package config

import (
	"fmt"
	"io/fs"
	"syscall"
)

// checkPrivate accepts files that others can neither read nor write. The group may read
// what root owns: root chose that group for it.
func checkPrivate(path string, info fs.FileInfo) error {
	if info.IsDir() {
		return fmt.Errorf("%s is a directory", path)
	}
	forbidden := fs.FileMode(0o077)
	if st, ok := info.Sys().(*syscall.Stat_t); ok && st.Uid == 0 {
		forbidden = 0o027
	}
	if mode := info.Mode().Perm(); mode&forbidden != 0 {
		return &Exposed{path, mode}
	}
	return nil
}
