// Package accel makes package verify check signatures in about a quarter of the time.
// It is a module of its own and opt-in, because verify depends on the standard library
// alone:
//
//	v, err := verify.New(issuer, audience, verify.Accelerate(accel.New()))
//
// An issuer signs with the same few keys for days. For a key that was used 50 times a
// table of its multiples is made in the background, and tables of the base points are
// there already: [S]B - [k]A and u1 G + u2 Q then need no doublings. An Ed25519 key takes
// 480 KiB, a P-256 key 148 KiB, at most 8 keys have tables, and the base points take 744
// KiB, once in a process. Keys that are no longer published lose their tables as soon as
// the new key set is used.
//
// Until the table of a key is there, and for keys of other algorithms, the standard
// library verifies. Verifying never waits for a table and allocates nothing.
//
// It accepts exactly what crypto/ed25519 and crypto/ecdsa accept. What it cannot decide,
// such as an addition that its formulas do not cover, it leaves to them. So it does with
// every result that is not on the curve, and with every inverse that is none: a fault in
// the arithmetic must not decide about a login.
//
// Everything here verifies and is public: running times depend on keys, messages and
// signatures. No private key or nonce may ever come here.
//
// It does nothing in FIPS 140 mode, with SIGNET_ACCEL=off in the environment, with the
// option Off, and if the test fails that New makes.
//
// # What it is built on
//
// For Ed25519 it takes the field, the scalars, and the decoding of points from
// filippo.io/edwards25519. Its Point has Add, of two projective points, and
// VarTimeDoubleScalarBaseMult, which is what the standard library does, but no addition of
// a stored affine point. The 69 additions of a signature by Point.Add alone take as long
// as a whole verification does with additions of 7 multiplications on field.Element, so
// those are done here.
//
// For P-256 filippo.io/nistec offers Add, Double and ScalarMult, and neither coordinates
// nor its field. Add computes the sum and the double and chooses between them in constant
// time: 76 of them alone take 0.43 of the time of the standard library's verification,
// which here takes 0.26 in all. So field and points are written here, in portable Go, and
// nistec is what the tests compare them with.
package accel
