package verify

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/signet-id/signet/verify/jose"
)

// Cache lets a verifier that starts while its issuer is down work as if it had not
// stopped. In the file it keeps the last good key set and all rules that it has heard, with
// the time that the issuer signed with the last confirmation. MaxStaleness counts from
// that time: what is older makes a verifier no more ready than no file. Without the issuer's
// keys from the issuer itself nothing new is confirmed.
//
// The file is as trusted as the configuration: whoever can write it can put in a key of his
// own. It is written with mode 0600, and one that others may write, or that is of another
// issuer, is not used. Each verifier needs a file of its own, in a directory that exists.
// It is written a second after a rule or a key came, and every ten seconds; checking tokens
// never waits for it, and a failure is only reported (Status, Logger). With more rules than
// fit into 32 MiB (some 250,000) there is no file.
func Cache(file string) Option { return func(v *Verifier) { v.cache.file = file } }

const (
	cacheLook  = time.Second      // between two looks for news
	cacheEvery = 10 * time.Second // how old the time of confirmation in the file may be
	cacheShare = 20               // a write that took a while is followed by a pause of so many whiles
	cacheLife  = time.Hour        // a rule lives so long: later, nothing in the file matters any more
	cacheBytes = 32 << 20
)

var (
	errCacheOther = errors.New("the file is of another issuer; it is left alone")
	errCacheOld   = errors.New("the file is too old")
	errCacheMode  = errors.New("the file is not a regular one that only its owner may write")
	errCacheSize  = errors.New("too many rules for a file")
)

// cache is what a verifier keeps for its next start.
type cache struct {
	file  string // empty: nothing is kept
	limit int64  // bytes
	other bool   // the file is of another issuer
}

// checkpoint is a moment at which the rules were complete. Rules that come later may be in
// the set, too. It is never changed.
type checkpoint struct {
	epoch              string
	seq, signed, since int64 // as in follower
	confirmed          int64 // unix seconds: by the issuer's clock or ours, whichever is earlier
	set                *ruleSet
}

// keep notes that all is here. Only the feed's goroutine calls it.
func (v *Verifier) keep(now, issued time.Time) {
	if v.cache.file != "" {
		f := &v.feed
		v.kept.Store(&checkpoint{f.epoch, f.seq, f.signed, f.since, min(issued.Unix(), now.Unix()), f.set})
	}
}

// loadCache takes up where a verifier before this one stopped, once.
func (v *Verifier) loadCache() {
	if v.cache.file == "" || v.rules.Load() != nil || v.keys.Load() != nil {
		return
	}
	err := v.useCache()
	v.cache.other = errors.Is(err, errCacheOther)
	if !errors.Is(err, fs.ErrNotExist) {
		v.report("cache", err)
	}
}

func (v *Verifier) useCache() error {
	f, err := os.Open(v.cache.file)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := checkCacheFile(f, v.cache.limit); err != nil {
		return err
	}
	heard := v.now()
	c, err := readCache(f, v.issuer, heard)
	if err != nil {
		return err
	}
	confirmed := time.Unix(c.confirmed, 0)
	if age := heard.Sub(confirmed); !v.acceptStale && (age > cacheLife || age < -maxLeeway) {
		return errCacheOld
	}
	v.feed = follower{epoch: c.epoch, seq: c.seq, signed: c.signed, since: c.since, set: c.set}
	v.position.Store(&position{c.epoch, c.seq})
	v.useRules(c.set)
	v.agreed.Store(c.confirmed)
	v.useKeys(c.keys)
	v.bury(c.dead, heard)
	if v.acceptStale || !v.stale(heard, confirmed) {
		v.confirm(confirmed)
	}
	return nil
}

// checkCacheFile: on Windows permissions are not in the mode.
func checkCacheFile(f *os.File, limit int64) error {
	info, err := f.Stat()
	switch {
	case err != nil:
		return err
	case !info.Mode().IsRegular(), runtime.GOOS != "windows" && info.Mode().Perm()&0o022 != 0:
		return errCacheMode
	case info.Size() > limit:
		return errCacheSize
	}
	return nil
}

// followCache writes the file until ctx ends, and then once more.
func (v *Verifier) followCache(ctx context.Context) {
	if v.cache.file == "" || v.cache.other {
		return
	}
	var (
		last  = &checkpoint{}
		keys  *jose.KeySet
		wrote time.Time
	)
	for pause := cacheLook; ; {
		sleep(ctx, pause)
		over := ctx.Err() != nil
		c, k := v.kept.Load(), v.keys.Load()
		now := time.Now()
		if c != nil && c != last && (over || c.seq != last.seq || c.epoch != last.epoch || k != keys || now.Sub(wrote) >= cacheEvery) {
			err := v.saveCache(c, k)
			if err != nil {
				v.report("cache", fmt.Errorf("write: %w", err))
			}
			pause = max(cacheLook, cacheShare*time.Since(now))
			if last, keys, wrote = c, k, now; err != nil {
				pause = max(pause, cacheEvery)
			}
		}
		if over {
			return
		}
	}
}

// saveCache replaces the file by a whole one, or not at all.
func (v *Verifier) saveCache(c *checkpoint, keys *jose.KeySet) (err error) {
	part := v.cache.file + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) { // of a write that was killed
		return err
	}
	f, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	err = v.writeCache(f, c, keys)
	if err = errors.Join(err, f.Sync(), f.Close()); err == nil {
		err = os.Rename(part, v.cache.file)
	}
	if err != nil {
		_ = os.Remove(part)
		if errors.Is(err, errCacheSize) {
			_ = os.Remove(v.cache.file) // it lacks rules
		}
		return err
	}
	if dir, err := os.Open(filepath.Dir(v.cache.file)); err == nil { // not everywhere possible
		_ = dir.Sync()
		_ = dir.Close()
	}
	return nil
}
