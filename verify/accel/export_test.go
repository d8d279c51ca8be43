package accel

// Limits and the self-test, for tests.
const (
	UsesBeforeTable = usesBeforeTable
	MaxTables       = maxTables
)

var (
	TestBoth      = testBoth
	VerifyEd25519 = verifyEd25519
	VerifyES256   = verifyES256
)
