package token

// Object writes one claim of each form, for tests of the writer alone.
func Object(text string, number int64, list []string) ([]byte, error) {
	c := newClaims()
	c.text("text", text)
	c.number("number", number)
	c.optional("optional", text)
	c.list("list", list)
	return c.end()
}
