package store

import "errors"

// errInUse: two servers on one file would each believe to be the only writer.
var errInUse = errors.New("database is in use by another process")
