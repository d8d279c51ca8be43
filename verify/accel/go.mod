module github.com/signet-id/signet/verify/accel

go 1.25

replace github.com/signet-id/signet/verify => ../

require (
	filippo.io/edwards25519 v1.2.0
	filippo.io/nistec v0.0.4
	github.com/signet-id/signet/verify v0.0.0
)

require golang.org/x/sys v0.36.0 // indirect
