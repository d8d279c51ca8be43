package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/signet-id/signet/internal/metrics"
	"github.com/spf13/cobra"
)

// build is what is known of this binary.
type build struct {
	Version  string `json:"version"`
	Revision string `json:"revision,omitempty"`
	Modified bool   `json:"modified,omitempty"`
	Go       string `json:"go"`
	Platform string `json:"platform"`
}

func version() build {
	b := build{Version: "(devel)", Go: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return b
	}
	if info.Main.Version != "" {
		b.Version = info.Main.Version
	}
	for _, s := range info.Settings {
		switch s.Key {
		case "vcs.revision":
			b.Revision = s.Value
		case "vcs.modified":
			b.Modified = s.Value == "true"
		}
	}
	return b
}

func (b build) line() string { return b.Version + " " + b.Go + " " + b.Platform }

// buildInfo is what metrics and traces say of it.
func buildInfo() metrics.Build {
	b := version()
	return metrics.Build{Version: b.Version, Revision: b.Revision, Go: b.Go}
}

func (a *app) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Say which signet this is",
		Example: "  signet version\n  signet version --json",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			b := version()
			if a.json {
				return writeJSON(a.stdout, b)
			}
			_, err := fmt.Fprintln(a.stdout, "signet", b.line())
			return err
		},
	}
	cmd.Flags().BoolVar(&a.json, "json", false, "write JSON")
	return cmd
}
