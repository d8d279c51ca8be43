package web_test

import (
	"net/http"
	"strings"
	"testing"
)

func TestSelectAccount(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.asAnn()
	flow := b.flow()
	path := "/select-account?flow=" + flow
	page := b.get(path)
	if page.status != http.StatusOK || !strings.Contains(page.text(), "Continue as Ann Example") || !strings.Contains(page.text(), "Use another account") {
		t.Fatalf("%d %s", page.status, page.text())
	}
	if a := b.submit(page, path, "account", "other"); a.location() != "/login?flow="+flow {
		t.Errorf("another account: %d %s", a.status, a.location())
	}
	if !b.stored(flow).SelectedAt.IsZero() {
		t.Error("asking for another account chose this one")
	}
	if a := b.submit(page, path, "account", wd.bob.ID); a.status != http.StatusBadRequest {
		t.Errorf("an account by its id: %d", a.status)
	}
	if a := b.submit(page, path, "account", "this"); a.location() != "/authorize/continue?flow="+flow {
		t.Errorf("this account: %d %s", a.status, a.location())
	}
	if req := b.stored(flow); req.SelectedAt.IsZero() || req.SessionID == "" {
		t.Errorf("not recorded: %+v", req)
	}
}
