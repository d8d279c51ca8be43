package cli

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/signet-id/signet/internal/config"
	"github.com/signet-id/signet/internal/server"
)

// reloading reads the configuration again whenever SIGHUP asks for it.
type reloading struct {
	env   []string
	level *slog.LevelVar
	log   *slog.Logger
	asked chan os.Signal
}

// newReloading is called before there is anything to reload: a signal that comes too early
// waits, instead of ending the process.
func newReloading(env []string, level *slog.LevelVar, log *slog.Logger) *reloading {
	r := &reloading{env: env, level: level, log: log, asked: make(chan os.Signal, 1)}
	signal.Notify(r.asked, syscall.SIGHUP)
	return r
}

// run ends with ctx. file is the configuration that the server was started with.
func (r *reloading) run(ctx context.Context, file string, s *server.Server) {
	defer signal.Stop(r.asked)
	for {
		select {
		case <-ctx.Done():
			return
		case <-r.asked:
			r.once(file, s)
		}
	}
}

// once takes over all that may change, or, if anything is wrong, nothing.
func (r *reloading) once(file string, s *server.Server) {
	cfg, err := config.Load(file, r.env)
	var later []string
	if err == nil {
		later, err = s.Reload(cfg)
	}
	if err != nil {
		r.log.Error("the new configuration is refused; the old one stays", "configuration", file, "cause", err)
		return
	}
	r.level.Set(logLevel(cfg.Log.Level))
	r.log.Info("configuration read again", "configuration", cfg.File)
	for _, text := range cfg.Loosened() {
		r.log.Warn("configuration is looser than the default", "what", text)
	}
	if len(later) > 0 {
		r.log.Warn("changed keys count after a restart only", "keys", strings.Join(later, ", "))
	}
}
