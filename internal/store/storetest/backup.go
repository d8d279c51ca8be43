package storetest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/signet-id/signet/internal/backup"
	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/secret"
	"github.com/signet-id/signet/internal/store"
)

var backupTests = []test{
	{"STO-06 a restored backup revives nothing", restoreRevivesNothing},
	{"STO-06 a new epoch in place", epochInPlace},
	{"a restored backup has what was in it", restoreKeeps},
	{"a restore is refused as a whole", restoreRefused},
	{"a backup of an older schema", restoreOlder},
	{"a backup is one moment", backupIsOneMoment},
}

func (w *world) backup() *bytes.Reader {
	w.Helper()
	var out bytes.Buffer
	w.audited("backup.make", "", func() error { return w.Backup(w.ctx, operator, &out, w.now) })
	return bytes.NewReader(out.Bytes())
}

// restored goes on in another database, which holds the backup.
func (w *world) restored(file io.ReadSeeker) (*world, store.Restored) {
	w.Helper()
	other := &world{T: w.T, DB: w.open(w.T), open: w.open, ctx: w.ctx, now: w.now}
	done, err := other.Restore(w.ctx, operator, file, other.now)
	w.must(err)
	return other, done
}

// alive is everything that a thief would like to have back.
type alive struct {
	ann     idp.User
	session idp.Session
	cookie  [32]byte
	bound   idp.RefreshToken // ends with the session
	offline idp.RefreshToken
	code    idp.Code
	request idp.AuthRequest
	key     string
}

func (w *world) alive() (a alive) {
	w.Helper()
	a.ann = w.user("ann")
	w.client("app")
	a.session, a.cookie = w.session(a.ann)
	_, a.bound = w.grant(a.ann, "app", a.session.ID)
	_, a.offline = w.grant(a.ann, "app", "")
	g, code := w.newGrant(a.ann, "app", "")
	w.must(w.IssueCode(w.ctx, person(a.ann), idp.Approval{}, g, code, w.now))
	a.code, a.request, a.key = code, w.request("app"), "key-1"
	w.must(w.AddSigningKey(w.ctx, operator, idp.SigningKey{ID: a.key, Alg: "EdDSA", Sealed: []byte("s"), StagedAt: w.now, ActiveAt: w.now}, true, w.now))
	return a
}

// dead checks that nothing of it is of use any more, and that the log says so.
func (w *world) dead(a alive, epoch string) {
	w.Helper()
	_, _, err := w.Session(w.ctx, a.cookie, w.now)
	w.want("session", err, idp.ErrNotFound)
	for _, r := range []idp.RefreshToken{a.bound, a.offline} {
		_, _, err = w.Refresh(w.ctx, r.HandleHash, w.now)
		w.want("refresh token", err, idp.ErrNotFound)
	}
	grants, err := w.Grants(w.ctx, a.ann.ID, w.now)
	w.must(err)
	w.equal("grants", len(grants), 0)
	_, _, err = w.Code(w.ctx, a.code.Hash, w.now)
	w.want("code", err, idp.ErrNotFound)
	w.want("code", w.RedeemCode(w.ctx, asClient("app"), a.code.Hash, nil, w.now), idp.ErrNotFound)
	_, err = w.AuthRequest(w.ctx, a.request.ID, a.request.BrowserHash, w.now)
	w.want("login under way", err, idp.ErrNotFound)
	keys, err := w.SigningKeys(w.ctx)
	w.must(err)
	for _, k := range keys {
		if k.RetiredAt.IsZero() || k.RetiringAt.IsZero() {
			w.Errorf("key %s is not retired", k.ID)
		}
	}
	rules, err := w.Rules(w.ctx, 0, 1000, w.now)
	w.must(err)
	names := map[string]int{}
	for _, r := range rules {
		names[string(r.Kind)+" "+r.ID]++
		if r.Kind == idp.RuleAll && !r.Before.After(w.now) {
			w.Errorf("the rule reaches to %v only", r.Before)
		}
	}
	w.equal("rules", []int{names["all "], names["key "+a.key]}, []int{1, 1})
	now, _, err := w.RevocationHead(w.ctx)
	w.must(err)
	if now == epoch {
		w.Error("the epoch is the old one")
	}
	last, _ := w.lastEvent()
	w.equal("audit", []string{last.Action, last.Target}, []string{"epoch.begin", now})
}

func restoreRevivesNothing(w *world) {
	a := w.alive()
	epoch, _, err := w.RevocationHead(w.ctx)
	w.must(err)
	file := w.backup()
	// What is revoked after the backup is alive in it.
	w.must(w.EndSession(w.ctx, person(a.ann), a.ann.ID, a.session.ID, w.now))
	_, err = w.RevokeApp(w.ctx, person(a.ann), a.ann.ID, "app", w.now)
	w.must(err)
	w.must(w.RetireKey(w.ctx, operator, a.key, w.now))

	w.wait(10 * time.Second)
	other, done := w.restored(file)
	w.equal("what was ended", []int64{done.Sessions, done.Grants, done.Keys}, []int64{1, 3, 1})
	other.dead(a, epoch)

	// A fresh start works, with new tokens and numbers that follow.
	s, cookie := other.session(a.ann)
	_, token := other.grant(a.ann, "app", s.ID)
	_, _, err = other.Session(other.ctx, cookie, other.now)
	w.want("fresh session", err, nil)
	_, _, err = other.Refresh(other.ctx, token.HandleHash, other.now)
	w.want("fresh refresh token", err, nil)
	head := other.head()
	w.must(other.RevokeJTI(other.ctx, operator, "j", other.now.Add(time.Minute), other.now))
	w.equal("next number", other.head(), head+1)
}

func epochInPlace(w *world) {
	_, err := w.BeginEpoch(w.ctx, operator, w.now)
	w.want("nothing there", err, idp.ErrNotFound)
	a := w.alive()
	epoch, _, err := w.RevocationHead(w.ctx)
	w.must(err)
	done, err := w.BeginEpoch(w.ctx, operator, w.now)
	w.must(err)
	w.equal("what was ended", []int64{done.Sessions, done.Grants, done.Keys}, []int64{1, 3, 1})
	w.dead(a, epoch)
	again, err := w.BeginEpoch(w.ctx, operator, w.now)
	w.must(err)
	w.equal("nothing was left", []int64{again.Sessions, again.Grants, again.Keys}, []int64{0, 0, 0})
}

func restoreKeeps(w *world) {
	a := w.alive()
	bob := w.user("bob")
	w.must(w.DisableUser(w.ctx, operator, bob.ID, w.now))
	gone := w.user("gone")
	w.must(w.DeleteUser(w.ctx, operator, gone.ID, w.now))
	w.must(w.PutSetting(w.ctx, "bytes", []byte{0, 1, 0xff}))
	w.must(w.PutSetting(w.ctx, "none", nil))
	w.must(w.PutSetting(w.ctx, "\u2028 \"'; -- <b>\n\x01", []byte("v")))
	resource := idp.Resource{ID: "https://calendar.example", Name: "Calendar", Scopes: []idp.Scope{{Name: "calendar.read"}}}
	w.must(w.PutResource(w.ctx, operator, resource, w.now))
	r := w.request("app")
	w.must(w.LoginAuthRequest(w.ctx, r.ID, r.BrowserHash, a.session.ID, w.now))
	consent := idp.Consent{UserID: a.ann.ID, ClientID: "app", Resource: resource.ID, Scopes: []string{"calendar.read"}}
	w.must(w.ConsentAuthRequest(w.ctx, person(a.ann), r.ID, r.BrowserHash, a.session.ID, consent, w.now))
	for range 3 {
		w.must(w.Audit(w.ctx, idp.Event{At: w.now, Actor: idp.Actor{Kind: "anonymous"}, Action: "login", Result: "refused"}))
	}
	file := w.backup()
	size := file.Size()
	other, done := w.restored(file)

	w.equal("rows", []int64{done.Rows["users"], done.Rows["clients"], done.Rows["consents"], done.Rows["retired_ids"]}, []int64{2, 1, 1, 1})
	w.equal("when", done.Backup.Time, w.now)
	same := func(what string, ask func(w *world) any) {
		w.Helper()
		w.equal(what, ask(other), ask(w))
	}
	same("users", func(w *world) any { u, err := w.Users(w.ctx, "", 100); w.must(err); return u })
	same("password", func(w *world) any { h, err := w.PasswordHash(w.ctx, a.ann.ID); w.must(err); return h })
	same("clients", func(w *world) any { c, err := w.Clients(w.ctx); w.must(err); return c })
	same("services", func(w *world) any { r, err := w.Resources(w.ctx); w.must(err); return r })
	same("consents", func(w *world) any { c, err := w.Consents(w.ctx, a.ann.ID); w.must(err); return c })
	for _, name := range []string{"bytes", "none", "\u2028 \"'; -- <b>\n\x01"} {
		same(name, func(w *world) any { v, err := w.Setting(w.ctx, name); w.must(err); return v })
	}
	w.want("an id that is gone", other.CreateUser(w.ctx, operator, idp.User{ID: gone.ID, Username: "x"}, "h", w.now), idp.ErrExists)

	// The log of events goes on, in order.
	events, err := w.Events(w.ctx, "", 0, 1000)
	w.must(err)
	there, err := other.Events(w.ctx, "", 0, 1000)
	w.must(err)
	w.equal("events", len(there), len(events)+1)
	for i, e := range there[1:] {
		e.ID = events[i].ID
		w.equal("event", e, events[i])
	}

	// A backup of what was restored has the same rows but for what the restore added.
	again := other.backup()
	_, rows, err := backup.Check(again)
	w.must(err)
	done.Rows["events"] += 2 // the epoch and this backup
	done.Rows["revocations"] += 2
	w.equal("rows", rows, done.Rows)
	if again.Size() > 2*size {
		w.Errorf("%d bytes became %d", size, again.Size())
	}
}

func restoreRefused(w *world) {
	w.alive()
	file := w.backup()
	whole := make([]byte, file.Size())
	_, err := io.ReadFull(file, whole)
	w.must(err)

	// Not empty.
	_, before := w.lastEvent()
	_, err = w.Restore(w.ctx, operator, bytes.NewReader(whole), w.now)
	w.want("over what is there", err, idp.ErrExists)
	_, after := w.lastEvent()
	w.equal("events", after, before)

	stranger := &world{T: w.T, DB: w.open(w.T), open: w.open, ctx: w.ctx, now: w.now}
	stranger.user("bob")
	_, err = stranger.Restore(w.ctx, operator, bytes.NewReader(whole), w.now)
	w.want("beside somebody else", err, idp.ErrExists)

	other := &world{T: w.T, DB: w.open(w.T), open: w.open, ctx: w.ctx, now: w.now}
	epoch, _, err := other.RevocationHead(w.ctx)
	w.must(err)
	people := backup.Table{Name: "users", Columns: []backup.Column{{Name: "id", Type: backup.Text}}}
	for name, tt := range map[string]struct {
		file io.ReadSeeker
		want error
	}{
		"cut":                {bytes.NewReader(whole[:len(whole)-20]), backup.ErrDamaged},
		"another file":       {bytes.NewReader([]byte("SQLite format 3\x00")), backup.ErrFormat},
		"newer schema":       {handmade(w, 10_000), backup.ErrNewer},
		"table of a thief":   {handmade(w, 1, backup.Table{Name: "heads", Columns: people.Columns}), idp.ErrInvalid},
		"column of a thief":  {handmade(w, 1, backup.Table{Name: "users", Columns: []backup.Column{{Name: "id) SELECT (1", Type: backup.Text}}}), idp.ErrInvalid},
		"column twice":       {handmade(w, 1, backup.Table{Name: "users", Columns: append(people.Columns, people.Columns...)}), idp.ErrInvalid},
		"another type":       {handmade(w, 1, backup.Table{Name: "users", Columns: []backup.Column{{Name: "id", Type: backup.Bytes}}}), idp.ErrInvalid},
		"the disk gives way": {&torn{file: bytes.NewReader(whole), good: 1}, errTorn},
	} {
		_, err := other.Restore(w.ctx, operator, tt.file, w.now)
		w.want(name, err, tt.want)
	}
	_, n := other.lastEvent()
	w.equal("events", n, 0)
	again, _, err := other.RevocationHead(w.ctx)
	w.must(err)
	w.equal("epoch", again, epoch)
	_, err = other.Restore(w.ctx, operator, bytes.NewReader(whole), w.now)
	w.want("the good file", err, nil)
}

// handmade is a backup with tables that are empty.
func handmade(w *world, schema int64, tables ...backup.Table) *bytes.Reader {
	var out bytes.Buffer
	b, err := backup.NewWriter(&out, backup.Header{Schema: schema, Time: w.now, Epoch: "e"})
	w.must(err)
	for _, t := range tables {
		w.must(b.Table(t))
	}
	w.must(b.Close())
	return bytes.NewReader(out.Bytes())
}

var errTorn = errors.New("input/output error")

// torn is a file that can be read so many times, and then only to its middle.
type torn struct {
	file *bytes.Reader
	good int
}

func (f *torn) Seek(offset int64, whence int) (int64, error) {
	f.good--
	return f.file.Seek(offset, whence)
}

func (f *torn) Read(p []byte) (int, error) {
	if f.good < 0 && f.file.Len() < int(f.file.Size())/2 {
		return 0, errTorn
	}
	return f.file.Read(p[:min(len(p), 16)])
}

// restoreOlder: a table and a column that came later are missing in the file.
func restoreOlder(w *world) {
	text := func(names ...string) (columns []backup.Column) {
		for _, n := range names {
			columns = append(columns, backup.Column{Name: n, Type: backup.Text})
		}
		return columns
	}
	users := text("id", "username", "username_canonical", "password_hash", "profile", "groups")
	users = append(users, backup.Column{Name: "created_at", Type: backup.Int}, backup.Column{Name: "updated_at", Type: backup.Int})
	var out bytes.Buffer
	b, err := backup.NewWriter(&out, backup.Header{Schema: 0, Time: w.now, Epoch: "e"})
	w.must(err)
	w.must(b.Table(backup.Table{Name: "users", Columns: users}))
	w.must(b.Row([]any{"u-1", "Ann", "ann", "hash", "{}", "", int64(1), int64(2)}))
	w.must(b.Close())
	done, err := w.Restore(w.ctx, operator, bytes.NewReader(out.Bytes()), w.now)
	w.must(err)
	w.equal("rows", done.Rows, map[string]int64{"users": 1})
	u, err := w.User(w.ctx, "u-1")
	w.must(err)
	w.equal("user", []string{u.Username, u.Email}, []string{"Ann", ""})
}

// backupIsOneMoment: what is written while the backup is read is not in it.
func backupIsOneMoment(w *world) {
	for i := range 1000 { // more than any buffer on the way holds, in the first table
		w.must(w.PutSetting(w.ctx, fmt.Sprint("s", i), bytes.Join([][]byte{randomKey(), randomKey(), randomKey(), randomKey()}, nil)))
	}
	ann := w.user("ann")
	var out bytes.Buffer
	late := false
	err := w.Backup(w.ctx, operator, writerFunc(func(p []byte) (int, error) {
		if !late {
			late = true
			w.client("late")
			w.must(w.DeleteUser(w.ctx, operator, ann.ID, w.now))
		}
		return out.Write(p)
	}), w.now)
	w.must(err)
	if !late {
		w.Fatal("nothing was written")
	}
	_, rows, err := backup.Check(bytes.NewReader(out.Bytes()))
	w.must(err)
	w.equal("users, clients, retired", []int64{rows["users"], rows["clients"], rows["retired_ids"]}, []int64{1, 0, 0})

	// A backup that nobody wants to the end holds nothing up.
	stop := errors.New("pipe is broken")
	err = w.Backup(w.ctx, operator, writerFunc(func([]byte) (int, error) { return 0, stop }), w.now)
	w.want("broken pipe", err, stop)
	for range 5 { // more than there are readers
		w.backup()
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

// randomKey is bytes that cannot be packed.
func randomKey() []byte {
	k := secret.Key()
	return k[:]
}
