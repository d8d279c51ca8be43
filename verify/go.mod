module github.com/signet-id/signet/verify

go 1.25
