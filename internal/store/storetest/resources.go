package storetest

import (
	"time"

	"github.com/signet-id/signet/internal/idp"
)

var (
	resourceTests = []test{{"a scope belongs to one resource", resources}}
	keyTests      = []test{
		{"signing keys are added, listed and retired once", keys},
		{"each step in the life of a signing key is taken once", keySteps},
		{"TOK-07 a key that is retired in an emergency", keyEmergency},
	}
	settingTests = []test{{"settings are stored, replaced, or kept", settings}}
)

func calendar() idp.Resource {
	return idp.Resource{
		ID: "https://calendar.example", Name: "Calendar", TokenFormat: "jwt", Alg: "EdDSA", AccessTokenLifetime: 3 * time.Minute,
		Scopes: []idp.Scope{
			{Name: "calendar.read", Title: map[string]string{"en": "See your calendar", "de": "Kalender sehen"}, Detail: map[string]string{"en": "All of it"}},
			{Name: "calendar.write", Title: map[string]string{"en": "Change"}, Write: true},
		},
	}
}

func resources(w *world) {
	r := calendar()
	w.audited("resource.put", "", func() error { return w.PutResource(w.ctx, operator, r, w.now) })
	w.must(w.PutResource(w.ctx, operator, r, w.now))
	got, err := w.Resource(w.ctx, r.ID)
	w.must(err)
	w.equal("resource", got, r)
	got, err = w.ResourceByScope(w.ctx, "calendar.write")
	w.must(err)
	w.equal("resource", got, r)

	other := idp.Resource{ID: "https://other.example", Scopes: []idp.Scope{{Name: "other"}, {Name: "calendar.read"}}}
	w.want("scope of another", w.PutResource(w.ctx, operator, other, w.now), idp.ErrExists)
	_, err = w.ResourceByScope(w.ctx, "other")
	w.want("nothing of it is stored", err, idp.ErrNotFound)
	for _, name := range []string{"openid", "offline_access"} {
		bad := idp.Resource{ID: "https://bad.example", Scopes: []idp.Scope{{Name: name}}}
		w.want("issuer's scope", w.PutResource(w.ctx, operator, bad, w.now), idp.ErrExists)
	}
	for _, scopes := range [][]idp.Scope{{{Name: ""}}, {{Name: "a b"}}, {{Name: "x"}, {Name: "x"}}} {
		w.want("scopes", w.PutResource(w.ctx, operator, idp.Resource{ID: "https://bad.example", Scopes: scopes}, w.now), idp.ErrInvalid)
	}
	w.want("no id", w.PutResource(w.ctx, operator, idp.Resource{}, w.now), idp.ErrInvalid)

	r.Scopes = r.Scopes[1:]
	w.must(w.PutResource(w.ctx, operator, r, w.now))
	w.want("scope that was given up", w.PutResource(w.ctx, operator, other, w.now), nil)
	all, err := w.Resources(w.ctx)
	w.must(err)
	w.equal("resources", all, []idp.Resource{r, other})

	w.audited("resource.delete", "", func() error { return w.DeleteResource(w.ctx, operator, other.ID, w.now) })
	w.want("again", w.DeleteResource(w.ctx, operator, other.ID, w.now), idp.ErrNotFound)
	_, err = w.ResourceByScope(w.ctx, "other")
	w.want("its scope", err, idp.ErrNotFound)
	_, err = w.Resource(w.ctx, other.ID)
	w.want("deleted", err, idp.ErrNotFound)
}

func keys(w *world) {
	key := func(id, alg string) idp.SigningKey {
		return idp.SigningKey{ID: id, Alg: alg, PublicJWK: []byte(`{"kid":"` + id + `"}`), Sealed: []byte{0, 1, 0xff}, StagedAt: w.now, ActiveAt: w.now}
	}
	first := key("k1", "EdDSA")
	w.audited("key.add", "", func() error { return w.AddSigningKey(w.ctx, operator, first, true, w.now) })
	w.want("a second active one", w.AddSigningKey(w.ctx, operator, key("k2", "EdDSA"), true, w.now), idp.ErrExists)
	w.want("other algorithm", w.AddSigningKey(w.ctx, operator, key("k3", "RS256"), true, w.now), nil)
	staged := key("k4", "EdDSA")
	staged.ActiveAt = time.Time{}
	w.wait(time.Second)
	staged.StagedAt = w.now
	w.want("staged beside the active one", w.AddSigningKey(w.ctx, operator, staged, false, w.now), nil)
	w.want("same id", w.AddSigningKey(w.ctx, operator, staged, false, w.now), idp.ErrExists)
	w.want("no id", w.AddSigningKey(w.ctx, operator, idp.SigningKey{Alg: "EdDSA"}, false, w.now), idp.ErrInvalid)

	w.audited("key.retire", "", func() error { return w.RetireKey(w.ctx, operator, "k1", w.now) })
	w.silent(func() error { return w.RetireKey(w.ctx, operator, "k1", w.now.Add(time.Hour)) })
	w.want("nobody", w.RetireKey(w.ctx, operator, "k9", w.now), idp.ErrNotFound)
	w.equal("rules", w.rules(), []idp.Rule{{Seq: 1, Kind: idp.RuleKey, ID: "k1", At: w.now, Until: w.now.Add(RuleLifetime)}})
	first.RetiringAt, first.RetiredAt, first.Sealed = w.now, w.now, nil
	third := key("k3", "RS256")
	third.StagedAt, third.ActiveAt = start, start
	all, err := w.SigningKeys(w.ctx)
	w.must(err)
	w.equal("keys", all, []idp.SigningKey{first, third, staged})
	w.want("an active one again", w.AddSigningKey(w.ctx, operator, key("k5", "EdDSA"), true, w.now), nil)
}

func settings(w *world) {
	_, err := w.Setting(w.ctx, "a")
	w.want("unset", err, idp.ErrNotFound)
	w.must(w.PutSetting(w.ctx, "a", []byte("1")))
	w.must(w.PutSetting(w.ctx, "a", []byte{0, 0xff}))
	got, err := w.Setting(w.ctx, "a")
	w.must(err)
	w.equal("value", got, []byte{0, 0xff})
	for range 2 {
		stored, err := w.PutSettingOnce(w.ctx, "a", []byte("late"))
		w.must(err)
		w.equal("kept", stored, []byte{0, 0xff})
	}
	stored, err := w.PutSettingOnce(w.ctx, "empty", nil)
	w.must(err)
	w.equal("empty", stored, []byte(nil))
	w.want("no name", w.PutSetting(w.ctx, "", nil), idp.ErrInvalid)
}
