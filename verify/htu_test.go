package verify_test

import (
	"testing"

	"github.com/signet-id/signet/verify"
)

// RFC 9449 §4.3; RFC 3986 §6.2.2, §6.2.3: spellings of one URL, and what is another or none.
func TestNormalURL_RFC3986_6_2(t *testing.T) {
	t.Parallel()
	for raw, want := range map[string]string{
		"https://e.com":                        "https://e.com/",
		"https://e.com/":                       "https://e.com/",
		"HTTPS://E.Com/A":                      "https://e.com/A",
		"https://e.com:443/a":                  "https://e.com/a",
		"https://e.com:/a":                     "https://e.com/a",
		"http://e.com:80/a":                    "http://e.com/a",
		"http://e.com:443/a":                   "http://e.com:443/a",
		"https://e.com:80/a":                   "https://e.com:80/a",
		"https://e.com:8443/a":                 "https://e.com:8443/a",
		"https://[2001:DB8::443]/a":            "https://[2001:db8::443]/a",
		"https://[2001:db8::1]:443/a":          "https://[2001:db8::1]/a",
		"https://e.com/a?b=c":                  "https://e.com/a",
		"https://e.com/a?":                     "https://e.com/a",
		"https://e.com/a#b":                    "https://e.com/a",
		"https://e.com?b=/c":                   "https://e.com/",
		"https://e.com/%7euser/%41%2d%2E%5f":   "https://e.com/~user/A-._",
		"https://e.com/a%2fb%3a":               "https://e.com/a%2Fb%3A",
		"https://e.com/%25%32%35":              "https://e.com/%2525",
		"https://e.com/%C3%a9":                 "https://e.com/%C3%A9",
		"https://e.com/a/./b/../c":             "https://e.com/a/c",
		"https://e.com/a/%2e%2E/c":             "https://e.com/c",
		"https://e.com/../../a":                "https://e.com/a",
		"https://e.com/a/..":                   "https://e.com/",
		"https://e.com/a/b/..":                 "https://e.com/a/",
		"https://e.com/a/.":                    "https://e.com/a/",
		"https://e.com/.":                      "https://e.com/",
		"https://e.com/.well-known/x":          "https://e.com/.well-known/x",
		"https://e.com/a...b/..c":              "https://e.com/a...b/..c",
		"https://e.com//a//b/":                 "https://e.com//a//b/",
		"https://e.com/a;b=c,d@e!$&'()*+=:":    "https://e.com/a;b=c,d@e!$&'()*+=:",
		"https://e.com/a/b/c/./../../g":        "https://e.com/a/g", // RFC 3986 §5.2.4
		"https://e.com./a":                     "https://e.com./a",  // another name
		"https://e.com/" + "a b":               "https://e.com/a%20b",
		"https://e.com/a b%2F..%2Fc":           "https://e.com/a%20b%2F..%2Fc", // not /c
		"https://e.com/é%2f..%2Fc":             "https://e.com/%C3%A9%2F..%2Fc",
		"https://e.com/a|%2fb[%2F]":            "https://e.com/a%7C%2Fb%5B%2F%5D",
		"https://e.com/a\\b%5cc":               "https://e.com/a%5Cb%5Cc",
		"https://[fe80::1%25eth0]/":            "", // a zone
		"https://[::1%2541]/":                  "",
		"https://resource.example.org/a%zz":    "",
		"https://e.com/a%2":                    "",
		"":                                     "",
		"/a":                                   "",
		"e.com/a":                              "",
		"//e.com/a":                            "",
		"https:///a":                           "",
		"https:e.com":                          "",
		"https://:443/":                        "",
		"https://u@e.com/":                     "",
		"https://u:p@e.com/":                   "",
		"https://@e.com/":                      "",
		"ftp://e.com/":                         "",
		"wss://e.com/":                         "",
		"https://e.com\n/":                     "",
		" https://e.com/":                      "",
		"https://e.com:a/":                     "",
		"https://e.com:443:443/":               "",
		"https://e.com\\@evil.example.com/a":   "",
		"https://evil.example.com?@e.com/a":    "https://evil.example.com/",
		"https://evil.example.com#@e.com/a":    "https://evil.example.com/",
		"https://e.com%2f.evil.example.com/a/": "",
	} {
		got, ok := verify.NormalURL(raw)
		if ok != (want != "") || got != want {
			t.Errorf("%q: %q %t, want %q", raw, got, ok, want)
		}
	}
}

// What is normal stays as it is, and nothing panics.
func FuzzNormalURL(f *testing.F) {
	for _, seed := range []string{"https://e.com/a/../%41?b#c", "http://[::1]:80", "https://e.com/%", "a:b", "https://e.com/%2e%2e/..", "https://e.com/%2525"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		once, ok := verify.NormalURL(raw)
		if !ok {
			return
		}
		if twice, ok := verify.NormalURL(once); !ok || twice != once {
			t.Errorf("%q: %q, then %q %t", raw, once, twice, ok)
		}
	})
}
