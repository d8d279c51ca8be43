package backup

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"unicode/utf8"
)

// maxLine bounds what one row may take. The largest of ours are documents of some KiB.
const maxLine = 16 << 20

// Reader reads a backup.
type Reader struct {
	Header Header

	lines   *bufio.Reader
	sum     hash.Hash
	rows    map[string]int64
	table   string
	columns []Column
}

// NewReader reads a backup's header.
func NewReader(r io.Reader) (*Reader, error) {
	zip, err := gzip.NewReader(r)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFormat, err)
	}
	b := &Reader{lines: bufio.NewReaderSize(zip, 64<<10), sum: sha256.New(), rows: map[string]int64{}}
	line, err := b.line()
	if err != nil {
		return nil, err
	}
	// Only what names the form is read at first: another version may mean other things.
	var named struct {
		Format  string `json:"format"`
		Version int    `json:"version"`
	}
	if err := json.Unmarshal(line, &named); err != nil || named.Format != format || named.Version < 1 {
		return nil, ErrFormat
	}
	if named.Version > version {
		return nil, ErrNewer
	}
	if err := json.Unmarshal(line, &b.Header); err != nil {
		return nil, fmt.Errorf("%w: header: %w", ErrDamaged, err)
	}
	b.sum.Write(line)
	return b, nil
}

// Each calls table for each table and row for each of its rows, in the order of the
// stream, and returns how many rows each table had. Only its success says that the
// backup is whole: until then, nothing may be believed that was read.
func (b *Reader) Each(table func(Table) error, row func(values []any) error) (rows map[string]int64, err error) {
	for {
		line, err := b.line()
		if err != nil {
			return nil, err
		}
		switch {
		case line[0] == '[':
			err = b.row(line, row)
		case bytes.HasPrefix(line, []byte(`{"table":`)):
			err = b.begin(line, table)
		default:
			return b.rows, b.end(line)
		}
		if err != nil {
			return nil, err
		}
		b.sum.Write(line)
	}
}

// Check reads a backup to its end.
func Check(r io.Reader) (Header, map[string]int64, error) {
	b, err := NewReader(r)
	if err != nil {
		return Header{}, nil, err
	}
	rows, err := b.Each(func(Table) error { return nil }, func([]any) error { return nil })
	return b.Header, rows, err
}

func (b *Reader) begin(line []byte, table func(Table) error) error {
	var t Table
	if err := json.Unmarshal(line, &t); err != nil {
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	if _, again := b.rows[t.Name]; again || t.Name == "" || len(t.Columns) == 0 {
		return fmt.Errorf("%w: a table comes twice or has no columns", ErrDamaged)
	}
	b.table, b.columns, b.rows[t.Name] = t.Name, t.Columns, 0
	return table(t)
}

func (b *Reader) row(line []byte, row func([]any) error) error {
	var raw []json.RawMessage
	if err := json.Unmarshal(line, &raw); err != nil || len(raw) != len(b.columns) {
		return fmt.Errorf("%w: a row of %q does not fit its columns", ErrDamaged, b.table)
	}
	values := make([]any, len(raw))
	for i, text := range raw {
		v, err := decode(text, b.columns[i].Type)
		if err != nil {
			return fmt.Errorf("%w: table %s, column %s: %w", ErrDamaged, b.table, b.columns[i].Name, err)
		}
		values[i] = v
	}
	b.rows[b.table]++
	return row(values)
}

func decode(text json.RawMessage, t Type) (any, error) {
	if string(text) == "null" {
		return nil, nil
	}
	switch t {
	case Text:
		var s string
		err := json.Unmarshal(text, &s)
		return s, err
	case Int:
		var n int64
		err := json.Unmarshal(text, &n)
		return n, err
	case Bytes:
		var s string
		if err := json.Unmarshal(text, &s); err != nil {
			return nil, err
		}
		return base64.StdEncoding.Strict().DecodeString(s)
	}
	return nil, fmt.Errorf("unknown type %q", t)
}

// end checks the last line, and that nothing follows it.
func (b *Reader) end(line []byte) error {
	var t trailer
	if err := json.Unmarshal(line, &t); err != nil || t.SHA256 != hex.EncodeToString(b.sum.Sum(nil)) {
		return fmt.Errorf("%w: its checksum is another", ErrDamaged)
	}
	if !maps.Equal(t.Rows, b.rows) {
		return fmt.Errorf("%w: rows are missing", ErrDamaged)
	}
	switch _, err := b.lines.ReadByte(); {
	case err == nil:
		return fmt.Errorf("%w: something follows its end", ErrDamaged)
	case !errors.Is(err, io.EOF):
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	return nil
}

// line returns the next line with its line break. Every line has one and is longer.
func (b *Reader) line() ([]byte, error) {
	var whole []byte
	for {
		part, err := b.lines.ReadSlice('\n')
		whole = append(whole, part...)
		switch {
		case errors.Is(err, bufio.ErrBufferFull) && len(whole) <= maxLine:
			continue
		case err != nil:
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		case len(whole) < 3 || !utf8.Valid(whole):
			return nil, fmt.Errorf("%w: a line is no JSON", ErrDamaged)
		}
		return whole, nil
	}
}
