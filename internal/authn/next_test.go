package authn_test

import (
	"testing"
	"time"

	"github.com/signet-id/signet/internal/authn"
	"github.com/signet-id/signet/internal/idp"
)

var (
	started = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC) // when the request came
	asked   = started.Add(time.Minute)                       // when Next is asked
)

// situation is what Next is told. Its zero changes make a third-party web client's
// plain request that its user, logged in an hour ago, has consented to before.
type situation struct {
	req     idp.AuthRequest
	sess    *idp.Session
	client  idp.Client
	consent *idp.Consent
}

func usual() situation {
	return situation{
		req: idp.AuthRequest{
			ID: "request", ClientID: "client", RedirectURI: "https://app.example/cb", Resource: "https://api.example",
			Scopes: []string{"openid", "read"}, MaxAge: -1, CreatedAt: started, ExpiresAt: started.Add(10 * time.Minute),
		},
		sess: &idp.Session{
			ID: "session", UserID: "ann", AuthTime: started.Add(-time.Hour),
			IdleExpiresAt: started.Add(time.Hour), ExpiresAt: started.Add(24 * time.Hour),
		},
		client: idp.Client{ID: "client", ClientMetadata: idp.ClientMetadata{
			ApplicationType: "web", TokenEndpointAuthMethod: idp.AuthBasic,
		}},
		consent: &idp.Consent{UserID: "ann", ClientID: "client", Resource: "https://api.example", Scopes: []string{"read", "openid", "write"}},
	}
}

// What pages record.
func login(s *situation) {
	s.req.SessionID, s.req.LoginAt = "session", started.Add(10*time.Second)
	s.sess.AuthTime = started.Add(10 * time.Second)
}
func choose(s *situation) { s.req.SessionID, s.req.SelectedAt = "session", started.Add(20*time.Second) }
func agree(s *situation)  { s.req.SessionID, s.req.ConsentedAt = "session", started.Add(30*time.Second) }

func device(s *situation) { s.req.DeviceID, s.req.RedirectURI = "device", "" }
func confirmed(s *situation) {
	s.req.SessionID, s.req.ConfirmedBy, s.req.ConfirmedAt = "session", "session", started.Add(40*time.Second)
}

func prompt(p ...string) func(*situation) { return func(s *situation) { s.req.Prompt = p } }
func maxAge(d time.Duration) func(*situation) {
	return func(s *situation) { s.req.MaxAge = d }
}
func native(uri string) func(*situation) {
	return func(s *situation) {
		s.req.RedirectURI, s.client.ApplicationType, s.client.TokenEndpointAuthMethod = uri, "native", idp.AuthNone
	}
}
func noSession(s *situation)    { s.sess = nil }
func noConsent(s *situation)    { s.consent = nil }
func firstParty(s *situation)   { s.client.FirstParty = true }
func otherSession(s *situation) { s.sess.ID = "other" }

// OAU-16, OAU-17, OAU-18, OAU-21.
func TestNext_OIDC_3_1_2_3(t *testing.T) {
	t.Parallel()
	const (
		login_   = "login"
		choose_  = "select_account"
		agree_   = "consent"
		confirm_ = "confirm"
		done     = "done"
	)
	type changes []func(*situation)
	for _, tt := range []struct {
		name    string
		changes changes
		want    string // a step, or the code of an error
	}{
		{"nothing to ask", nil, done},
		{"nobody is logged in", changes{noSession}, login_},
		{"session ran out", changes{func(s *situation) { s.sess.ExpiresAt = asked }}, login_},
		{"session idle too long", changes{func(s *situation) { s.sess.IdleExpiresAt = asked }}, login_},

		{"prompt=none, nothing to ask", changes{prompt("none")}, done},
		{"prompt=none, nobody", changes{prompt("none"), noSession}, "login_required"},
		{"prompt=none, consent is missing", changes{prompt("none"), noConsent}, "consent_required"},
		{"prompt=none, login too old", changes{prompt("none"), maxAge(time.Minute)}, "login_required"},
		{"prompt=none, login fresh enough", changes{prompt("none"), maxAge(10000 * time.Second)}, done},

		{"prompt=login, logged in before", changes{prompt("login")}, login_},
		{"prompt=login, logged in here", changes{prompt("login"), login}, done},
		{"prompt=login, logged in here by another session", changes{prompt("login"), login, otherSession}, login_},
		{"prompt=login, login recorded before the request", changes{prompt("login"), login,
			func(s *situation) { s.req.LoginAt = started.Add(-time.Second) }}, login_},
		{"prompt=login, recorded but the session's proof is older", changes{prompt("login"), login,
			func(s *situation) { s.sess.AuthTime = started.Add(-time.Hour) }}, login_},
		{"prompt=login, logged in elsewhere since", changes{prompt("login"),
			func(s *situation) { s.sess.AuthTime = started.Add(time.Second) }}, login_},
		{"prompt=login, chosen and consented only", changes{prompt("login"), choose, agree}, login_},

		{"max_age passed", changes{maxAge(time.Minute)}, login_},
		{"max_age not passed", changes{maxAge(2 * time.Hour)}, done},
		{"max_age to the second", changes{maxAge(time.Hour + time.Minute)}, done},
		{"max_age passed, logged in here", changes{maxAge(time.Second), login}, done},
		{"max_age=0", changes{maxAge(0), func(s *situation) { s.sess.AuthTime = asked }}, login_},
		{"max_age=0, logged in here", changes{maxAge(0), login}, done},

		{"prompt=select_account", changes{prompt("select_account")}, choose_},
		{"prompt=select_account, chosen", changes{prompt("select_account"), choose}, done},
		{"prompt=select_account, chosen by another session", changes{prompt("select_account"), choose, otherSession}, choose_},
		{"prompt=select_account, logged in here", changes{prompt("select_account"), login}, done},
		{"prompt=select_account, nobody", changes{prompt("select_account"), noSession}, login_},
		{"prompt=login select_account, chosen only", changes{prompt("login", "select_account"), choose}, login_},

		{"nothing to ask, but another session took part", changes{choose, otherSession}, choose_},
		{"nothing to ask, but a session took part that is over", changes{choose, noSession}, login_},

		{"consent is missing", changes{noConsent}, agree_},
		{"consent is missing, agreed but taken back since", changes{agree, noConsent}, agree_},
		{"consent for fewer scopes", changes{func(s *situation) { s.consent.Scopes = []string{"openid"} }}, agree_},
		{"consent at another resource", changes{func(s *situation) { s.consent.Resource = "https://api.example/" }}, agree_},
		{"consent to another client", changes{func(s *situation) { s.consent.ClientID = "other" }}, agree_},
		{"consent of another user", changes{func(s *situation) { s.consent.UserID = "bob" }}, agree_},
		{"first party", changes{firstParty, noConsent}, done},
		{"prompt=consent", changes{prompt("consent")}, agree_},
		{"prompt=consent, first party", changes{prompt("consent"), firstParty, noConsent}, agree_},
		{"prompt=consent, agreed", changes{prompt("consent"), agree}, done},
		{"prompt=consent, agreed by another session", changes{prompt("consent"), agree, otherSession}, choose_},
		{"prompt=consent, agreed by another session, chosen by this", changes{prompt("consent"), agree,
			func(s *situation) {
				s.sess.ID, s.req.SessionID = "other", "other"
				s.req.LoginAt = started.Add(time.Minute)
			}}, agree_},
		{"prompt=consent, agreed before the login here", changes{prompt("consent"), agree, login,
			func(s *situation) { s.req.LoginAt = started.Add(40 * time.Second); s.sess.AuthTime = s.req.LoginAt }}, agree_},
		{"prompt=login consent, agreed only", changes{prompt("login", "consent"), agree}, login_},
		{"prompt=login consent, logged in only", changes{prompt("login", "consent"), login}, agree_},
		{"prompt=login consent, both", changes{prompt("login", "consent"), login, agree}, done},

		{"native, loopback: always", changes{native("http://127.0.0.1:5000/cb")}, agree_},
		{"native, own scheme: always", changes{native("com.example.app:/cb")}, agree_},
		{"native, loopback, first party: always", changes{native("http://localhost/cb"), firstParty}, agree_},
		{"native, loopback, agreed", changes{native("http://[::1]/cb"), agree}, done},
		{"native, loopback, prompt=none", changes{native("http://127.0.0.1/cb"), prompt("none")}, "consent_required"},
		{"native, claimed https", changes{native("https://app.example/cb")}, done},

		{"device", changes{device}, confirm_},
		{"device, first party", changes{device, firstParty, noConsent}, confirm_},
		{"device, nobody", changes{device, noSession}, login_},
		{"device, confirmed", changes{device, confirmed}, done},
		{"device, confirmed, first party", changes{device, confirmed, firstParty, noConsent}, done},
		{"device, confirmed, consent is missing", changes{device, confirmed, noConsent}, agree_},
		{"device, consented only", changes{device, agree}, confirm_},
		{"device, confirmed by another session", changes{device, confirmed, otherSession}, choose_},
		{"device, confirmed by another session, chosen by this", changes{device, confirmed,
			func(s *situation) { s.sess.ID, s.req.SessionID = "other", "other"; s.req.SelectedAt = asked }}, confirm_},
		{"device, confirmed before the login here", changes{device, confirmed, login,
			func(s *situation) { s.req.LoginAt = started.Add(50 * time.Second); s.sess.AuthTime = s.req.LoginAt }}, confirm_},
		{"device of a public client, confirmed: the consent from before is enough", changes{device, confirmed, native("")}, done},
		{"device, confirmed, then denied", changes{device, confirmed, func(s *situation) { s.req.DeniedAt = asked }}, "access_denied"},
		{"no device, confirmed", changes{confirmed, noConsent}, agree_},

		{"denied", changes{func(s *situation) { s.req.DeniedAt = asked }}, "access_denied"},
		{"denied without a session", changes{noSession, func(s *situation) { s.req.DeniedAt = asked }}, "access_denied"},

		{"hint names the user", changes{func(s *situation) { s.req.Subject = "ann" }}, done},
		{"hint names another", changes{func(s *situation) { s.req.Subject = "bob" }}, login_},
		{"hint names another, prompt=none", changes{prompt("none"), func(s *situation) { s.req.Subject = "bob" }}, "login_required"},
		{"hint names another, who did not come", changes{login, func(s *situation) { s.req.Subject = "bob" }}, "login_required"},
		{"hint does not log in", changes{noSession, func(s *situation) { s.req.Subject = "ann" }}, login_},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s := usual()
			for _, change := range tt.changes {
				change(&s)
			}
			step := authn.Next(s.req, s.sess, s.client, s.consent, asked)
			got := string(step.Kind)
			if step.Kind == authn.StepError {
				got = step.Error
			} else if step.Error != "" {
				t.Errorf("step %s with error %s", step.Kind, step.Error)
			}
			if got != tt.want {
				t.Fatalf("%s; want %s", got, tt.want)
			}
		})
	}
}

// RFC 9470 §5: a login that is worth less is made again, and if it then still is, the client
// hears of it. More than was asked for will do. OAU-17
func TestNext_RFC9470_5_TooWeak(t *testing.T) {
	t.Parallel()
	asks := func(acr ...string) func(*situation) { return func(s *situation) { s.req.ACR = acr } }
	has := func(acr string) func(*situation) { return func(s *situation) { s.sess.ACR = acr } }
	for name, tt := range map[string]struct {
		changes []func(*situation)
		want    authn.StepKind
		code    string
	}{
		"nothing asked":           {[]func(*situation){has("")}, authn.StepDone, ""},
		"met":                     {[]func(*situation){asks("aal1"), has("aal1")}, authn.StepDone, ""},
		"one of them":             {[]func(*situation){asks("phr", "aal1"), has("aal1")}, authn.StepDone, ""},
		"more than asked":         {[]func(*situation){asks("aal1"), has("aal2")}, authn.StepDone, ""},
		"less":                    {[]func(*situation){asks("aal2"), has("aal1")}, authn.StepLogin, ""},
		"less, silently":          {[]func(*situation){asks("aal2"), has("aal1"), prompt("none")}, authn.StepError, "login_required"},
		"less after a login":      {[]func(*situation){asks("aal2"), login, has("aal1")}, authn.StepError, "unmet_authentication_requirements"},
		"enough after a login":    {[]func(*situation){asks("aal2"), login, has("aal2")}, authn.StepDone, ""},
		"no class, after a login": {[]func(*situation){asks("aal1"), login, has("")}, authn.StepError, "unmet_authentication_requirements"},
	} {
		s := usual()
		for _, change := range tt.changes {
			change(&s)
		}
		got := authn.Next(s.req, s.sess, s.client, s.consent, asked)
		if got.Kind != tt.want || got.Error != tt.code {
			t.Errorf("%s: %v, want %s %s", name, got, tt.want, tt.code)
		}
	}
}

// OpenID Connect Core §3.1.2.6: each thing that a person would have to do has an error of
// its own where no page may be shown, and none of them is done in silence. OAU-17
func TestNext_OIDC_3_1_2_6_NoneHasAnErrorForEachStep(t *testing.T) {
	t.Parallel()
	for want, tt := range map[string]struct {
		changes []func(*situation)
		page    authn.StepKind // without prompt=none
	}{
		"login_required":             {[]func(*situation){noSession}, authn.StepLogin},
		"account_selection_required": {[]func(*situation){choose, otherSession}, authn.StepSelectAccount},
		"interaction_required":       {[]func(*situation){device}, authn.StepConfirm},
		"consent_required":           {[]func(*situation){noConsent}, authn.StepConsent},
	} {
		s := usual()
		for _, change := range tt.changes {
			change(&s)
		}
		if got := authn.Next(s.req, s.sess, s.client, s.consent, asked); got.Kind != tt.page {
			t.Errorf("%s: %v, want the page %s", want, got, tt.page)
		}
		s.req.Prompt = []string{"none"}
		if got := authn.Next(s.req, s.sess, s.client, s.consent, asked); got.Kind != authn.StepError || got.Error != want {
			t.Errorf("%v, want %s", got, want)
		}
	}
}
