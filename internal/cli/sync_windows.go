package cli

// syncDirectory: this system brings a rename to the disk by itself.
func syncDirectory(string) error { return nil }
