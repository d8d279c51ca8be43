package edge_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/signet-id/signet/internal/edge"
	"github.com/signet-id/signet/internal/idp"
)

const formType = "application/x-www-form-urlencoded"

func post(body, contentType string) *http.Request {
	r := httptest.NewRequest("POST", "/token?grant_type=from_query", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	return r
}

func form(r *http.Request) (url.Values, error) {
	return edge.Form(httptest.NewRecorder(), r, 1024)
}

// OAU-07: one reading of a form and no other.
func TestForm_OAU07(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       url.Values
	}{
		{"empty", "", url.Values{}},
		{"one", "a=1", url.Values{"a": {"1"}}},
		{"two", "a=1&b=2", url.Values{"a": {"1"}, "b": {"2"}}},
		{"no value", "a", url.Values{"a": {""}}},
		{"empty value", "a=", url.Values{"a": {""}}},
		{"equals sign in value", "a=b=c", url.Values{"a": {"b=c"}}},
		{"plus and escapes", "a=b+c%2Bd%26e", url.Values{"a": {"b c+d&e"}}},
		{"UTF-8", "a=%C3%A4", url.Values{"a": {"ä"}}},
		{"empty fields", "&a=1&&b=2&", url.Values{"a": {"1"}, "b": {"2"}}},
		{"case matters", "a=1&A=2", url.Values{"a": {"1"}, "A": {"2"}}},
		{"password byte for byte (LOG-06)", "password=+%20pw%0D%0A+", url.Values{"password": {"  pw\r\n "}}},
		{"most fields", strings.Repeat("&", 99), url.Values{}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, err := form(post(tt.body, formType))
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error(err, diff)
			}
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.RawQuery = tt.body
			got, err = edge.Query(r)
			if diff := cmp.Diff(tt.want, got); err != nil || diff != "" {
				t.Error("query", err, diff)
			}
		})
	}
}

func TestForm_OAU07_Refuses(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name, body string
		want       error
	}{
		{"semicolon", "a=1;b=2", edge.ErrMalformed},
		{"semicolon in value", "a=b;c", edge.ErrMalformed},
		{"bad escape", "a=%zz", edge.ErrMalformed},
		{"cut escape", "a=%4", edge.ErrMalformed},
		{"bad escape in name", "%=1", edge.ErrMalformed},
		{"NUL", "a=b%00c", edge.ErrMalformed},
		{"raw NUL", "a=b\x00c", edge.ErrMalformed},
		{"NUL in name", "a%00=b", edge.ErrMalformed},
		{"bad UTF-8", "a=%ff", edge.ErrMalformed},
		{"overlong UTF-8", "a=%c0%af", edge.ErrMalformed},
		{"no name", "=1", edge.ErrMalformed},
		{"too many fields (DOS-02)", strings.Repeat("&", 100), edge.ErrTooLarge},
		{"repeated", "a=1&b=2&a=1", &edge.ParamError{Name: "a"}},
		{"repeated and empty", "a=&a=", &edge.ParamError{Name: "a"}},
		{"repeated in another spelling", "client_id=1&client%5fid=2", &edge.ParamError{Name: "client_id"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := form(post(tt.body, formType))
			r := httptest.NewRequest("GET", "/", nil)
			r.URL.RawQuery = tt.body
			_, errQuery := edge.Query(r)
			for _, err := range []error{err, errQuery} {
				if !errors.Is(err, idp.ErrInvalid) {
					t.Errorf("%v is no ErrInvalid", err)
				}
				var want *edge.ParamError
				if errors.As(tt.want, &want) {
					if p, ok := errors.AsType[*edge.ParamError](err); !ok || p.Name != want.Name || strings.Contains(p.Error(), want.Name) && len(want.Name) > 1 {
						t.Errorf("%v", err)
					}
				} else if !errors.Is(err, tt.want) {
					t.Errorf("%v; want %v", err, tt.want)
				}
			}
		})
	}
}

// RFC 6749 Appendix B names one media type.
func TestForm_RFC6749_B_MediaType(t *testing.T) {
	t.Parallel()
	for contentType, want := range map[string]bool{
		formType:                                    true,
		formType + "; charset=utf-8":                true,
		formType + ";charset=\"UTF-8\"":             true,
		"Application/X-WWW-Form-Urlencoded":         true,
		formType + "; charset=iso-8859-1":           false,
		formType + "; charset=utf-8; charset=utf-7": false,
		formType + ", text/plain":                   false,
		"":                                          false,
		"application/json":                          false,
		"text/plain":                                false,
		"multipart/form-data; boundary=x":           false,
		"application/x-www-form-urlencodedx":        false,
		"xapplication/x-www-form-urlencoded":        false,
		"application/x-www-form-urlencoded; =":      false,
	} {
		if _, err := form(post("a=1", contentType)); (err == nil) != want || err != nil && !errors.Is(err, edge.ErrMediaType) {
			t.Errorf("%q: %v", contentType, err)
		}
	}
	r := post("a=1", formType)
	r.Header.Add("Content-Type", "text/plain")
	if _, err := form(r); !errors.Is(err, edge.ErrMediaType) {
		t.Error("two types:", err)
	}
	r = post("a=1", formType)
	r.Header.Set("Content-Encoding", "gzip")
	if _, err := form(r); !errors.Is(err, edge.ErrMediaType) {
		t.Error("compressed:", err)
	}
}

// OAU-07: what stands in the query is no parameter of a form.
func TestForm_OAU07_BodyOnly(t *testing.T) {
	t.Parallel()
	got, err := form(post("", formType))
	if err != nil || got.Has("grant_type") {
		t.Error(got, err)
	}
}

// DOS-02: a body is never read beyond its limit, announced or not.
func TestForm_DOS02_BodyLimit(t *testing.T) {
	t.Parallel()
	if _, err := form(post("a="+strings.Repeat("x", 1022), formType)); err != nil {
		t.Error("longest:", err)
	}
	if _, err := form(post("a="+strings.Repeat("x", 1023), formType)); !errors.Is(err, edge.ErrTooLarge) {
		t.Error("announced:", err)
	}
	r := post("", formType)
	endless := &countingReader{}
	r.Body, r.ContentLength = io.NopCloser(endless), -1
	if _, err := form(r); !errors.Is(err, edge.ErrTooLarge) {
		t.Error("not announced:", err)
	}
	if endless.n > 8192 {
		t.Errorf("read %d bytes", endless.n)
	}
	r = httptest.NewRequest("GET", "/", nil)
	r.URL.RawQuery = "a=" + strings.Repeat("x", 16<<10)
	if _, err := edge.Query(r); !errors.Is(err, edge.ErrTooLarge) {
		t.Error("query:", err)
	}
}

type countingReader struct{ n int }

func (c *countingReader) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = 'x'
	}
	c.n += len(b)
	return len(b), nil
}

// What Form accepts, url.ParseQuery reads alike: no second meaning.
func FuzzForm(f *testing.F) {
	for _, s := range []string{"a=1&b=2", "a=%C3%A4", "a=1;b", "a=%", "&&", "a=1&a=2", "+=+"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, body string) {
		got, err := form(post(body, formType))
		if err != nil {
			return
		}
		want, err := url.ParseQuery(body)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatal(err, diff)
		}
	})
}
