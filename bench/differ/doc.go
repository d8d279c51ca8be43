// Package differ holds package verify against other libraries: on the same token, who
// accepts it, and what does each say that it says. It has tests only.
//
// Two things must never happen, whatever the token: that ours accepts what all others
// refuse, and that ours reads something else than they do. Where ours refuses what others
// accept, the kind of token stands as a row in docs/reference/strictness.md, which
// TestDifferences and TestKeySetDifferences write and check.
package differ
