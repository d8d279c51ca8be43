package config

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v4"
)

// decode sets the fields of the struct from a mapping. It goes on after a problem, so that
// one run shows all of them.
func decode(n *yaml.Node, v reflect.Value, prefix string) error {
	if n.Kind != yaml.MappingNode {
		if prefix == "" {
			return fmt.Errorf("line %d: a list of \"key: value\" lines is wanted", n.Line)
		}
		return fmt.Errorf("line %d: %s: has keys of its own, like %s.%s", n.Line, strings.TrimSuffix(prefix, "."),
			strings.TrimSuffix(prefix, "."), fieldKey(v.Type().Field(0)))
	}
	var problems []error
	seen := map[string]int{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i], n.Content[i+1]
		first, twice := seen[key.Value]
		field, known := fieldOf(v, key.Value)
		switch {
		case !known:
			problems = append(problems, unknown(key, prefix))
		case twice:
			problems = append(problems, fmt.Errorf("line %d: %s%s: given twice, first on line %d", key.Line, prefix, key.Value, first))
		case field.Kind() == reflect.Struct:
			if !isNull(value) {
				problems = append(problems, decode(value, field, prefix+key.Value+"."))
			}
		default:
			if err := setNode(value, field); err != nil {
				problems = append(problems, fmt.Errorf("line %d: %s%s: %w", value.Line, prefix, key.Value, err))
			}
		}
		seen[key.Value] = key.Line
	}
	return errors.Join(problems...)
}

// unknown says what key was probably meant: one at most two letters away, or one of the same
// name in another place.
func unknown(key *yaml.Node, prefix string) error {
	full := prefix + key.Value
	names, elsewhere := map[string]bool{}, ""
	eachKey(reflect.ValueOf(&Config{}).Elem(), "", func(k string, _ reflect.Value) {
		names[k] = true
		if i := strings.LastIndexByte(k, '.'); i >= 0 {
			names[k[:i]] = true
			if k[i+1:] == key.Value {
				elsewhere = k
			}
		} else if k == key.Value {
			elsewhere = k
		}
	})
	inFile := ""
	if names[full+"_file"] {
		inFile = full + "_file" // secrets stand in files of their own
	}
	if near := cmp.Or(inFile, nearest(full, names), elsewhere); near != "" {
		return fmt.Errorf("line %d: %s: unknown key; did you mean %s?", key.Line, full, near)
	}
	return fmt.Errorf("line %d: %s: unknown key", key.Line, full)
}

// setNode sets a field that is no struct.
func setNode(n *yaml.Node, field reflect.Value) error {
	switch {
	case isNull(n):
		return nil // "key:" with nothing behind it: not given
	case n.Kind == yaml.SequenceNode && field.Kind() == reflect.Slice:
		list := []string{}
		for _, item := range n.Content {
			if item.Kind != yaml.ScalarNode || isNull(item) {
				return fmt.Errorf("line %d: an element is not a text", item.Line)
			}
			list = append(list, item.Value)
		}
		field.Set(reflect.ValueOf(list))
		return nil
	case n.Kind != yaml.ScalarNode:
		return errors.New("one value is wanted, neither a list, nor keys, nor an alias")
	}
	return setText(field, n.Value)
}

// setText sets a field from text: of a scalar, or of an environment variable.
func setText(field reflect.Value, text string) error {
	switch field.Interface().(type) {
	case string:
		if strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
			return errors.New("contains a control character")
		}
		field.SetString(text)
	case []string:
		list := []string{}
		for item := range strings.SplitSeq(text, ",") {
			if item = strings.TrimSpace(item); item != "" {
				list = append(list, item)
			}
		}
		field.Set(reflect.ValueOf(list))
	case time.Duration:
		d, err := parseDuration(text)
		if err != nil {
			return err
		}
		field.SetInt(int64(d))
	case int:
		n, err := strconv.Atoi(text)
		if err != nil || n <= 0 {
			return fmt.Errorf("%q is not a whole number above 0", text)
		}
		field.SetInt(int64(n))
	default:
		panic("config: a field of a type that no text can set")
	}
	return nil
}

// parseDuration reads what time.ParseDuration reads, and days before it: 90d, 1d12h.
func parseDuration(text string) (time.Duration, error) {
	bad := fmt.Errorf("%q is not a time above 0 with its unit, like 30s, 5m, 12h, 90d or 1d12h", text)
	var sum time.Duration
	rest := text
	if days, after, ok := strings.Cut(text, "d"); ok {
		n, err := strconv.ParseUint(days, 10, 16)
		if err != nil {
			return 0, bad
		}
		sum, rest = time.Duration(n)*day, after
	}
	if rest != "" {
		d, err := time.ParseDuration(rest)
		if err != nil || d < 0 {
			return 0, bad
		}
		sum += d
	}
	if sum <= 0 {
		return 0, bad
	}
	return sum, nil
}

// eachKey calls f for each key that has a value, in the order of the struct.
func eachKey(v reflect.Value, prefix string, f func(key string, field reflect.Value)) {
	for i := range v.NumField() {
		key := fieldKey(v.Type().Field(i))
		switch {
		case key == "-":
		case v.Field(i).Kind() == reflect.Struct:
			eachKey(v.Field(i), prefix+key+".", f)
		default:
			f(prefix+key, v.Field(i))
		}
	}
}

func fieldOf(v reflect.Value, key string) (reflect.Value, bool) {
	for i := range v.NumField() {
		if k := fieldKey(v.Type().Field(i)); k == key && k != "-" {
			return v.Field(i), true
		}
	}
	return reflect.Value{}, false
}

func fieldKey(f reflect.StructField) string { return f.Tag.Get("yaml") }

func isNull(n *yaml.Node) bool { return n.Kind == yaml.ScalarNode && n.Tag == "!!null" }

// nearest returns the known name that is at most two letters away, the first of equals.
func nearest(name string, known map[string]bool) string {
	best, bestDistance := "", 3
	for _, k := range slices.Sorted(maps.Keys(known)) {
		if d := distance(name, k); d < bestDistance {
			best, bestDistance = k, d
		}
	}
	return best
}

// distance is Levenshtein's: insertions, deletions and replacements of bytes.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
