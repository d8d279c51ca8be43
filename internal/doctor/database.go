package doctor

import (
	"context"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/signet-id/signet/internal/server"
)

// database: reached, of a release that we know, writable; its clock; and the keys in it open.
func (x *examination) database(ctx context.Context) {
	sqlite := strings.HasPrefix(x.cfg.Database, "sqlite:")
	if sqlite && x.running {
		x.askedServer()
		return
	}
	found, err := server.Inspect(ctx, x.cfg, x.Now())
	if err != nil {
		x.unseen(err)
		return
	}
	switch {
	case found.Schema == 0:
		x.ok("database", "%s, empty: the first start fills it", found.Engine)
	case found.Schema < found.Newest:
		x.ok("database", "%s, writable, with schema %d: the next start brings it to %d", found.Engine, found.Schema, found.Newest)
	case found.Schema > found.Newest:
		x.warn("database", "use the newer program again when you can", "%s, writable, with schema %d of a newer release; this one knows %d and runs on it", found.Engine, found.Schema, found.Newest)
	default:
		x.ok("database", "%s, writable, with schema %d", found.Engine, found.Schema)
	}
	if found.Warning != "" {
		x.warn("database", "set fsync = on in postgresql.conf", "%s", found.Warning)
	}
	x.keys(found)
	x.clock(sqlite, found.Skew)
}

// askedServer is all that can be known while a server has the file to itself.
func (x *examination) askedServer() {
	switch well, told := x.parts["database"]; {
	case !told:
		x.skip("database", "the running server has the file to itself, and does not say how it is")
	case !well:
		x.problem("database", "make room on the disk, and see that it is not read-only", "the running server cannot write %s", x.cfg.Database)
	default:
		x.ok("database", "the running server reads and writes %s", x.cfg.Database)
	}
	x.skip("keys", "the running server opened them with key_file as it was when it started; stop it to look whether the file still fits")
	x.clock(true, 0)
}

// unseen explains why the database could not be looked at.
func (x *examination) unseen(err error) {
	text, fix := err.Error(), "look at \"database\" and database_password_file"
	if i := strings.LastIndex(text, "; "); i > 0 { // the store's own advice
		text, fix = text[:i], text[i+2:]
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && strings.HasPrefix(x.cfg.Database, "sqlite:"):
		x.ok("database", "%s does not exist yet: the first start makes it", x.cfg.Database)
		x.skip("keys", "there are none yet")
		x.clock(true, 0)
		return
	case errors.Is(err, server.ErrUnclean):
		x.skip("database", "it was not closed when its server ended, and only a server puts that in order; start it and run signet doctor again")
	case errors.Is(err, server.ErrInUse):
		x.problem("database", "stop that process, or give it a data_dir of its own", "another process uses %s, and it is not a server of this data_dir", x.cfg.Database)
	case errors.Is(err, fs.ErrPermission):
		x.problem("database", "run signet doctor as the server's user; if that is who you are, chown the file to it", "%s", text)
	default:
		x.problem("database", fix, "%s", text)
	}
	x.skip("keys", "the database could not be looked at")
	x.skip("clock", "the database could not be asked")
}

func (x *examination) keys(found server.Inspection) {
	switch {
	case found.Sealed != nil:
		x.problem("keys", "copy the key back that the database was made with; name it in key_file", "%v", found.Sealed)
	case found.Schema > 0 && found.Schema < found.Newest:
		x.skip("keys", "the schema is older than this program; look again after the start that brings it forward")
	case len(found.Keys) == 0:
		x.skip("keys", "there are none yet")
	default:
		x.ok("keys", "key_file opens the stored signing keys")
	}
}

// clock compares ours with the database's: verifiers and nodes count on it.
func (x *examination) clock(own bool, skew time.Duration) {
	switch {
	case own:
		x.ok("clock", "the database's clock is this machine's")
	case skew.Abs() > server.MaxClockSkew:
		x.problem("clock", "run a time service on both machines: timedatectl set-ntp true", "this machine's clock is %v off the database's; a server is not ready with more than %v",
			skew.Round(time.Millisecond), server.MaxClockSkew)
	default:
		x.ok("clock", "%v off the database's", skew.Round(time.Millisecond))
	}
}
