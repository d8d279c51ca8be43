package admin

import "net/http"

// About is what commands must know of the server to write it into other people's files.
type About struct {
	Issuer string `json:"issuer"`
}

// about is GET /about.
type about struct{ issuer string }

func (e about) show(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusOK, About{e.issuer})
}
