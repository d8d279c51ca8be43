package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/signet-id/signet/internal/idp"
)

// selectionStore notes which account a person chose.
type selectionStore interface {
	SelectAuthRequest(ctx context.Context, id string, browserHash [32]byte, sessionID string, at time.Time) error
}

// selectionSubmit goes on with the account that is signed in, or to the login page.
type selectionSubmit struct {
	*site
	requests requests
	store    selectionStore
}

func (p selectionSubmit) serve(w http.ResponseWriter, r *http.Request, form url.Values) error {
	now := p.now()
	req, err := p.requests.must(r, now)
	if err != nil {
		return err
	}
	v, err := p.visit(r)
	if errors.Is(err, errNobody) {
		req.proceed(w)
		return nil
	}
	if err != nil {
		return err
	}
	switch form.Get("account") {
	case "this":
		if err := p.store.SelectAuthRequest(r.Context(), req.ID, req.BrowserHash, v.ID, now); err != nil {
			return stepError(err)
		}
		req.proceed(w)
	case "other":
		sendTo(w, req.at("/login"))
	default:
		return badChoice("account")
	}
	return nil
}

// badChoice answers a form whose button is none of ours.
func badChoice(field string) error {
	return &failure{status: http.StatusBadRequest, kind: "bad_form", cause: fmt.Errorf("field %s: %w", field, idp.ErrInvalid)}
}
