package cli_test

import (
	"flag"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/signet-id/signet/internal/cli"
	"github.com/spf13/cobra"
)

var update = flag.Bool("update", false, "write docs/reference/commands.md")

const (
	reference  = "../../docs/reference/commands.md"
	regenerate = "go test ./internal/cli -run TestReference -update"
)

// TestReference: the reference of commands is what the commands say of themselves.
func TestReference(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	b.WriteString("# Commands\n\n" +
		"<!-- Made from the commands' own help; do not edit. Write it again with:\n     " + regenerate + " -->\n\n" +
		"Data goes to standard output, everything else to standard error. Secrets are never arguments.\n\n" +
		"| exit code | meaning |\n|---|---|\n| 0 | done |\n| 1 | failed |\n| 2 | mistake in the command line |\n| 3 | not found |\n" +
		"| 4 | refused: not allowed, not confirmed, or the token is not good |\n| 130 | interrupted |\n\n" +
		"`user`, `client`, `resource`, `session`, `grant`, `key` (but `key new`), `audit` and `backup` talk to a running server through its administration socket,\n" +
		"which only the server's user can open. They find it by `--socket`, by `data_dir` of the configuration, or in `./signet-dev`; `--json` makes them write JSON.\n" +
		"`signet completion bash` (or zsh, fish, powershell) writes completions for a shell.\n")
	eachCommand(cli.Root(), func(cmd *cobra.Command) { describeCommand(&b, cmd) })
	if *update {
		if err := os.WriteFile(reference, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	got, err := os.ReadFile(reference)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != b.String() {
		t.Errorf("%s is stale; write it again with: %s", reference, regenerate)
	}
}

func describeCommand(b *strings.Builder, cmd *cobra.Command) {
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	fmt.Fprintf(b, "\n## %s\n\n%s\n\n```\n%s\n```\n", cmd.CommandPath(), text, trimIndent(cmd.Example))
	if flags := strings.TrimRight(cmd.LocalNonPersistentFlags().FlagUsages(), "\n"); flags != "" {
		fmt.Fprintf(b, "\n```\n%s\n```\n", flags)
	}
}

func trimIndent(s string) string {
	var lines []string
	for line := range strings.Lines(s) {
		lines = append(lines, strings.TrimPrefix(strings.TrimRight(line, "\n"), "  "))
	}
	return strings.Join(lines, "\n")
}

// eachCommand visits the commands that do something.
func eachCommand(cmd *cobra.Command, f func(*cobra.Command)) {
	if len(cmd.Commands()) == 0 {
		f(cmd)
	}
	for _, sub := range cmd.Commands() {
		eachCommand(sub, f)
	}
}

// TestExamples: every command has an example, and the examples are accepted as they stand.
func TestExamples(t *testing.T) {
	t.Parallel()
	eachCommand(cli.Root(), func(cmd *cobra.Command) {
		if cmd.Example == "" || cmd.Short == "" {
			t.Errorf("%s has no example or no explanation", cmd.CommandPath())
		}
		for line := range strings.Lines(cmd.Example) {
			if err := parses(strings.TrimSpace(line), cmd.CommandPath()); err != nil {
				t.Errorf("%s: %s: %v", cmd.CommandPath(), strings.TrimSpace(line), err)
			}
		}
	})
}

// TestExamples_AreRun: each example of a command's help is run by testdata/script/examples.txt.
func TestExamples_AreRun(t *testing.T) {
	t.Parallel()
	script, err := os.ReadFile("testdata/script/examples.txt")
	if err != nil {
		t.Fatal(err)
	}
	run := map[string]bool{ // those that do not end by themselves; other scripts run them with other ports
		"signet dev": true, "signet dev --ephemeral --port 9080 --calendar-port 9081 --scheduler-port 9082 --console-port 9083": true,
		"signet console": true, "signet console --port 0 --socket /var/lib/signet/admin.sock": true,
		"SIGNET_PUBLIC_URL=https://id.example.com SIGNET_KEY_FILE=/run/secrets/key SIGNET_TRUSTED_PROXIES=10.0.0.2 signet serve": true,
		"signet serve --config /etc/signet/signet.yaml":                                         true,
		"signet serve --database 'postgres://signet@db.example.com/signet?sslmode=verify-full'": true,
	}
	for line := range strings.Lines(string(script)) {
		_, command, _ := strings.Cut(strings.TrimSpace(line), " ")
		run[command] = true
	}
	eachCommand(cli.Root(), func(cmd *cobra.Command) {
		for line := range strings.Lines(cmd.Example) {
			if !run[strings.TrimSpace(line)] {
				t.Errorf("testdata/script/examples.txt does not run: %s", strings.TrimSpace(line))
			}
		}
	})
}

// parses checks a command line up to the point where it would be run.
func parses(line, path string) error {
	line, _, _ = strings.Cut(line, " < ")
	line, _, _ = strings.Cut(line, " > ")
	words := split(line)
	for len(words) > 0 && strings.Contains(words[0], "=") {
		words = words[1:]
	}
	if len(words) == 0 || words[0] != "signet" {
		return fmt.Errorf("does not begin with signet")
	}
	cmd, args, err := cli.Root().Find(words[1:])
	if err != nil {
		return err
	}
	if cmd.CommandPath() != path {
		return fmt.Errorf("is an example of %s", cmd.CommandPath())
	}
	if err := cmd.ParseFlags(args); err != nil {
		return err
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err
	}
	return cmd.ValidateFlagGroups()
}

// split separates words as a shell does, knowing single quotes only.
func split(line string) []string {
	var words []string
	for i, part := range strings.Split(line, "'") {
		if i%2 == 0 {
			words = append(words, strings.Fields(part)...)
		} else {
			words = append(words, part)
		}
	}
	return words
}
