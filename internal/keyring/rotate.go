package keyring

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/verify/jose"
)

// Rotate does what the schedule says is due. It may run on every node, as often as it
// likes: the store lets one do each step.
func (r *Ring) Rotate(ctx context.Context, now time.Time) error {
	rows, err := r.store.SigningKeys(ctx)
	if err != nil {
		return fmt.Errorf("read signing keys: %w", err)
	}
	var problems []error
	due := Plan(rows, now, r.policy)
	for _, a := range due {
		if err := r.do(ctx, a, now); err != nil {
			problems = append(problems, fmt.Errorf("%s signing key %s: %w", a.Do, a.Key.ID, err))
		}
	}
	if err := r.empty(ctx, rows, now); err != nil {
		problems = append(problems, err)
	}
	if len(due) > 0 {
		problems = append(problems, r.Reload(ctx, now))
	}
	return errors.Join(problems...)
}

// do takes one step. That another node was faster is as good.
func (r *Ring) do(ctx context.Context, a Action, now time.Time) (err error) {
	switch a.Do {
	case Stage:
		err = r.stage(ctx, system, a, now)
	case HandOver:
		err = r.store.HandOverKey(ctx, system, a.Key.ID, a.Next, now)
	case Finish:
		err = r.finish(ctx, a.Key, now)
	case Forget:
		err = r.store.ForgetKey(ctx, system, a.Key.ID, a.Key.RetiredAt, now)
	}
	if errors.Is(err, idp.ErrExists) || errors.Is(err, idp.ErrConsumed) {
		return nil
	}
	return err
}

func (r *Ring) stage(ctx context.Context, by idp.Actor, a Action, now time.Time) error {
	k, err := generate(jose.Algorithm(a.Key.Alg), r.keys[0], now, a.ActiveAt)
	if err != nil {
		return err
	}
	return r.store.StageKey(ctx, by, k, a.Key.ID, now)
}

// finish destroys the private half. What stays is what we unsealed, not what the row says.
func (r *Ring) finish(ctx context.Context, k idp.SigningKey, now time.Time) error {
	signer, err := open(k, r.keys)
	if err != nil {
		return err
	}
	public, err := sealPublic(signer.Key(), r.keys)
	if err != nil {
		return err
	}
	return r.store.FinishKey(ctx, system, k.ID, public, now)
}

// empty takes private halves out of the rows of retired keys: earlier releases left them.
func (r *Ring) empty(ctx context.Context, rows []idp.SigningKey, now time.Time) error {
	for _, k := range rows {
		if k.RetiredAt.IsZero() || len(k.Sealed) == 0 || !knows(k) {
			continue
		}
		der, _, err := r.keys.open(k.Sealed, place(k.ID, k.Alg))
		clear(der)
		if err != nil {
			continue
		}
		if err := r.store.ResealKey(ctx, system, k.ID, k.Sealed, nil, now); err != nil && !errors.Is(err, idp.ErrConsumed) {
			return fmt.Errorf("empty retired key %s: %w", k.ID, err)
		}
	}
	return nil
}

// Succeed gives each algorithm that is named, or all that have keys, a successor that signs
// as soon as it has been published for long enough. A successor that is there already is
// taken forward. It returns the successors.
func (r *Ring) Succeed(ctx context.Context, by idp.Actor, algs []jose.Algorithm, now time.Time) ([]Status, error) {
	if len(algs) == 0 {
		algs = r.signing()
	}
	for _, alg := range algs {
		if !slices.Contains(known, alg) {
			return nil, fmt.Errorf("algorithm %q: %w", alg, idp.ErrInvalid)
		}
		if err := r.succeed(ctx, by, alg, now); err != nil {
			return nil, fmt.Errorf("%s: %w", alg, err)
		}
	}
	if err := r.Reload(ctx, now); err != nil {
		return nil, err
	}
	list, err := r.List(ctx)
	return slices.DeleteFunc(list, func(s Status) bool {
		return s.State != Staged || !slices.Contains(algs, jose.Algorithm(s.Alg))
	}), err
}

// signing returns the algorithms that have a key that signs.
func (r *Ring) signing() []jose.Algorithm {
	signers := r.current.Load().signers
	return slices.DeleteFunc(slices.Clone(known), func(alg jose.Algorithm) bool { return signers[alg] == nil })
}

func (r *Ring) succeed(ctx context.Context, by idp.Actor, alg jose.Algorithm, now time.Time) error {
	rows, err := r.store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	keys := live(rows, alg)
	if len(keys) == 0 {
		return idp.ErrNotFound
	}
	if keys[0].ActiveAt.After(now) { // a clock was wrong; whoever asks says that this one is right
		err = r.store.RedateKey(ctx, by, keys[0], keys[0].StagedAt, now.Add(-time.Second), now)
	}
	if err == nil && len(keys) == 1 {
		err = r.stage(ctx, by, Action{Key: keys[0], ActiveAt: now.Add(r.policy.Lead)}, now)
	} else if err == nil {
		err = r.hasten(ctx, by, keys[1], now)
	}
	if errors.Is(err, idp.ErrExists) || errors.Is(err, idp.ErrConsumed) {
		return nil // somebody else did it meanwhile
	}
	return err
}

// hasten lets a staged key sign as soon as it may.
func (r *Ring) hasten(ctx context.Context, by idp.Actor, next idp.SigningKey, now time.Time) error {
	published := next.StagedAt
	if published.After(now) {
		published = now
	}
	soonest := later(now, published.Add(r.policy.Lead))
	if !soonest.Before(next.ActiveAt) {
		return nil
	}
	return r.store.RedateKey(ctx, by, next, published, soonest, now)
}

// Kill retires a key in an emergency: from the next moment on nothing that it signed is
// good, here and at all verifiers, and its private half is gone. If it was the one that
// signs, another one is made and signs at once.
func (r *Ring) Kill(ctx context.Context, by idp.Actor, kid string, now time.Time) error {
	if err := r.store.RetireKey(ctx, by, kid, now); err != nil {
		return err
	}
	return r.Reload(ctx, now)
}
