package differ_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

// member is one member of an object, as it is spelled.
type member struct{ name, value string }

// split takes an object apart, or reports that it is none.
func split(doc string) ([]member, bool) {
	d := json.NewDecoder(strings.NewReader(doc))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, false
	}
	var all []member
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return nil, false
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, false
		}
		quoted, err := json.Marshal(name)
		if err != nil {
			return nil, false
		}
		all = append(all, member{string(quoted), string(value)})
	}
	return all, true
}

func join(all []member) string {
	var b strings.Builder
	for n, m := range all {
		if n > 0 {
			b.WriteByte(',')
		}
		b.WriteString(m.name + ":" + m.value)
	}
	return "{" + b.String() + "}"
}

// values are what a member may say in place of what it should.
var values = []string{
	`null`, `true`, `0`, `-0`, `-1`, `1`, `1.0`, `1.5`, `1e0`, `1e400`, `9007199254740993`, `253402300799`, `253402300800`, `18446744073709551616`, `4102444800`,
	`4102444800.0`, `4.1024448e9`, `41024448E2`, `"4102444800"`, `""`, `" "`, `"\u0000"`, `"\ud800"`, `"\ud83d\ude00"`, `"é"`, `"e\u0301"`, "\"\xff\"", `"\/"`, `[]`, `[[]]`, `[""]`, `[null]`,
	`["a","a"]`, `{}`, `{"a":1,"a":2}`, `{"a":{"b":[1,{"c":null}]}}`, `"at+jwt"`, `"AT+JWT"`, `"application/at+jwt"`, `"JWT"`, `"EdDSA"`, `"Ed25519"`, `"ES256"`, `"RS256"`, `"PS256"`,
	`"HS256"`, `"none"`, `"key-EdDSA"`, `"key-ES256"`, `"key-RS256"`, `"key-PS256"`, `"https://id.example.com"`, `"https:\/\/id.example.com"`, `"https://orders.example.com"`,
	`["https://orders.example.com"]`, `["https://orders.example.com","x"]`, `"https://orders.example.com/"`, `{"jkt":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}`, `["x"]`, `"a b"`, `"a  b"`, `"a\tb"`,
}

// extras are names that a header or a payload may have besides.
var extras = []string{
	"alg", "typ", "kid", "ALG", "Typ", "\u212aid", "crit", "b64", "zip", "enc", "jwk", "jku", "x5c", "x5u", "x5t", "x5t#S256", "cty", "epk", "p2c", "iv", "tag", "apu", "url", "nonce", "iss", "aud", "exp",
	"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "Exp", "AUD", "\u017fub", "cnf", "scope", "scp", "groups", "roles", "amr", "acr", "sid", "auth_time", "client_id", "_claim_names", "_claim_sources", "", "x",
}

// edit changes an object by a program of three bytes a step: what, where, with what.
func edit(doc string, program []byte) string {
	for ; len(program) >= 3; program = program[3:] {
		all, ok := split(doc)
		if !ok || len(all) == 0 {
			return doc
		}
		what, at, with := program[0], int(program[1])%len(all), int(program[2])
		m := &all[at]
		switch what % 12 {
		case 0: // the same once more
			all = append(all, *m)
		case 1: // once more with another value
			all = append(all, member{m.name, values[with%len(values)]})
		case 2: // another value
			m.value = values[with%len(values)]
		case 3: // one more
			all = append(all, member{`"` + extras[with%len(extras)] + `"`, values[at*7%len(values)]})
		case 4: // a name spelled with an escape
			if len(m.name) > 2 && m.name[1] < 0x80 && m.name[1] != '\\' {
				m.name = fmt.Sprintf(`"\u%04x%s`, m.name[1], m.name[2:])
			}
		case 5: // a name in capitals
			m.name = strings.ToUpper(m.name)
		case 6: // without it
			all = append(all[:at], all[at+1:]...)
		case 7: // white space
			m.name, m.value = " \t"+m.name+"\r", "\n"+m.value+" "
		case 8: // as a list, or the first of a list
			if strings.HasPrefix(m.value, "[") {
				m.value, _, _ = strings.Cut(strings.Trim(m.value, "[]"), ",")
			} else {
				m.value = "[" + m.value + "]"
			}
		case 9: // a number as others would write it
			m.value += []string{".0", "e0", "E+0", ".5", "0"}[with%5]
		case 10: // order
			other := with % len(all)
			all[at], all[other] = all[other], all[at]
		case 11: // deeper
			m.value = strings.Repeat("[", with%50) + m.value + strings.Repeat("]", with%50)
		}
		doc = join(all)
	}
	return doc
}

// spell changes text that is encoded, by a program of two bytes a step: what and where.
func spell(text string, program []byte) string {
	for ; len(program) >= 2 && text != ""; program = program[2:] {
		at := int(program[1]) * len(text) / 256
		switch program[0] % 12 {
		case 1:
			text = lastDigit(text)
		case 2:
			text += "="
		case 3:
			text = text[:at] + "\n" + text[at:]
		case 4:
			text = strings.NewReplacer("-", "+", "_", "/").Replace(text)
		case 5:
			text = text[:at] + "." + text[at:]
		case 6:
			text = " " + text
		case 7:
			text += "\r\n"
		case 8:
			text = text[:at] + "%" + text[at:]
		case 9:
			text = text[:at]
		case 10:
			text = text[:at] + text[min(at+1, len(text)):]
		case 11:
			text = text[:at] + "A" + text[at:]
		}
	}
	return text
}

// sign makes a signature that is right with how = 0 and something else otherwise. proper
// says that it is right.
func (w *world) sign(alg string, how byte, message []byte) (signature []byte, proper bool, err error) {
	key := w.Key(alg)
	signature, err = key.Sign(message)
	if err != nil {
		return nil, false, err
	}
	switch how % 10 {
	case 1:
		signature[len(signature)/2] ^= 1
	case 2:
		signature = append(signature, 0)
	case 3:
		signature = append([]byte{0}, signature...)
	case 4:
		signature = signature[:len(signature)-1]
	case 5:
		signature = bytes.Repeat([]byte{0}, len(signature))
	case 6:
		if alg == "ES256" {
			signature, err = der(w, nil, signature)
		}
	case 7:
		if alg == "PS256" {
			signature, err = key.SignPSS(message, 20)
		}
	case 8:
		signature, err = w.Key(w.algs[(int(how/10))%len(w.algs)]).Sign(message)
	case 9:
		signature = nil
	default:
		return signature, true, nil
	}
	return signature, false, err
}
