package p256_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"math/big"
	"testing"

	"github.com/signet-id/signet/verify/accel/internal/p256"
)

// signed is a signature of a hash with the key that verifies it.
type signed struct {
	key     []byte // uncompressed
	e, r, s *big.Int
}

// forPoints returns what makes a verifier compute u1 G + u2 Q for the key Q = d G. The
// hash is chosen last, so the signature is good whenever the sum is not infinity.
func forPoints(t testing.TB, u1, u2, d *big.Int) signed {
	t.Helper()
	sum := new(big.Int).Mul(u2, d)
	point := times(t, sum.Add(sum, u1), generator())
	r := big.NewInt(5) // of infinity nobody knows the x
	if len(point) > 1 {
		r.SetBytes(point[1:33]).Mod(r, n)
	}
	s := new(big.Int).ModInverse(u2, n)
	s.Mod(s.Mul(s, r), n)
	e := new(big.Int).Mul(u1, s)
	return signed{times(t, d, generator()), e.Mod(e, n), r, s}
}

func (v signed) ask(t testing.TB, table *p256.Table) (valid, decided, standard bool) {
	t.Helper()
	pub, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), v.key)
	if err != nil {
		t.Fatal(err)
	}
	hash := [32]byte(v.e.FillBytes(make([]byte, 32)))
	signature := append(v.r.FillBytes(make([]byte, 32)), v.s.FillBytes(make([]byte, 32))...)
	valid, decided = table.Verify(&hash, signature)
	return valid, decided, ecdsa.Verify(pub, hash[:], v.r, v.s)
}

func mod(x *big.Int) *big.Int { return x.Mod(x, n) }

// TestVerify_JOS23_Exceptional: points collide, which the formula of addition does not cover.
func TestVerify_JOS23_Exceptional(t *testing.T) {
	t.Parallel()
	u1 := number("abcdef1234567890abcdef1234567890abcdef1234567890abcdef12345678")
	u2 := number("fedcba0987654321fedcba0987654321fedcba0987654321fedcba09876543")
	inv := func(x *big.Int) *big.Int { return new(big.Int).ModInverse(x, n) }
	one, last := big.NewInt(1), number("1000000000000000000000000000000000000000000000000000000000000000") // 2^252
	minus := func(x *big.Int) *big.Int { return mod(new(big.Int).Neg(x)) }
	times := func(x, y *big.Int) *big.Int { return mod(new(big.Int).Mul(x, y)) }
	for name, v := range map[string]struct {
		u1, u2, d       *big.Int
		decided, accept bool
	}{
		"nothing special":                 {u1, u2, u1, true, true},
		"the key is the generator":        {u1, u2, one, true, true},
		"no multiple of the generator":    {new(big.Int), u2, u1, true, true},
		"one of each, same point":         {one, one, one, false, true},
		"one of each, opposite points":    {one, one, minus(one), false, false},
		"same point in the last addition": {u1, last, times(u1, inv(last)), false, true},
		"u1 G = u2 Q, met on the way":     {u1, u2, times(u1, inv(u2)), true, true},
		"u1 G = -u2 Q":                    {u1, u2, minus(times(u1, inv(u2))), false, false},
		"u1 G = -Q":                       {u1, one, minus(u1), false, false},
		"largest numbers":                 {minus(one), minus(one), u1, true, true},
	} {
		s := forPoints(t, v.u1, v.u2, v.d)
		valid, decided, standard := s.ask(t, newTable(t, s.key))
		if standard != v.accept {
			t.Errorf("%s: the standard library says %v: the case is not what it is called", name, standard)
		}
		if decided != v.decided || decided && valid != standard {
			t.Errorf("%s: valid %v, decided %v; want decided %v, standard library %v", name, valid, decided, v.decided, standard)
		}
	}
}

// TestVerify_LargeX: r is x modulo n, and x may be n or more.
func TestVerify_LargeX(t *testing.T) {
	t.Parallel()
	hash := sha256.Sum256([]byte("message"))
	s := number("123456789abcdef123456789abcdef123456789abcdef")
	for name, start := range map[string]*big.Int{
		"x at least n": n, "x far above n": new(big.Int).Rsh(new(big.Int).Add(n, p), 1), "x just below p": new(big.Int).Sub(p, big.NewInt(30)),
		"x small": big.NewInt(1), "x below n": new(big.Int).Sub(n, big.NewInt(1000)),
		"x at p - n, the least that no n is added to": new(big.Int).Sub(p, n),
	} {
		for _, point := range pointsFrom(t, start, 5) {
			r := mod(new(big.Int).SetBytes(point[1:33]))
			if r.Sign() == 0 {
				continue
			}
			v := signed{keyFor(t, point, hash[:], r, s), new(big.Int).SetBytes(hash[:]), r, s}
			table := newTable(t, v.key)
			if valid, decided, standard := v.ask(t, table); !valid || !decided || !standard {
				t.Errorf("%s, r %x: valid %v, decided %v, standard library %v", name, r, valid, decided, standard)
			}
			v.r = new(big.Int).Add(r, big.NewInt(1))
			if valid, decided, standard := v.ask(t, table); valid || !decided || standard {
				t.Errorf("%s, r + 1: valid %v, decided %v, standard library %v", name, valid, decided, standard)
			}
		}
	}
}

// TestVerify_JOS23_Range: the caller has checked r and s, and so does the table.
func TestVerify_JOS23_Range(t *testing.T) {
	t.Parallel()
	good := forPoints(t, big.NewInt(1234), big.NewInt(5678), big.NewInt(91011))
	table := newTable(t, good.key)
	if valid, decided, _ := good.ask(t, table); !valid || !decided {
		t.Fatal("a good signature is refused")
	}
	largest := number("ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff")
	for _, x := range []*big.Int{new(big.Int), n, new(big.Int).Add(n, big.NewInt(1)), p, largest} {
		for _, v := range []signed{{good.key, good.e, x, good.s}, {good.key, good.e, good.r, x}, {good.key, good.e, x, x}} {
			if valid, decided, standard := v.ask(t, table); valid || decided || standard {
				t.Errorf("r %x s %x: valid %v, decided %v, standard library %v", v.r, v.s, valid, decided, standard)
			}
		}
	}
	for _, length := range []int{0, 63, 65} {
		if valid, decided := table.Verify(&[32]byte{}, make([]byte, length)); valid || decided {
			t.Errorf("%d bytes: valid %v, decided %v", length, valid, decided)
		}
	}
}

// TestVerify_JOS23_Fault: what a table with a fault computes is not on the curve.
func TestVerify_JOS23_Fault(t *testing.T) {
	t.Parallel()
	good := forPoints(t, number("abcdef1234567890abcdef1234567890abcdef"), number("fedcba0987654321fedcba0987654321fedcba"), big.NewInt(7))
	table := newTable(t, good.key)
	table.Spoil(5)
	if valid, decided, standard := good.ask(t, table); valid || decided || !standard {
		t.Errorf("valid %v, decided %v, standard library %v", valid, decided, standard)
	}
}
