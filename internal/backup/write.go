package backup

import (
	"bufio"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"hash"
	"io"
	"strings"
	"time"
)

// Writer writes a backup. After an error it is of no use.
type Writer struct {
	zip     *gzip.Writer
	lines   *bufio.Writer // to zip and sum
	sum     hash.Hash
	rows    map[string]int64
	table   string
	columns []Column
	values  []any // of one row; used again
}

// NewWriter begins a backup with its header; Format and Version are filled in.
func NewWriter(w io.Writer, h Header) (*Writer, error) {
	b := &Writer{zip: gzip.NewWriter(w), sum: sha256.New(), rows: map[string]int64{}}
	b.lines = bufio.NewWriterSize(io.MultiWriter(b.zip, b.sum), 64<<10)
	h.Format, h.Version, h.Time = format, version, h.Time.UTC().Truncate(time.Millisecond)
	return b, b.line(h)
}

// Table begins a table.
func (b *Writer) Table(t Table) error {
	if _, again := b.rows[t.Name]; again {
		return fmt.Errorf("table %s is written twice", t.Name)
	}
	b.table, b.columns, b.rows[t.Name] = t.Name, t.Columns, 0
	return b.line(t)
}

// Row writes a row of the table that was begun: a string, int64, []byte or nil for each
// column.
func (b *Writer) Row(values []any) error {
	if len(values) != len(b.columns) {
		return fmt.Errorf("table %s: %d values for %d columns", b.table, len(values), len(b.columns))
	}
	b.values = b.values[:0]
	for i, v := range values {
		encoded, err := encode(v, b.columns[i].Type)
		if err != nil {
			return fmt.Errorf("table %s, column %s: %w", b.table, b.columns[i].Name, err)
		}
		b.values = append(b.values, encoded)
	}
	b.rows[b.table]++
	return b.line(b.values)
}

func encode(v any, t Type) (any, error) {
	if v == nil {
		return nil, nil
	}
	switch t {
	case Text:
		switch v := v.(type) {
		case string:
			return strings.ToValidUTF8(v, "\ufffd"), nil
		case []byte:
			return strings.ToValidUTF8(string(v), "\ufffd"), nil
		}
	case Int:
		if n, ok := v.(int64); ok {
			return n, nil
		}
	case Bytes:
		if raw, ok := v.([]byte); ok {
			return base64.StdEncoding.EncodeToString(raw), nil
		}
	}
	return nil, fmt.Errorf("%T in a column of type %q", v, t)
}

// Close writes the last line. It does not close what is below.
func (b *Writer) Close() error {
	if err := b.lines.Flush(); err != nil {
		return err
	}
	if err := b.line(trailer{b.rows, hex.EncodeToString(b.sum.Sum(nil))}); err != nil {
		return err
	}
	if err := b.lines.Flush(); err != nil {
		return err
	}
	return b.zip.Close()
}

func (b *Writer) line(v any) error {
	text, err := json.Marshal(v)
	if err != nil {
		return err
	}
	_, err = b.lines.Write(append(text, '\n'))
	return err
}
