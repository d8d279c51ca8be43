package main

import (
	"fmt"
	"syscall"
)

// mount puts a small file system on a directory.
func mount(dir string) error {
	return syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprint("size=", fileSystemBytes))
}

func unmount(dir string) error { return syscall.Unmount(dir, 0) }
