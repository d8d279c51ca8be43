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

// HoldBuilding keeps tables from being built until release is called.
func (a *Accelerator) HoldBuilding() (release func()) {
	a.building.Lock()
	return a.building.Unlock
}

// Reserved is how many tables are there or being built.
func (a *Accelerator) Reserved() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.tables
}
