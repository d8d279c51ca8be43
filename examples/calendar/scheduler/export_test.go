package scheduler

// German has the German texts by the English ones.
var German = german

// Discovered gives the issuer's endpoints, which verifytest does not have.
func (a *App) Discovered(base, issuer string) {
	a.seen = &endpoints{
		Issuer: issuer, Pushed: base + "/par", Authorization: base + "/authorize", Token: base + "/token", Revocation: base + "/revoke",
		UserInfo: base + "/userinfo",
	}
}
