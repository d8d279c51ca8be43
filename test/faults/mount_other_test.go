//go:build unix && !linux

package main

import "errors"

func mount(string) error   { return errors.New("this test mounts on Linux only") }
func unmount(string) error { return nil }
