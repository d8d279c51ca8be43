package web_test

import (
	"maps"
	"net/http"
	"regexp"
	"strings"
	"testing"
)

// Assets are found by the names that pages give them, and may be kept for ever.
func TestAssets(t *testing.T) {
	t.Parallel()
	wd := newWorld(t)
	b := wd.browser()
	paths := regexp.MustCompile(`(?:href|src)="(/assets/[^"]*)"`).FindAllStringSubmatch(b.get("/login").body, -1)
	types := map[string]string{".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".js": "text/javascript; charset=utf-8"}
	unused := maps.Clone(types)
	for _, m := range paths {
		a := b.get(m[1])
		ext := m[1][strings.LastIndexByte(m[1], '.'):]
		if a.status != http.StatusOK || a.header.Get("Content-Type") != types[ext] || a.header.Get("Cache-Control") != "public, max-age=31536000, immutable" ||
			a.header.Get("X-Content-Type-Options") != "nosniff" || a.header.Get("Content-Security-Policy") == "" {
			t.Errorf("%s: %d %v", m[1], a.status, a.header)
		}
		if strings.Contains(a.body, "url(") || strings.Contains(a.body, "@import") || strings.Contains(a.body, "http:") && ext != ".svg" {
			t.Errorf("%s loads something", m[1])
		}
		delete(unused, ext)
	}
	if len(unused) != 0 {
		t.Errorf("not used: %v", unused)
	}
	if a := b.get("/favicon.ico"); a.status != http.StatusSeeOther || !strings.HasPrefix(a.location(), "/assets/icon.") {
		t.Errorf("favicon: %d %s", a.status, a.location())
	}
	if a := b.get("/robots.txt"); a.body != "User-agent: *\nDisallow: /\n" {
		t.Errorf("robots.txt: %q", a.body)
	}
}
