// Command signet is an OAuth 2.1 and OpenID Connect provider: see internal/cli for its
// commands and README.md for what it is.
package main

import (
	"os"

	"github.com/signet-id/signet/internal/cli"
)

func main() {
	os.Exit(cli.Main(os.Args, os.Environ(), os.Stdin, os.Stdout, os.Stderr))
}
