// Package cli is the command line: serving, development, administration through the
// server's socket, and looking at tokens.
//
// Data goes to standard output and everything else to standard error. A secret is never an
// argument: other users of the machine can read those. Exit codes are in exit.go.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/mattn/go-isatty"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is what all commands share.
type app struct {
	env            []string
	stdin          io.Reader
	stdout, stderr io.Writer
	now            func() time.Time
	config         string // --config
	socket         string // --socket
	json           bool   // --json
}

// Main runs the command line; args begins with the program's name, env is what os.Environ
// gives. It returns the exit code.
func Main(args, env []string, stdin io.Reader, stdout, stderr io.Writer) int {
	a := &app{env: env, stdin: stdin, stdout: stdout, stderr: stderr, now: time.Now}
	ctx, stop := untilSignal()
	defer stop()
	root := a.root()
	root.SetArgs(args[1:])
	cmd, err := root.ExecuteContextC(ctx)
	if _, ran := errors.AsType[*ranError](err); err != nil && !ran {
		err = &usageError{cmd.CommandPath(), err}
	}
	code := exitCode(ctx, err)
	if err != nil && code != exitInterrupted {
		fmt.Fprintln(stderr, "signet:", visible(err.Error()))
	}
	return code
}

// untilSignal: the first signal asks for an orderly end; after it they act as usual, so a
// second one ends the process at once, also if it comes so soon that it was caught.
func untilSignal() (ctx context.Context, stop func()) {
	ctx, cancel := context.WithCancel(context.Background())
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, os.Interrupt, syscall.SIGTERM)
	go func() {
		select {
		case <-caught:
		case <-ctx.Done():
		}
		cancel()
		signal.Stop(caught)
		select {
		case second := <-caught:
			if self, err := os.FindProcess(os.Getpid()); err != nil || self.Signal(second) != nil {
				os.Exit(exitInterrupted)
			}
		default:
		}
	}()
	return ctx, cancel
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "signet",
		Short: "OAuth 2.1 and OpenID Connect provider",
		Long: "signet is an OAuth 2.1 and OpenID Connect provider: people and programs prove who they are once,\n" +
			"and every service checks by itself what they may do.",
		Example: "  signet dev                        try everything on this machine\n" +
			"  signet init                       begin to run it for real\n  signet serve --config signet.yaml run it for real",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(a.stdin)
	root.SetOut(a.stdout)
	root.SetErr(a.stderr)
	root.PersistentFlags().StringVar(&a.config, "config", "", "configuration file (default: $SIGNET_CONFIG, ./signet.yaml, ~/.config/signet/signet.yaml, /etc/signet/signet.yaml)")
	root.AddCommand(
		a.devCommand(), a.initCommand(), a.serveCommand(), a.consoleCommand(), a.doctorCommand(), a.healthcheckCommand(), a.demoCommand(),
		a.userCommand(), a.clientCommand(), a.resourceCommand(), a.sessionCommand(), a.grantCommand(), a.keyCommand(), a.auditCommand(),
		a.backupCommand(), a.restoreCommand(), a.verifyCommand(), a.versionCommand(),
	)
	root.SetFlagErrorFunc(flagError)
	root.SetHelpCommand(helpCommand())
	root.Version = version().line()
	root.SetVersionTemplate("signet {{.Version}}\n")
	group(root)
	markRun(root)
	return root
}

// group makes a command that only has subcommands say so, instead of showing its help as
// if all had gone well.
func group(cmd *cobra.Command) {
	cmd.Args = cobra.ArbitraryArgs
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			return &usageError{cmd.CommandPath(), unknownCommand(cmd, args[0])}
		}
		return &usageError{cmd.CommandPath(), errors.New("a command is missing")}
	}
}

func unknownCommand(cmd *cobra.Command, name string) error {
	for letters := 1; letters <= 2; letters++ {
		cmd.SuggestionsMinimumDistance = letters
		if near := cmd.SuggestionsFor(name); len(near) > 0 {
			return fmt.Errorf("unknown command %q; did you mean %s?", name, strings.Join(near, " or "))
		}
	}
	return fmt.Errorf("unknown command %q", name)
}

// flagError says of a port what it must be.
func flagError(_ *cobra.Command, err error) error {
	if e, ok := errors.AsType[*pflag.InvalidValueError](err); ok && e.GetFlag().Value.Type() == "uint16" {
		return fmt.Errorf("--%s: %q is no port: a number from 0 to 65535 is wanted", e.GetFlag().Name, e.GetValue())
	}
	return err
}

// helpCommand is cobra's, but says of what it does not know that it does not know it.
func helpCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "help [COMMAND]",
		Short:   "Help about a command",
		Example: "  signet help user add",
		RunE: func(cmd *cobra.Command, args []string) error {
			about, rest, err := cmd.Root().Find(args)
			if err != nil || len(rest) > 0 {
				return &ranError{&usageError{about.CommandPath(), unknownCommand(about, rest[0])}}
			}
			about.InitDefaultHelpFlag()
			return about.Help()
		},
	}
}

// markRun marks the errors of commands that have begun. All others are about the command line.
func markRun(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(cmd *cobra.Command, args []string) error {
			if check(cmd, args) != nil {
				return wrongWords(cmd, len(args))
			}
			return nil
		}
	}
	if run := cmd.RunE; run != nil {
		cmd.RunE = func(cmd *cobra.Command, args []string) error {
			if err := run(cmd, args); err != nil {
				return &ranError{err}
			}
			return nil
		}
	}
	for _, sub := range cmd.Commands() {
		markRun(sub)
	}
}

// wrongWords names the first word that is missing. One too many is not repeated: it may be a
// secret.
func wrongWords(cmd *cobra.Command, given int) error {
	var names []string
	for _, word := range strings.Fields(cmd.Use)[1:] {
		if strings.Trim(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") == "" {
			names = append(names, word)
		}
	}
	if given < len(names) {
		return fmt.Errorf("%s is missing: %s", names[given], cmd.UseLine())
	}
	return fmt.Errorf("it takes no more words than this: %s", cmd.UseLine())
}

// logger writes to standard error: lines for people on a terminal, else JSON. What looks
// like a token is not written (OPS-01).
func (a *app) logger(level, format string) *slog.Logger {
	return a.adjustableLogger(logLevel(level), format)
}

// adjustableLogger is logger with a level that may change.
func (a *app) adjustableLogger(level slog.Leveler, format string) *slog.Logger {
	return newLogger(a.stderr, level, format == "json" || format == "auto" && !terminal(a.stderr))
}

func logLevel(word string) (l slog.Level) {
	if err := l.UnmarshalText([]byte(word)); err != nil {
		return slog.LevelInfo // package config has refused other words
	}
	return l
}

// terminal reports whether somebody looks at the stream.
func terminal(stream any) bool {
	f, ok := stream.(*os.File)
	return ok && isatty.IsTerminal(f.Fd()) // /dev/null is a character device as well
}
