package revocation

// Seams for tests.
var (
	ErrRetiredKey = errRetiredKey
	ErrReplaced   = errReplaced
)
