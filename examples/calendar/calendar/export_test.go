package calendar

// German has the German texts by the English ones.
var German = german

// Ready is closed when tokens can be checked.
func (a *App) Ready() <-chan struct{} { return a.verifier.Ready() }

// Position is how far the revocations have been read.
func (a *App) Position() int64 { return a.verifier.Status().Position }

// Discovered gives the issuer's endpoints, which verifytest does not have.
func (a *App) Discovered(base, issuer string) {
	a.provider.seen = &endpoints{
		Issuer: issuer, Authorization: base + "/authorize", Token: base + "/token",
		UserInfo: base + "/userinfo", EndSession: base + "/logout",
	}
}
