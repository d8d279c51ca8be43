package config

import "reflect"

// Differences names the keys that have another value in b, in their order. What files hold
// that are named in both is not compared.
func (c Config) Differences(b Config) []string {
	others := map[string]any{}
	eachKey(reflect.ValueOf(b), "", func(key string, field reflect.Value) { others[key] = field.Interface() })
	var keys []string
	eachKey(reflect.ValueOf(c), "", func(key string, field reflect.Value) {
		if !reflect.DeepEqual(field.Interface(), others[key]) {
			keys = append(keys, key)
		}
	})
	return keys
}
