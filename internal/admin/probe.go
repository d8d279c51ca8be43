package admin

import "net/http"

// Prober tells how one request arrived that somebody sent to himself through the public
// URL: what proxies on the way make of it can be seen from both of its ends only.
type Prober interface {
	// Begin returns the id of a new probe; /readyz?probe=ID is the request that it waits for.
	Begin() (id string)
	Arrived(id string) (Arrival, bool)
}

// Probe is a request that was asked for.
type Probe struct {
	ID string `json:"id"`
}

// Arrival is what the server saw of it.
type Arrival struct {
	Peer         string   `json:"peer"`          // who connected
	Trusted      bool     `json:"trusted"`       // the peer is one of trusted_proxies
	Client       string   `json:"client"`        // who is taken for the client
	ForwardedFor []string `json:"forwarded_for"` // X-Forwarded-For, line by line
	Proto        string   `json:"proto"`         // of X-Forwarded-Proto, or of the connection
	Host         string   `json:"host"`
}

type probes struct{ prober Prober }

func (e probes) create(w http.ResponseWriter, _ *http.Request) error {
	return writeJSON(w, http.StatusCreated, Probe{ID: e.prober.Begin()})
}

func (e probes) show(w http.ResponseWriter, r *http.Request) error {
	a, ok := e.prober.Arrived(r.PathValue("probe"))
	if !ok {
		return &Error{Status: http.StatusNotFound, Code: "not_found", Message: "no such request has arrived"}
	}
	return writeJSON(w, http.StatusOK, a)
}
