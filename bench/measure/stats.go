package measure

import "slices"

// Median returns the middle value, of an even number the mean of the two in the middle,
// of none 0.
func Median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	v := slices.Sorted(slices.Values(values))
	half := len(v) / 2
	if len(v)%2 == 1 {
		return v[half]
	}
	return (v[half-1] + v[half]) / 2
}

// each returns the median of what f says of each slice.
func each(slices []Slice, f func(Slice) float64) float64 {
	var values []float64
	for _, s := range slices {
		values = append(values, f(s))
	}
	return Median(values)
}

// CPU returns the median processor time of an operation in nanoseconds, on one core.
func (s Series) CPU() float64 { return each(s.One, Slice.PerOp) }

// Bytes returns the median of allocated bytes per operation.
func (s Series) Bytes() float64 {
	return each(s.One, func(x Slice) float64 { return float64(x.Bytes) / float64(x.Ops) })
}

// Allocs returns the median of allocations per operation.
func (s Series) Allocs() float64 {
	return each(s.One, func(x Slice) float64 { return float64(x.Allocs) / float64(x.Ops) })
}

// Ratio returns the median over the rounds of the processor time of s divided by that of
// base in the same round.
func (s Series) Ratio(base Series) float64 {
	var values []float64
	for n := range min(len(s.One), len(base.One)) {
		values = append(values, s.One[n].PerOp()/base.One[n].PerOp())
	}
	return Median(values)
}

// Spread returns the first and third quartile of the processor time of an operation, as
// parts of the median.
func (s Series) Spread() (low, high float64) {
	var values []float64
	for _, x := range s.One {
		values = append(values, x.PerOp()/s.CPU())
	}
	slices.Sort(values)
	if len(values) == 0 {
		return 0, 0
	}
	return values[len(values)/4], values[(len(values)-1)*3/4]
}

// SpeedUp returns how many times more operations two cores do in a second than one, by
// the clock on the wall: the median of ratios within rounds, 0 if it was not measured.
func (s Series) SpeedUp() float64 {
	var values []float64
	for n := range min(len(s.One), len(s.TwoWall)) {
		one, two := s.One[n], s.TwoWall[n]
		values = append(values, float64(two.Ops)/float64(one.Ops)*float64(one.Wall)/float64(two.Wall))
	}
	return Median(values)
}
