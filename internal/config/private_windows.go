package config

import (
	"fmt"
	"io/fs"
)

// checkPrivate cannot see access lists here: who may read the file is what its directory says.
func checkPrivate(path string, info fs.FileInfo) error {
	if info.IsDir() {
		return fmt.Errorf("%s is a directory", path)
	}
	return nil
}
