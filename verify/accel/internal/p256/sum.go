package p256

import "github.com/signet-id/signet/verify/accel/internal/window"

// sum sets p = u1 G + u2 Q. If there are additions in it that the formula does not cover,
// z becomes zero.
func (t *Table) sum(p *point, u1, u2 *scalar) {
	*p = point{}
	started := p.addMultiple(t.generator, u1, false)
	p.addMultiple(t.key, u2, started)
}

// addMultiple adds k times the point that m belongs to. The first stored point of all is
// where the sum starts, which the caller says, and is told, has happened.
func (p *point) addMultiple(m *multiples, k *scalar, started bool) bool {
	for place, d := range window.Cut(k, m.width) {
		switch {
		case d == 0:
		case !started:
			p.set(&m.row(place)[abs(d)-1], d < 0)
			started = true
		default:
			p.add(&m.row(place)[abs(d)-1], d < 0)
		}
	}
	return started
}

func abs(d int16) int16 { return max(d, -d) }
