package idp

import "time"

// Limit is a counter that may reach Max within Window; Key names what is counted.
type Limit struct {
	Key    string
	Max    int
	Window time.Duration
}

// Change tells a node what to read again.
type Change struct {
	Seq  int64
	Kind string // "client", "resource", "key", "user"
	ID   string
}
