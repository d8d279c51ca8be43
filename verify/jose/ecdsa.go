package jose

import (
	"bytes"
	"encoding/asn1"
	"errors"
	"math/big"
)

// derOverhead is by how much the DER form may be longer than r || s.
const derOverhead = 3 + 2*3

// inOrder reports 0 < x < n (FIPS 186-5 §6.4.2 step 1). Both have the same length.
func inOrder(x, n []byte) bool {
	zero := true
	for _, b := range x {
		zero = zero && b == 0
	}
	return !zero && bytes.Compare(x, n) < 0
}

// appendDER writes SEQUENCE { INTEGER r, INTEGER s } for numbers of at most 66 bytes.
func appendDER(dst, r, s []byte) []byte {
	r, s = minimal(r), minimal(s)
	length := 4 + len(r) + int(r[0]>>7) + len(s) + int(s[0]>>7)
	if length < 0x80 {
		dst = append(dst, 0x30, byte(length))
	} else {
		dst = append(dst, 0x30, 0x81, byte(length))
	}
	return appendInteger(appendInteger(dst, r), s)
}

// minimal cuts leading zero bytes off.
func minimal(x []byte) []byte {
	for len(x) > 1 && x[0] == 0 {
		x = x[1:]
	}
	return x
}

func appendInteger(dst, x []byte) []byte {
	if x[0]&0x80 != 0 {
		dst = append(dst, 2, byte(len(x)+1), 0)
	} else {
		dst = append(dst, 2, byte(len(x)))
	}
	return append(dst, x...)
}

// fixedLength turns the DER form that a crypto.Signer returns into r || s of size bytes.
func fixedLength(der []byte, size int) ([]byte, error) {
	var sig struct{ R, S *big.Int }
	rest, err := asn1.Unmarshal(der, &sig)
	if err != nil || len(rest) != 0 || sig.R.Sign() <= 0 || sig.S.Sign() <= 0 || max(sig.R.BitLen(), sig.S.BitLen()) > size/2*8 {
		return nil, errors.New("signer returned no ECDSA signature")
	}
	out := make([]byte, size)
	sig.R.FillBytes(out[:size/2])
	sig.S.FillBytes(out[size/2:])
	return out, nil
}
