package edge

import (
	"context"
	"fmt"
	"log/slog"
	"reflect"
	"regexp"
	"strings"
	"unicode"
)

// tokens matches opaque tokens, also cut or mistyped ones, and compact JWS, also without signature.
var tokens = regexp.MustCompile(`sg[trcpksdilfqm]_[0-9A-Za-z]{20,}|eyJ[0-9A-Za-z_-]{5,}\.[0-9A-Za-z_-]{5,}(?:\.[0-9A-Za-z_-]*)?`)

// NewRedactor wraps a log handler so that tokens which slipped through every type and
// every review are not written. It is the second net, not the first: passwords have no
// shape that it could know.
func NewRedactor(next slog.Handler) slog.Handler { return redactor{next} }

type redactor struct{ next slog.Handler }

func (h redactor) Enabled(ctx context.Context, l slog.Level) bool { return h.next.Enabled(ctx, l) }

func (h redactor) Handle(ctx context.Context, r slog.Record) error {
	clean := slog.NewRecord(r.Time, r.Level, redact(r.Message), r.PC)
	r.Attrs(func(a slog.Attr) bool {
		clean.AddAttrs(redactAttr(a))
		return true
	})
	return h.next.Handle(ctx, clean)
}

func (h redactor) WithAttrs(attrs []slog.Attr) slog.Handler {
	clean := make([]slog.Attr, len(attrs))
	for i, a := range attrs {
		clean[i] = redactAttr(a)
	}
	return redactor{h.next.WithAttrs(clean)}
}

func (h redactor) WithGroup(name string) slog.Handler { return redactor{h.next.WithGroup(name)} }

// redact cleans one text. Encoders escape line ends and ESC (OPS-02) but let pass what some
// terminals obey as well: the controls from U+007F to U+009F and changes of direction.
func redact(s string) string {
	s = strings.Map(func(r rune) rune {
		if 0x7f <= r && r <= 0x9f || unicode.Is(unicode.Bidi_Control, r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
	return tokens.ReplaceAllString(s, "[redacted]")
}

func redactAttr(a slog.Attr) slog.Attr {
	return slog.Attr{Key: redact(a.Key), Value: redactValue(a.Value.Resolve())}
}

func redactValue(v slog.Value) slog.Value {
	switch v.Kind() {
	case slog.KindString:
		return slog.StringValue(redact(v.String()))
	case slog.KindGroup:
		group := v.Group()
		clean := make([]slog.Attr, len(group))
		for i, a := range group {
			clean[i] = redactAttr(a)
		}
		return slog.GroupValue(clean...)
	case slog.KindAny:
		return slog.StringValue(redact(text(v.Any())))
	default:
		return v // numbers, times and truth values hold no token
	}
}

// text renders any other value. An encoder of JSON would look into it later, where we
// cannot see, so it becomes text here.
func text(v any) string {
	if rv := reflect.ValueOf(v); rv.IsValid() && rv.Kind() == reflect.Slice && rv.Type().Elem().Kind() == reflect.Uint8 {
		return string(rv.Bytes())
	}
	return fmt.Sprintf("%+v", v)
}
