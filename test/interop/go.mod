module github.com/signet-id/signet/test/interop

go 1.26.0

replace github.com/signet-id/signet => ../..

replace github.com/signet-id/signet/verify => ../../verify

require (
	github.com/chromedp/chromedp v0.23.0
	github.com/coreos/go-oidc/v3 v3.21.0
	golang.org/x/net v0.62.0
	golang.org/x/oauth2 v0.38.0
)

require (
	github.com/chromedp/cdproto v0.159.0 // indirect
	github.com/go-jose/go-jose/v4 v4.1.9 // indirect
	github.com/go-json-experiment/json v0.0.0-20260213210345-44df1a37e875 // indirect
	github.com/signet-id/signet/verify v0.0.0
)
