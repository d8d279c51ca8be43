// Package backup is the form of a backup: one stream that describes itself and can be
// checked from its first to its last byte before anything is done with it.
//
// It is gzip around lines of JSON. The first line is the Header. Each table begins with a
// line that names its columns, followed by a line for each row: an array of texts,
// numbers, base64 for bytes, or null. The last line counts the rows and has the SHA-256
// of all that comes before it, so a file that was cut or damaged is noticed. It is no
// signature: who can change a backup can also change that line.
//
// The form knows no database engine, so what one engine wrote another can read. It
// deliberately does not know what the tables mean; package store does.
package backup

import (
	"errors"
	"time"
)

const (
	format  = "signet-backup"
	version = 1
)

// Header is the first line.
type Header struct {
	Format  string    `json:"format"`
	Version int       `json:"version"` // of the form itself
	Schema  int64     `json:"schema"`  // number of the database's newest migration
	Time    time.Time `json:"time"`    // when the rows were read
	Epoch   string    `json:"epoch"`   // of the revocation log at that time
}

// Table is the line that begins a table.
type Table struct {
	Name    string   `json:"table"`
	Columns []Column `json:"columns"`
}

// Column is one of a table's columns.
type Column struct {
	Name string `json:"name"`
	Type Type   `json:"type"`
}

// Type says how a column's values are written.
type Type string

// The types that a schema of ours uses.
const (
	Text  Type = "text"  // a JSON string
	Int   Type = "int"   // a JSON number, 64 bits
	Bytes Type = "bytes" // a JSON string of base64
)

// trailer is the last line.
type trailer struct {
	Rows   map[string]int64 `json:"rows"`
	SHA256 string           `json:"sha256"` // of all lines before, in hexadecimal digits
}

// Errors of a stream that cannot be used.
var (
	ErrDamaged = errors.New("backup is damaged or not complete")
	ErrFormat  = errors.New("not a backup of signet")
	ErrNewer   = errors.New("backup was made by a newer release of signet; restore it with that release")
)
