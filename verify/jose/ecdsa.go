package jose

import (
	"bytes"
	"crypto/elliptic"
	"encoding/asn1"
	"errors"
	"math/big"
)

// order is n of P-256, big-endian.
var order = elliptic.P256().Params().N.Bytes()

// inOrder reports 0 < x < n (FIPS 186-5 §6.4.2 step 1).
func inOrder(x []byte) bool {
	zero := true
	for _, b := range x {
		zero = zero && b == 0
	}
	return !zero && bytes.Compare(x, order) < 0
}

// appendDER writes SEQUENCE { INTEGER r, INTEGER s } for numbers of 32 bytes.
func appendDER(dst, r, s []byte) []byte {
	dst = append(dst, 0x30, 0)
	dst = appendInteger(dst, r)
	dst = appendInteger(dst, s)
	dst[1] = byte(len(dst) - 2)
	return dst
}

func appendInteger(dst, x []byte) []byte {
	for len(x) > 1 && x[0] == 0 {
		x = x[1:]
	}
	if x[0]&0x80 != 0 {
		dst = append(dst, 2, byte(len(x)+1), 0)
	} else {
		dst = append(dst, 2, byte(len(x)))
	}
	return append(dst, x...)
}

// fixedLength turns the DER form that a crypto.Signer returns into r || s.
func fixedLength(der []byte) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &sig)
	if err != nil || len(rest) != 0 || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || sig.R.BitLen() > 256 || sig.S.BitLen() > 256 {
		return nil, errors.New("signer returned no ECDSA signature")
	}
	out := make([]byte, 64)
	sig.R.FillBytes(out[:32])
	sig.S.FillBytes(out[32:])
	return out, nil
}
