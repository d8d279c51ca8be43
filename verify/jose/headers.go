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
	segment, typ string
	key          *Key
}

// spellings are filled from the front and never changed.
type spellings [maxSpellings]atomic.Pointer[spelling]

// recognize returns the key of a header that was learned, or nil.
func (s *KeySet) recognize(segment, typ string) *Key {
	for i := range s.spellings {
		known := s.spellings[i].Load()
		if known == nil {
			return nil
		}
		if known.segment == segment && known.typ == typ {
			return known.key
		}
	}
	return nil
}

// learn remembers the header of a token whose signature held. When there is no more
// room, headers are read.
func (s *KeySet) learn(segment, typ string, key *Key) {
	if len(segment) > maxSpelling {
		return
	}
	fresh := &spelling{strings.Clone(segment), strings.Clone(typ), key}
	for i := range s.spellings {
		if s.spellings[i].CompareAndSwap(nil, fresh) {
			return
		}
		if known := s.spellings[i].Load(); known.segment == segment && known.typ == typ {
			return
		}
	}
}
