package server

import (
	"context"
	"fmt"
	"net/http"
	"time"
)

// livez says that the process answers; nothing more, so that a broken database
// does not make a supervisor restart a server that could recover.
func livez(w http.ResponseWriter, _ *http.Request) {
	fmt.Fprintln(w, "ok")
}

// readyz says whether this node can do its work: the database answers and there is
// a key to sign with. With ?verbose it names each part.
func (s *Server) readyz(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), 2*time.Second)
	defer cancel()
	checks := []struct {
		name string
		err  error
	}{
		{"database", s.store.Ping(ctx)},
		{"keys", s.keys.Ready()},
		{"accepting requests", s.drainingError()},
	}
	code, text := http.StatusOK, ""
	for _, c := range checks {
		state := "ok"
		if c.err != nil {
			code, state = http.StatusServiceUnavailable, "not ready"
		}
		text += c.name + ": " + state + "\n"
	}
	w.WriteHeader(code)
	if r.URL.Query().Has("verbose") {
		fmt.Fprint(w, text)
		return
	}
	if code == http.StatusOK {
		fmt.Fprintln(w, "ok")
	} else {
		fmt.Fprintln(w, "not ready")
	}
}
