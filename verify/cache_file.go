package verify

import (
	"bufio"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"strconv"
	"time"

	"github.com/signet-id/signet/verify/internal/strictjson"
	"github.com/signet-id/signet/verify/jose"
)

// The file of Cache has lines of a word and a JSON value:
//
//	signet-verifier-cache 1
//	log   {"issuer", "epoch", "seq", "signed", "since", "confirmed"}
//	keys  a JSON Web Key Set
//	rule  as in the feed; one line for each
//	dead  the same: rules against keys that are remembered after their time
//	end   SHA-256 of all before, in hexadecimal
//
// The last line finds what a disk or a hand has changed by mistake. It is no protection
// from somebody who wants to change it.
const cacheHead = "signet-verifier-cache 1\n"

var errCacheForm = errors.New("the file is damaged")

// cached is the content of a file.
type cached struct {
	checkpoint
	issuer string
	keys   *jose.KeySet
	dead   []Rule // all rules against keys
}

type logLine struct {
	Issuer    string `json:"issuer"`
	Epoch     string `json:"epoch"`
	Seq       int64  `json:"seq"`
	Signed    int64  `json:"signed"`
	Since     int64  `json:"since"`
	Confirmed int64  `json:"confirmed"`
}

// cacheWriter keeps the first error.
type cacheWriter struct {
	out  *bufio.Writer
	sum  hash.Hash
	left int64  // bytes
	buf  []byte // of the line that is made
	err  error
}

func (w *cacheWriter) line(word string, value any) {
	if w.err != nil {
		return
	}
	doc, err := json.Marshal(value)
	w.write(fmt.Appendf(nil, "%s %s\n", word, doc))
	w.err = errors.Join(w.err, err)
}

// rule is line for a rule, of which there may be many.
func (w *cacheWriter) rule(word string, kind RuleKind, id string, e entry) {
	if w.err != nil {
		return
	}
	name, err := json.Marshal(id)
	if err != nil { // a string always encodes
		w.err = err
		return
	}
	b := append(append(w.buf[:0], word...), ` {"kind":"`...)
	b = append(append(append(append(b, kind...), `","id":`...), name...), `,"seq":`...)
	b = append(strconv.AppendInt(b, e.seq, 10), `,"at":`...)
	b = append(strconv.AppendInt(b, e.at, 10), `,"until":`...)
	b = strconv.AppendInt(b, e.until, 10)
	if kind.timed() {
		b = strconv.AppendInt(append(b, `,"before":`...), e.before, 10)
	}
	w.buf = append(b, '}', '\n')
	w.write(w.buf)
}

func (w *cacheWriter) write(text []byte) {
	if w.left -= int64(len(text)); w.left < 0 {
		w.err = errCacheSize
		return
	}
	_, _ = w.sum.Write(text) // never fails
	_, w.err = w.out.Write(text)
}

// writeCache reads the rules as readers do: nobody waits for it.
func (v *Verifier) writeCache(out io.Writer, c *checkpoint, keys *jose.KeySet) error {
	w := &cacheWriter{out: bufio.NewWriterSize(out, 64<<10), sum: sha256.New(), left: v.cache.limit - 100}
	w.write([]byte(cacheHead))
	w.line("log", logLine{v.issuer, c.epoch, c.seq, c.signed, c.since, c.confirmed})
	w.line("keys", keys)
	for n := range c.set.shards {
		if m := c.set.shards[n].Load(); m != nil {
			for key, e := range *m {
				w.rule("rule", kinds[key.kind], key.id, e)
			}
		}
	}
	if dead := v.dead.Load(); dead != nil {
		for _, e := range *dead {
			r := e.Rule
			w.rule("dead", r.Kind, r.ID, entry{seq: r.Seq, at: r.At.UnixMilli(), until: r.Until.Unix()})
		}
	}
	if w.err != nil {
		return w.err
	}
	_, err := fmt.Fprintf(w.out, "end %x\n", w.sum.Sum(nil))
	return errors.Join(err, w.out.Flush())
}

// readCache reads a whole file or nothing of it. The caller bounds its size.
func readCache(in io.Reader, issuer string, heard time.Time) (*cached, error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 64<<10), maxEvent)
	c := &cached{checkpoint: checkpoint{set: newRuleSet()}}
	sum := sha256.New()
	var rules []Rule
	for n := 0; lines.Scan(); n++ {
		text := lines.Bytes()
		word, value, _ := bytes.Cut(text, []byte(" "))
		if string(word) == "end" {
			if string(value) != hex.EncodeToString(sum.Sum(nil)) || lines.Scan() {
				return nil, errCacheForm
			}
			c.set.add(rules, heard, false)
			if err := c.check(issuer); err != nil {
				return nil, err
			}
			return c, nil
		}
		sum.Write(text)
		sum.Write([]byte("\n"))
		if n == 0 {
			if string(text)+"\n" != cacheHead {
				return nil, errCacheForm
			}
			continue
		}
		if err := c.line(string(word), value, &rules); err != nil {
			return nil, fmt.Errorf("%w: %w", errCacheForm, err)
		}
		if len(rules) == maxBatchRules {
			c.set.add(rules, heard, false)
			rules = rules[:0]
		}
	}
	return nil, errors.Join(errCacheForm, lines.Err())
}

func (c *cached) line(word string, value []byte, rules *[]Rule) (err error) {
	switch word {
	case "log":
		return strictjson.Object(value, c.member)
	case "keys":
		c.keys, err = jose.ParseKeySet(value)
		return err
	case "rule", "dead":
		r, err := parseRule(value)
		if r.Kind == RuleKey {
			c.dead = append(c.dead, r)
		}
		if word == "rule" {
			*rules = append(*rules, r)
		}
		return err
	}
	return errMember
}

func (c *cached) member(name, value []byte) (err error) {
	switch string(name) {
	case "issuer":
		c.issuer, err = strictjson.String(value)
	case "epoch":
		c.epoch, err = strictjson.String(value)
	case "seq":
		c.seq, err = strictjson.Int(value)
	case "signed":
		c.signed, err = strictjson.Int(value)
	case "since":
		c.since, err = strictjson.Int(value)
	case "confirmed":
		c.confirmed, err = strictjson.Int(value)
	}
	return named(name, err)
}

func (c *cached) check(issuer string) error {
	switch {
	case c.issuer != issuer:
		return errCacheOther
	case c.keys == nil, !validEpoch(c.epoch), c.seq < 0, c.confirmed <= 0 || c.confirmed > maxTime:
		return errCacheForm
	}
	return nil
}
