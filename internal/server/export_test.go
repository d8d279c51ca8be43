package server

// Seams for the tests of this package.

var NextSweep = nextSweep
