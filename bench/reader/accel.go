package reader

import (
	"context"
	"errors"
	"time"

	"github.com/signet-id/signet/bench/issuer"
	"github.com/signet-id/signet/verify"
	"github.com/signet-id/signet/verify/accel"
)

func init() { Accelerated = &Library{"signet verify with accel", openAccelerated} }

// openAccelerated waits until the key has its table: a service has it after its first
// second, and for days.
func openAccelerated(i *issuer.Issuer, alg string) (*Reader, error) {
	a := accel.New()
	if s := a.Status(); s.Off != "" {
		return nil, errors.New("accel does nothing: " + s.Off)
	}
	v, stop, err := i.Verifier(0, verify.Accelerate(a))
	if err != nil {
		return nil, err
	}
	for n := range 200 {
		token, err := i.Token(alg, -1-n)
		if err == nil {
			_, err = v.Verify(context.Background(), token)
		}
		if err != nil {
			stop()
			return nil, err
		}
		if a.Status().Tables > 0 {
			return ofVerifier(v, stop), nil
		}
		time.Sleep(time.Millisecond)
	}
	stop()
	return nil, errors.New("accel makes no table")
}
