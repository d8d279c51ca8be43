package storetest

import (
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var registrationTests = []test{
	{"registered clients live, and end, by their token", registeredLife},
	{"OAU-16 people are asked again about a client that became another", registeredChanges},
	{"CLI-04 a disabled client changes nothing of itself", registeredDisabled},
	{"DOS-03 a registration token counts its uses", registrationTokens},
	{"DOS-03 unused clients make room and are swept, used ones stay", unusedClients},
	{"a document's client is replaced, and is nobody else's", documentClients},
}

// stranger is a client as it registers itself.
func (w *world) stranger(id string) idp.Client {
	return idp.Client{ID: id, CreatedAt: w.now, Origin: idp.OriginRegistered, RegistrationHash: hash("access of " + id), ClientMetadata: idp.ClientMetadata{
		Name: "Stranger", ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthNone, Profile: idp.OAuth21,
		RedirectURIs: []string{"https://" + id + ".example/cb"}, GrantTypes: []string{idp.GrantAuthorizationCode}, Scopes: []string{"openid", "calendar.read"},
	}}
}

func (w *world) register(id string) idp.Client {
	w.Helper()
	c := w.stranger(id)
	w.must(w.RegisterClient(w.ctx, operator, c, [32]byte{}, 100, w.now))
	return c
}

func (w *world) gone(id string) {
	w.Helper()
	_, err := w.Client(w.ctx, id)
	w.want(id, err, idp.ErrNotFound)
}

func registeredLife(w *world) {
	c := w.stranger("dyn-1")
	w.audited("client.register", "", func() error { return w.RegisterClient(w.ctx, operator, c, [32]byte{}, 100, w.now) })
	got, err := w.Client(w.ctx, c.ID)
	w.must(err)
	w.equal("client", got, c)
	w.want("again", w.RegisterClient(w.ctx, operator, c, [32]byte{}, 100, w.now), idp.ErrExists)
	w.want("without a way to manage it", w.RegisterClient(w.ctx, operator, idp.Client{ID: "dyn-2"}, [32]byte{}, 100, w.now), idp.ErrInvalid)
	w.client("app")

	c.Name = "Other"
	w.want("wrong token", w.ChangeRegisteredClient(w.ctx, asClient(c.ID), c.ID, hash("x"), c.ClientMetadata, w.now), idp.ErrNotFound)
	w.want("no token", w.ChangeRegisteredClient(w.ctx, asClient(c.ID), "app", [32]byte{}, c.ClientMetadata, w.now), idp.ErrNotFound)
	w.want("wrong token", w.RemoveRegisteredClient(w.ctx, asClient(c.ID), c.ID, hash("x"), w.now), idp.ErrNotFound)
	w.want("no token", w.RemoveRegisteredClient(w.ctx, asClient(c.ID), "app", [32]byte{}, w.now), idp.ErrNotFound)
	change := func() error {
		return w.ChangeRegisteredClient(w.ctx, asClient(c.ID), c.ID, c.RegistrationHash, c.ClientMetadata, w.now)
	}
	w.silent(change) // DOS-03: a client that nobody connected
	got, err = w.Client(w.ctx, c.ID)
	w.must(err)
	w.equal("changed", got, c)

	// Of a client that nobody connected nothing stays, of another one its id and its rule.
	before := w.head()
	w.must(w.RemoveRegisteredClient(w.ctx, asClient(c.ID), c.ID, c.RegistrationHash, w.now))
	w.gone(c.ID)
	w.equal("rules", w.head(), before)
	w.register("dyn-1")
	w.grant(w.user("ann"), "dyn-1", "")
	w.audited("client.put", "", change)
	w.audited("client.delete", "", func() error {
		return w.RemoveRegisteredClient(w.ctx, asClient("dyn-1"), "dyn-1", c.RegistrationHash, w.now)
	})
	w.gone(c.ID)
	w.equal("rules", w.ruleNames(before), map[string]int{"client dyn-1": 1})
	w.want("its id", w.RegisterClient(w.ctx, operator, c, [32]byte{}, 100, w.now), idp.ErrExists)
}

func registeredChanges(w *world) {
	c, ann := w.register("dyn-1"), w.user("ann")
	s, _ := w.session(ann)
	yes := func(r idp.AuthRequest) error {
		return w.ConsentAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, s.ID,
			idp.Consent{UserID: ann.ID, ClientID: c.ID, Resource: r.Resource, Scopes: r.Scopes}, w.now)
	}
	change := func(m idp.ClientMetadata) error {
		w.wait(time.Second)
		return w.ChangeRegisteredClient(w.ctx, asClient(c.ID), c.ID, c.RegistrationHash, m, w.now)
	}
	asked := func(what string, want bool) {
		w.Helper()
		_, err := w.Consent(w.ctx, ann.ID, c.ID, w.request(c.ID).Resource)
		w.equal(what, err != nil, want)
	}
	for what, f := range map[string]func(*idp.ClientMetadata){
		"name": func(m *idp.ClientMetadata) { m.Name += "2" },
		"home": func(m *idp.ClientMetadata) { m.ClientURI += "https://bank.example" },
		"address": func(m *idp.ClientMetadata) {
			m.RedirectURIs = append(m.RedirectURIs[:1:1], "https://evil.example/"+fmt.Sprint(len(m.Name)))
		},
	} {
		w.must(yes(w.request(c.ID)))
		open := w.request(c.ID)
		asked("before", false)
		f(&c.ClientMetadata)
		w.must(change(c.ClientMetadata))
		asked(what, true)
		w.want("a page that showed what it was: "+what, yes(open), idp.ErrNotFound)
		asked(what, true)
	}
	w.must(yes(w.request(c.ID)))
	c.SoftwareVersion, c.RedirectURIs = "2", c.RedirectURIs[:1]
	w.must(change(c.ClientMetadata))
	asked("nothing that people know", false)

	// An operator's words are those of the row, whatever the caller has read.
	stale := c.ClientMetadata
	stale.FirstParty, stale.Origins, stale.ResponseModes = true, []string{"https://a.example"}, []string{"form_post"}
	w.must(change(stale))
	got, err := w.Client(w.ctx, c.ID)
	w.must(err)
	w.equal("stays an operator's", got.ClientMetadata, c.ClientMetadata)
	stale.Profile = idp.OIDC
	w.want("another profile's rules", change(stale), idp.ErrConsumed)
	c.FirstParty = true
	w.must(w.PutClient(w.ctx, operator, c, w.now))
	w.must(change(c.ClientMetadata))
	more := c.ClientMetadata
	more.RedirectURIs = []string{"https://evil.example/last"}
	w.want("an address of one of our own", change(more), idp.ErrDenied)
}

func registeredDisabled(w *world) {
	c := w.register("dyn-1")
	w.must(w.DisableClient(w.ctx, operator, c.ID, w.now))
	w.want("change", w.ChangeRegisteredClient(w.ctx, asClient(c.ID), c.ID, c.RegistrationHash, c.ClientMetadata, w.now), idp.ErrNotFound)
	w.want("remove", w.RemoveRegisteredClient(w.ctx, asClient(c.ID), c.ID, c.RegistrationHash, w.now), idp.ErrNotFound)
	w.wait(100 * 24 * time.Hour)
	w.sweepAll()
	got, err := w.Client(w.ctx, c.ID)
	w.must(err)
	w.equal("disabled", got.Disabled(), true)
}

func registrationTokens(w *world) {
	made := func(name string, uses int) idp.RegistrationToken {
		r := idp.RegistrationToken{
			ID: name, Hash: hash(name), Name: "for " + name, Profile: idp.OIDC, UsesLeft: uses, CreatedAt: w.now, ExpiresAt: w.now.Add(time.Hour),
		}
		w.audited("registration_token.add", "", func() error { return w.AddRegistrationToken(w.ctx, operator, r, w.now) })
		return r
	}
	two, revoked := made("two", 2), made("revoked", 1)
	w.want("no use", w.AddRegistrationToken(w.ctx, operator, idp.RegistrationToken{ID: "x", Hash: hash("x")}, w.now), idp.ErrInvalid)
	got, err := w.RegistrationToken(w.ctx, two.Hash, w.now)
	w.must(err)
	w.equal("token", got, two)

	// Ten callers at once, on all nodes: two of them win.
	won := 0
	for _, err := range at(10, func(i int) error {
		return w.on(i).RegisterClient(w.ctx, operator, w.stranger(fmt.Sprintf("dyn-%d", i)), two.Hash, 100, w.now)
	}) {
		if err == nil {
			won++
		} else {
			w.want("loser", err, idp.ErrNotFound)
		}
	}
	w.equal("registrations", won, 2)

	w.audited("registration_token.revoke", "", func() error { return w.RevokeRegistrationToken(w.ctx, operator, revoked.ID, w.now) })
	w.want("revoke nothing", w.RevokeRegistrationToken(w.ctx, operator, "nobody", w.now), idp.ErrNotFound)
	late := made("late", 1)
	for name, h := range map[string][32]byte{"used up": two.Hash, "revoked": revoked.Hash, "unknown": hash("unknown")} {
		w.want(name, w.RegisterClient(w.ctx, operator, w.stranger("dyn-x"), h, 100, w.now), idp.ErrNotFound)
		_, err := w.RegistrationToken(w.ctx, h, w.now)
		w.want(name, err, idp.ErrNotFound)
	}
	all, err := w.RegistrationTokens(w.ctx, w.now)
	w.must(err)
	w.equal("listed", len(all), 3)
	// A registration that fails costs no use.
	w.want("no room", w.RegisterClient(w.ctx, operator, w.stranger("dyn-x"), late.Hash, 1, w.now), idp.ErrLimited)
	got, err = w.RegistrationToken(w.ctx, late.Hash, w.now)
	w.must(err)
	w.equal("uses left", got.UsesLeft, 1)
	w.wait(time.Hour)
	w.want("expired", w.RegisterClient(w.ctx, operator, w.stranger("dyn-x"), late.Hash, 100, w.now), idp.ErrNotFound)
	w.equal("swept", w.sweepAll() >= 3, true)
	all, err = w.RegistrationTokens(w.ctx, w.now)
	w.must(err)
	w.equal("listed", len(all), 0)
}

func unusedClients(w *world) {
	ann := w.user("ann")
	w.client("app")
	w.register("dyn-used")
	w.register("dyn-old")
	w.wait(time.Minute)
	w.register("dyn-new")
	w.grant(ann, "dyn-used", "")
	used, err := w.Client(w.ctx, "dyn-used")
	w.must(err)
	w.equal("used at", used.LastUsedAt, w.now)
	first := w.now
	w.wait(23 * time.Hour)
	w.grant(ann, "dyn-used", "")
	used, err = w.Client(w.ctx, "dyn-used")
	w.must(err)
	w.equal("noted once a day", used.LastUsedAt, first)
	w.wait(time.Hour)
	w.grant(ann, "dyn-used", "")
	used, err = w.Client(w.ctx, "dyn-used")
	w.must(err)
	w.equal("and again the next day", used.LastUsedAt, w.now)
	w.grant(ann, "app", "")
	app, err := w.Client(w.ctx, "app")
	w.must(err)
	w.equal("an operator's is not counted", app.LastUsedAt, time.Time{})

	// A consent for a client that is forgotten goes with it.
	r := w.request("dyn-old")
	s, _ := w.session(ann)
	w.must(w.ConsentAuthRequest(w.ctx, person(ann), r.ID, r.BrowserHash, s.ID,
		idp.Consent{UserID: ann.ID, ClientID: "dyn-old", Resource: r.Resource, Scopes: r.Scopes}, w.now))

	// Full: the oldest one that nobody used makes room, but not one that is just being set up.
	w.must(w.RegisterClient(w.ctx, operator, w.stranger("dyn-3"), [32]byte{}, 3, w.now))
	w.gone("dyn-old")
	_, err = w.Consent(w.ctx, ann.ID, "dyn-old", r.Resource)
	w.want("consent", err, idp.ErrNotFound)
	w.must(w.RegisterClient(w.ctx, operator, w.stranger("dyn-4"), [32]byte{}, 3, w.now))
	w.gone("dyn-new")
	w.want("all young or used", w.RegisterClient(w.ctx, operator, w.stranger("dyn-5"), [32]byte{}, 3, w.now), idp.ErrLimited)
	w.gone("dyn-5")

	w.wait(29 * 24 * time.Hour)
	w.sweepAll()
	_, err = w.Client(w.ctx, "dyn-3")
	w.want("not yet", err, nil)
	w.wait(2 * 24 * time.Hour)
	w.sweepAll()
	w.gone("dyn-3")
	w.gone("dyn-4")
	_, err = w.Client(w.ctx, "dyn-used")
	w.want("used", err, nil)
	_, err = w.Client(w.ctx, "app")
	w.want("an operator's", err, nil)
}

func documentClients(w *world) {
	const id = "https://app.example/client.json"
	c := w.stranger(id)
	c.Origin, c.RegistrationHash = idp.OriginDocument, [32]byte{}
	var got idp.Client
	put := func() (err error) {
		got, err = w.PutDocumentClient(w.ctx, operator, c, 1, w.now)
		return err
	}
	w.audited("client.put", "", put)
	w.equal("client", got, c)
	c.Name = "Other"
	w.silent(put) // DOS-03: its publisher can change it each few minutes
	w.must(w.DisableClient(w.ctx, operator, id, w.now))
	w.wait(time.Minute)
	w.must(put())
	w.equal("name", got.Name, "Other")
	w.equal("CLI-04 stays disabled", got.Disabled(), true)
	w.must(w.EnableClient(w.ctx, operator, id, w.now))

	other := c
	other.ID = "https://other.example/client.json"
	_, err := w.PutDocumentClient(w.ctx, operator, other, 1, w.now)
	w.want("no room", err, idp.ErrLimited)
	w.wait(2 * time.Hour)
	_, err = w.PutDocumentClient(w.ctx, operator, other, 1, w.now)
	w.must(err)
	w.gone(id)
	w.wait(25 * time.Hour)
	w.sweepAll()
	w.gone(other.ID)

	w.client(id)
	_, err = w.PutDocumentClient(w.ctx, operator, c, 1, w.now)
	w.want("an operator's", err, idp.ErrExists)
	w.must(w.DeleteClient(w.ctx, operator, id, w.now))
	_, err = w.PutDocumentClient(w.ctx, operator, c, 1, w.now)
	w.want("a deleted one", err, idp.ErrExists)

	c.ID = "https://used.example/client.json"
	w.must(put())
	w.grant(w.user("ann"), c.ID, "")
	c.Name = "Another"
	w.audited("client.put", "", put)
}
