package jose

import (
	"strings"
	"sync/atomic"
)

// An issuer writes its few headers in the same bytes again and again. Those of tokens
// whose signature held are recognized by comparison, and lead to what reading them gave.

// Limits on what a signer can make us remember.
const (
	maxSpellings = 16
	maxSpelling  = 512
)

// spelling is an encoded header that was read for tokens of one type.
type spelling struct {
	header    string // and its dot
	signature int    // length of the encoded signatures of its key
	typ       string
	key       *Key
}

// spellings are filled from the front and never changed.
type spellings [maxSpellings]atomic.Pointer[spelling]

// recognize takes a token apart whose header was learned, and returns its key, or nil. The
// dots are not looked for: a part that has one too many will not be decoded.
func (s *KeySet) recognize(token, typ string) (parts, *Key) {
	for i := range s.spellings {
		known := s.spellings[i].Load()
		if known == nil {
			break
		}
		payload, dot := len(known.header), len(token)-known.signature-1
		if dot > payload && token[dot] == '.' && token[:payload] == known.header && known.typ == typ {
			return parts{token[:payload-1], token[payload:dot], token[dot+1:]}, known.key
		}
	}
	return parts{}, nil
}

// learn remembers the header of a token whose signature held. When there is no more
// room, headers are read.
func (s *KeySet) learn(p parts, typ string, key *Key) {
	if len(p.header) > maxSpelling {
		return
	}
	fresh := &spelling{p.header + ".", len(p.signature), strings.Clone(typ), key}
	for i := range s.spellings {
		if s.spellings[i].CompareAndSwap(nil, fresh) {
			return
		}
		if known := s.spellings[i].Load(); known.header == fresh.header && known.typ == typ {
			return
		}
	}
}
