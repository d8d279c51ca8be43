package web

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"net/http"
	"path"
	"strings"

	"github.com/signet-id/signet/internal/idp"
)

//go:embed assets
var assetFiles embed.FS

// mediaTypes of the assets; a file of another kind does not belong there.
var mediaTypes = map[string]string{
	".css": "text/css; charset=utf-8",
	".js":  "text/javascript; charset=utf-8",
	".svg": "image/svg+xml",
}

// assets are files that never change under their name, because its hash is in the name.
type assets struct {
	paths map[string]string // "style.css" -> "/assets/style.1234abcd.css"
	files map[string]asset  // by the last part of the path
}

type asset struct {
	body      []byte
	mediaType string
}

func newAssets() (assets, error) {
	a := assets{paths: map[string]string{}, files: map[string]asset{}}
	entries, err := assetFiles.ReadDir("assets")
	if err != nil {
		return a, err
	}
	for _, e := range entries {
		body, err := assetFiles.ReadFile("assets/" + e.Name())
		if err != nil {
			return a, err
		}
		ext := path.Ext(e.Name())
		if mediaTypes[ext] == "" {
			return a, fmt.Errorf("asset %s: unknown kind", e.Name())
		}
		a.add(e.Name(), asset{body, mediaTypes[ext]})
	}
	return a, nil
}

// add puts the hash into the name and returns the path.
func (a assets) add(name string, file asset) string {
	ext, sum := path.Ext(name), sha256.Sum256(file.body)
	hashed := strings.TrimSuffix(name, ext) + "." + hex.EncodeToString(sum[:8]) + ext
	a.paths[name], a.files[hashed] = "/assets/"+hashed, file
	return a.paths[name]
}

func (a assets) path(name string) string { return a.paths[name] }

// assetShow serves a file by its exact name.
func (s *site) assetShow(w http.ResponseWriter, r *http.Request) error {
	file, ok := s.assets.files[r.PathValue("name")]
	if !ok {
		return &failure{status: http.StatusNotFound, kind: "no_page", cause: idp.ErrNotFound}
	}
	h := w.Header()
	h.Set("Content-Type", file.mediaType)
	h.Set("Cache-Control", "public, max-age=31536000, immutable")
	h.Del("Set-Cookie") // it is for everybody, whatever the query of the one who asked
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
	_, _ = w.Write(file.body)
	return nil
}

// iconRedirect serves browsers that ask for the icon by its old name.
func (s *site) iconRedirect(w http.ResponseWriter, _ *http.Request) error {
	sendTo(w, s.mark.Icon)
	return nil
}

// robotsShow: nothing here is for search engines (RFC 9309).
func robotsShow(w http.ResponseWriter, _ *http.Request) error {
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write([]byte("User-agent: *\nDisallow: /\n"))
	return nil
}

// changePasswordRedirect tells password managers where the page is
// (W3C "A Well-Known URL for Changing Passwords").
func (s *site) changePasswordRedirect(w http.ResponseWriter, _ *http.Request) error {
	s.redirect(w, "/account/password")
	return nil
}
