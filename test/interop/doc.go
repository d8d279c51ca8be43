// Package interop is clients that we did not write, as their authors ship them, against
// signet as we ship it: one process of "signet dev", plain HTTP on loopback, and one of
// "signet serve" with TLS. docs/interop.md says what each of them wants.
//
// The tests change nothing in a client and hand it nothing that its documentation does not
// offer. People are played by a browser without scripts (person_test.go), or by Chromium
// for what runs in one.
package interop
