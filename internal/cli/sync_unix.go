//go:build unix

package cli

import (
	"errors"
	"os"
)

// syncDirectory brings a rename to the disk.
func syncDirectory(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
