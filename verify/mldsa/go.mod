module github.com/signet-id/signet/verify/mldsa

go 1.25.0

require (
	filippo.io/mldsa v1.0.0
	github.com/signet-id/signet/verify v0.0.0
)

replace github.com/signet-id/signet/verify => ../
