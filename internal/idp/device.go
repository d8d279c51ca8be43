package idp

import "time"

// DeviceRequest is a device authorization request (RFC 8628 §3.1): a device without a
// browser asks, and a person answers at another one. The person finds it by the code that
// the device shows; the device finds out by the code that only it knows.
type DeviceRequest struct {
	ID         string
	DeviceHash [32]byte // secret.Hash("device_code", …)
	UserHash   [32]byte // secret.HashKeyed(…, "user_code", …)
	SealedCode []byte   // the person's code, to be compared; sealed under a key that is not in the database

	// What the client asked, and from where; fixed once stored.
	ClientID  string
	Scopes    []string
	Resource  string
	IP        string // of the device, or of the service that asks for it
	UserAgent string
	CreatedAt time.Time
	ExpiresAt time.Time
	Interval  time.Duration // between two polls; grows when the device asks too often

	// What became of it.
	PolledAt   time.Time
	ApprovedAt time.Time
	DeniedAt   time.Time
	RedeemedAt time.Time
	UserID     string // who approved it; empty before
	GrantID    string // what they approved; empty before
}

// DeviceQuotas bound the device requests that are alive (DOS-03). Total also bounds how
// many codes a guess could hit.
type DeviceQuotas struct {
	PerNetwork int
	PerClient  int
	Total      int
}
