package keyring

import (
	"context"
	"fmt"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// State is where a key is in its life.
type State string

// The states.
const (
	Staged   State = "staged"   // published, does not sign yet
	Active   State = "active"   // signs
	Retiring State = "retiring" // verifies what it signed
	Retired  State = "retired"  // is not published; its private half is gone
)

// Status is a key with what happens to it next.
type Status struct {
	idp.SigningKey
	State  State
	Next   string    // for people
	NextAt time.Time // zero: nothing is planned
}

// List says of each key where it is in its life and what comes next.
func (r *Ring) List(ctx context.Context) ([]Status, error) {
	rows, err := r.store.SigningKeys(ctx)
	if err != nil {
		return nil, fmt.Errorf("read signing keys: %w", err)
	}
	return r.policy.statuses(rows), nil
}

// Known is List of the keys as they were last read, without asking the database.
func (r *Ring) Known() []Status { return r.policy.statuses(r.current.Load().rows) }

func (p Policy) statuses(rows []idp.SigningKey) []Status {
	list := make([]Status, 0, len(rows))
	for _, k := range rows {
		list = append(list, p.status(k, live(rows, jose.Algorithm(k.Alg))))
	}
	return list
}

func (p Policy) status(k idp.SigningKey, live []idp.SigningKey) Status {
	s := Status{SigningKey: k}
	switch {
	case !k.RetiredAt.IsZero():
		s.State, s.Next, s.NextAt = Retired, "is forgotten", k.RetiredAt.Add(p.Hints)
	case !k.RetiringAt.IsZero():
		s.State, s.Next, s.NextAt = Retiring, "is retired", k.RetiringAt.Add(p.Retiring)
	case len(live) == 0 || live[0].ID != k.ID:
		s.State = Staged
		if !k.ActiveAt.IsZero() {
			s.Next, s.NextAt = "signs", p.signsAt(k)
		}
	case len(live) > 1:
		s.State, s.Next, s.NextAt = Active, "is relieved", p.signsAt(live[1])
	default:
		s.State, s.Next, s.NextAt = Active, "gets a successor", k.ActiveAt.Add(p.Active-p.Ahead)
	}
	return s
}
