package storetest

import (
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var userTests = []test{
	{"users are read as they were written", usersRoundTrip},
	{"LOG-06 usernames and addresses are unique in their canonical form", usersCanonical},
	{"users are changed and listed", usersChangeAndList},
	{"STO-08 ids never come back", idsNeverReused},
	{"a better password hash replaces only the one it was made from", upgradePassword},
	{"OAU-20 a new password, disabling and deleting end everything of that person and nothing else", endsEverything},
	{"TOK-10 who was enabled again has lost what they had", enableUser},
}

func usersRoundTrip(w *world) {
	u := idp.User{
		ID: "u-1", Username: "Ånn", Email: "Ann@Example.com", EmailVerified: true, Groups: []string{"staff", "with space"},
		Profile:   idp.Profile{Name: "Ann Ä. \"Q\" O'Hara", Birthdate: "2000-01-02", Address: &idp.Address{Country: "DE"}},
		CreatedAt: w.now, UpdatedAt: w.now,
	}
	w.audited("user.create", u.ID, func() error { return w.CreateUser(w.ctx, operator, u, "phc", w.now) })
	got, err := w.User(w.ctx, "u-1")
	w.must(err)
	w.equal("user", got, u)
	for _, login := range []string{"ånn", "ann@example.com"} {
		got, phc, err := w.UserByLogin(w.ctx, login)
		w.want(login, err, nil)
		w.equal(login, got, u)
		w.equal("hash", phc, "phc")
	}
	for _, login := range []string{"", "Ann@Example.com", "nobody", "nobody@example.com", "%", "u-1"} {
		_, _, err := w.UserByLogin(w.ctx, login)
		w.want(login, err, idp.ErrNotFound)
	}
	phc, err := w.PasswordHash(w.ctx, "u-1")
	w.equal("hash", phc, "phc")
	w.want("hash", err, nil)
	_, err = w.PasswordHash(w.ctx, "u-2")
	w.want("hash of nobody", err, idp.ErrNotFound)
	_, err = w.User(w.ctx, "u-2")
	w.want("nobody", err, idp.ErrNotFound)
}

func usersCanonical(w *world) {
	ann := idp.User{ID: "u-1", Username: "Ann", Email: "ann@example.com"}
	w.must(w.CreateUser(w.ctx, operator, ann, "", w.now))
	for _, tt := range []struct {
		name string
		user idp.User
		want error
	}{
		{"same id", idp.User{ID: "u-1", Username: "bob"}, idp.ErrExists},
		{"same name", idp.User{ID: "u-2", Username: "Ann"}, idp.ErrExists},
		{"other case", idp.User{ID: "u-2", Username: "aNN"}, idp.ErrExists},
		{"full width", idp.User{ID: "u-2", Username: "Ａnn"}, idp.ErrExists},
		{"address in other case", idp.User{ID: "u-2", Username: "bob", Email: "ANN@EXAMPLE.com"}, idp.ErrExists},
		{"name like an address", idp.User{ID: "u-2", Username: "ann@example.com"}, idp.ErrInvalid},
		{"no name", idp.User{ID: "u-2"}, idp.ErrInvalid},
		{"no id", idp.User{Username: "bob"}, idp.ErrInvalid},
		{"two @", idp.User{ID: "u-2", Username: "bob", Email: "a@b@example.com"}, idp.ErrInvalid},
		{"no address", idp.User{ID: "u-2", Username: "bob"}, nil},
		{"no address either", idp.User{ID: "u-3", Username: "eve"}, nil},
	} {
		w.want(tt.name, w.CreateUser(w.ctx, operator, tt.user, "", w.now), tt.want)
	}
	w.want("take a name", w.UpdateUser(w.ctx, operator, idp.User{ID: "u-2", Username: "ANN"}, w.now), idp.ErrExists)
	w.want("nobody", w.UpdateUser(w.ctx, operator, idp.User{ID: "u-9", Username: "zoe"}, w.now), idp.ErrNotFound)
}

func usersChangeAndList(w *world) {
	for _, name := range []string{"dora", "ann", "carl", "bob"} {
		w.user(name)
	}
	var names []string
	for after := ""; ; {
		page, err := w.Users(w.ctx, after, 3)
		w.must(err)
		for _, u := range page {
			names = append(names, u.Username)
			after = u.Username
		}
		if len(page) < 3 {
			break
		}
	}
	w.equal("names", names, []string{"ann", "bob", "carl", "dora"})

	u, _, err := w.UserByLogin(w.ctx, "ann")
	w.must(err)
	w.wait(time.Hour)
	u.Username, u.Email, u.EmailVerified, u.Profile.Name, u.UpdatedAt = "Anna", "anna@example.com", true, "Anna", w.now
	w.audited("user.update", u.ID, func() error { return w.UpdateUser(w.ctx, operator, u, w.now) })
	got, phc, err := w.UserByLogin(w.ctx, "anna@example.com")
	w.must(err)
	w.equal("user", got, u)
	w.equal("hash", phc, "hash of ann")
}

func idsNeverReused(w *world) {
	ann := w.user("ann")
	w.client("app")
	w.want("user under a client's id", w.CreateUser(w.ctx, operator, idp.User{ID: "app", Username: "app"}, "", w.now), idp.ErrExists)
	w.want("client under a user's id", w.PutClient(w.ctx, operator, idp.Client{ID: ann.ID}, w.now), idp.ErrExists)
	w.must(w.DeleteUser(w.ctx, operator, ann.ID, w.now))
	w.must(w.DeleteClient(w.ctx, operator, "app", w.now))
	w.want("user again", w.CreateUser(w.ctx, operator, ann, "", w.now), idp.ErrExists)
	w.want("client again", w.PutClient(w.ctx, operator, idp.Client{ID: "app"}, w.now), idp.ErrExists)
	w.want("client under the old user's id", w.PutClient(w.ctx, operator, idp.Client{ID: ann.ID}, w.now), idp.ErrExists)
	ann.ID = "u-new"
	w.want("the name is free", w.CreateUser(w.ctx, operator, ann, "", w.now), nil)
}

func upgradePassword(w *world) {
	ann := w.user("ann")
	w.silent(func() error { return w.UpgradePassword(w.ctx, ann.ID, "hash of ann", "better", w.now) })
	w.want("from an old hash", w.UpgradePassword(w.ctx, ann.ID, "hash of ann", "worse", w.now), idp.ErrNotFound)
	phc, err := w.PasswordHash(w.ctx, ann.ID)
	w.must(err)
	w.equal("hash", phc, "better")
}

func endsEverything(w *world) {
	w.client("app")
	bob := w.user("bob")
	bobs, bobsCookie := w.session(bob)
	_, bobsToken := w.grant(bob, "app", bobs.ID)
	for i, end := range []struct {
		action string
		verb   func(u idp.User) error
	}{
		{"password.change", func(u idp.User) error { return w.SetPassword(w.ctx, operator, u.ID, "new", w.now) }},
		{"user.disable", func(u idp.User) error { return w.DisableUser(w.ctx, operator, u.ID, w.now) }},
		{"user.delete", func(u idp.User) error { return w.DeleteUser(w.ctx, operator, u.ID, w.now) }},
	} {
		ann := w.user(fmt.Sprintf("ann%d", i))
		s1, cookie1 := w.session(ann)
		s2, cookie2 := w.session(ann)
		_, withSession := w.grant(ann, "app", s1.ID)
		offline, withoutSession := w.grant(ann, "app", "")
		gone, _ := w.session(ann)
		w.must(w.EndSession(w.ctx, person(ann), ann.ID, gone.ID, w.now))
		before := len(w.rules())

		w.audited(end.action, ann.ID, func() error { return end.verb(ann) })
		w.equal(end.action+": rules", w.ruleNames(before), map[string]int{"session " + s1.ID: 1, "session " + s2.ID: 1, "grant " + offline.ID: 1})
		for _, cookie := range [][32]byte{cookie1, cookie2} {
			_, _, err := w.Session(w.ctx, cookie, w.now)
			w.want(end.action+": session", err, idp.ErrNotFound)
		}
		for _, token := range []idp.RefreshToken{withSession, withoutSession} {
			_, _, err := w.Refresh(w.ctx, token.HandleHash, w.now)
			w.want(end.action+": refresh token", err, idp.ErrNotFound)
			_, _, err = w.RotateRefreshToken(w.ctx, asClient("app"), token.HandleHash, token.CurrentHash, hash("next"), nil, time.Minute, w.now)
			w.want(end.action+": rotation", err, idp.ErrNotFound)
			_, err = w.Standing(w.ctx, token.GrantID, w.now)
			w.want(end.action+": standing", err, idp.ErrNotFound)
		}
		w.want(end.action+": of nobody", end.verb(idp.User{ID: "nobody"}), idp.ErrNotFound)
	}
	if _, _, err := w.Session(w.ctx, bobsCookie, w.now); err != nil {
		w.Error("session of somebody else:", err)
	}
	if _, _, err := w.Refresh(w.ctx, bobsToken.HandleHash, w.now); err != nil {
		w.Error("refresh token of somebody else:", err)
	}
}

func enableUser(w *world) {
	ann := w.user("ann")
	s, cookie := w.session(ann)
	w.must(w.DisableUser(w.ctx, operator, ann.ID, w.now))
	got, err := w.User(w.ctx, ann.ID)
	w.must(err)
	w.equal("disabled at", got.DisabledAt, w.now)
	w.want("log in", w.CreateSession(w.ctx, person(ann), idp.Session{ID: "s", UserID: ann.ID, ExpiresAt: w.now.Add(time.Hour), IdleExpiresAt: w.now.Add(time.Hour)}, hash("x")), idp.ErrNotFound)
	w.want("authenticate again", w.RenewSession(w.ctx, person(ann), s, cookie, hash("x"), w.now), idp.ErrNotFound)
	w.audited("user.enable", ann.ID, func() error { return w.EnableUser(w.ctx, operator, ann.ID, w.now) })
	_, _, err = w.Session(w.ctx, cookie, w.now)
	w.want("old session", err, idp.ErrNotFound)
	w.session(ann)
}
