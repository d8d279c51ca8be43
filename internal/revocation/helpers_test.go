package revocation_test

import (
	"context"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/signet-id/signet/internal/idp"
	"github.com/signet-id/signet/internal/revocation"
	"github.com/signet-id/signet/verify/jose"
)

const issuer = "https://id.example.com"

// memLog is a revocation log in memory, for tests in which time is not real. It can fail.
type memLog struct {
	mu    sync.Mutex
	epoch string
	rules []idp.Rule
	err   error
	poke  chan struct{}
	reads int // of rules

	onRead func() // called with mu held when rules are read
}

func newMemLog() *memLog { return &memLog{epoch: "e1", poke: make(chan struct{}, 1)} }

func (l *memLog) Watch() (<-chan struct{}, func()) { return l.poke, func() {} }

func (l *memLog) RevocationHead(context.Context) (string, int64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.epoch, int64(len(l.rules)), l.err
}

func (l *memLog) Rules(_ context.Context, after int64, limit int, now time.Time) ([]idp.Rule, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads++
	if l.onRead != nil {
		l.onRead()
	}
	var live []idp.Rule
	for _, r := range l.rules[min(int(after), len(l.rules)):] {
		if len(live) == limit {
			break
		}
		if r.Until.After(now) {
			live = append(live, r)
		}
	}
	return live, l.err
}

// append adds rules; poked says whether the hub is told.
func (l *memLog) append(poked bool, rules ...idp.Rule) {
	l.mu.Lock()
	for _, r := range rules {
		r.Seq = int64(len(l.rules)) + 1
		l.rules = append(l.rules, r)
	}
	l.mu.Unlock()
	if poked {
		select {
		case l.poke <- struct{}{}:
		default:
		}
	}
}

func (l *memLog) fail(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.err = err
}

func (l *memLog) ruleReads() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.reads
}

// grants makes n rules that name grants.
func grants(n int, now time.Time) []idp.Rule {
	rules := make([]idp.Rule, n)
	for i := range rules {
		rules[i] = idp.Rule{Kind: idp.RuleGrant, ID: fmt.Sprint("g", i), At: now, Until: now.Add(time.Hour)}
	}
	return rules
}

// signing is a key with a count of how often it was asked for.
type signing struct {
	mu     sync.Mutex
	signer *jose.Signer
	asked  int
	err    error
}

func newSigning(t *testing.T, kid string) *signing {
	t.Helper()
	return &signing{signer: newSigner(t, kid)}
}

func newSigner(t testing.TB, kid string) *jose.Signer {
	t.Helper()
	signer, err := jose.NewSigner(jose.EdDSA, kid, ed25519.NewKeyFromSeed(make([]byte, 32)))
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func (s *signing) get() (*jose.Signer, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	return s.signer, s.err
}

func (s *signing) set(signer *jose.Signer) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.signer = signer
}

func (s *signing) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.asked
}

// batch is a payload as a verifier reads it.
type batch struct {
	Issuer   string `json:"iss"`
	Audience string `json:"aud"`
	IssuedAt int64  `json:"iat"`
	Now      int64  `json:"now"`
	Epoch    string `json:"epoch"`
	From     int64  `json:"from"`
	To       int64  `json:"to"`
	Head     int64  `json:"head"`
	Rules    []struct {
		Seq    int64  `json:"seq"`
		Kind   string `json:"kind"`
		ID     string `json:"id"`
		Before *int64 `json:"before"`
		At     int64  `json:"at"`
		Until  int64  `json:"until"`
	} `json:"rules"`
}

// open checks the signature of an event and reads it.
func open(t *testing.T, s *signing, e *revocation.Event) batch {
	t.Helper()
	s.mu.Lock()
	key := s.signer.Key()
	s.mu.Unlock()
	keys, err := jose.NewKeySet(key)
	if err != nil {
		t.Fatal(err)
	}
	payload, _, err := keys.VerifyLong(e.Token, "revocations+jwt", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	var b batch
	if err := json.Unmarshal(payload, &b); err != nil {
		t.Fatal(err)
	}
	if b.Epoch != e.Epoch || b.From != e.From || b.To != e.To || b.Head != e.Head {
		t.Fatalf("event %+v says %s", e, payload)
	}
	return b
}

// start runs the hub until the test ends.
func start(t *testing.T, h *revocation.Hub) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() { _ = h.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
}

// follow collects events in a channel until the test ends.
func follow(t *testing.T, h *revocation.Hub, epoch string, after int64) <-chan *revocation.Event {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	events := make(chan *revocation.Event)
	var running sync.WaitGroup
	running.Go(func() {
		defer close(events)
		_ = h.Follow(ctx, epoch, after, func(e *revocation.Event) error {
			select {
			case events <- e:
				return nil
			case <-ctx.Done():
				return ctx.Err()
			}
		})
	})
	t.Cleanup(func() {
		cancel()
		running.Wait()
	})
	return events
}
