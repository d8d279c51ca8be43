package store

import "errors"

// ErrInUse: two servers on one file would each believe to be the only writer.
var ErrInUse = errors.New("database is in use by another process")
