package verify

import (
	"bufio"
	"bytes"
	"errors"
	"io"
)

// maxEvent bounds a line and an event of the feed.
const maxEvent = 1 << 20

var errEvent = errors.New("revocation feed: event too long")

// event is one server-sent event. Its id is not looked at: what counts is signed.
type event struct {
	kind string
	data []byte
}

// eventReader reads server-sent events (WHATWG HTML §9.2.6) with a bound on their size.
type eventReader struct {
	in       *bufio.Reader
	line     []byte
	afterCR  bool // the last line ended with CR, so a LF that follows belongs to it
	anything bool // something was read before
}

func newEventReader(r io.Reader) *eventReader {
	return &eventReader{in: bufio.NewReaderSize(r, 32<<10)}
}

// next returns the next event that has data. An event that the end of the stream cuts
// off is dropped.
func (e *eventReader) next() (event, error) {
	var (
		ev      event
		hasData bool
	)
	for {
		line, err := e.readLine()
		if err != nil {
			return event{}, err
		}
		if len(line) == 0 {
			if hasData {
				return ev, nil
			}
			ev = event{}
			continue
		}
		field, value, _ := bytes.Cut(line, []byte(":"))
		value = bytes.TrimPrefix(value, []byte(" "))
		switch string(field) {
		case "event":
			ev.kind = string(value)
		case "data":
			if hasData {
				ev.data = append(ev.data, '\n')
			}
			ev.data = append(ev.data, value...)
			hasData = true
		}
		if len(ev.data) > maxEvent {
			return event{}, errEvent
		}
	}
}

// readLine reads a line that ends with LF, CR or both. The result is valid until the
// next call.
func (e *eventReader) readLine() ([]byte, error) {
	e.line = e.line[:0]
	for {
		if _, err := e.in.Peek(1); err != nil {
			return nil, err
		}
		chunk, _ := e.in.Peek(e.in.Buffered())
		if e.afterCR && chunk[0] == '\n' {
			e.afterCR = false
			_, _ = e.in.Discard(1)
			continue
		}
		e.afterCR = false
		end := bytes.IndexAny(chunk, "\r\n")
		part := chunk
		if end >= 0 {
			part = chunk[:end]
		}
		if len(e.line)+len(part) > maxEvent {
			return nil, errEvent
		}
		e.line = append(e.line, part...)
		if end < 0 {
			_, _ = e.in.Discard(len(chunk))
			continue
		}
		e.afterCR = chunk[end] == '\r'
		_, _ = e.in.Discard(end + 1)
		if !e.anything {
			e.line = bytes.TrimPrefix(e.line, []byte("\ufeff"))
		}
		e.anything = true
		return e.line, nil
	}
}
