// Package apptest runs the real program in tests: it builds the binary once, starts it
// on free loopback ports and ends it again. Only tests import it.
package apptest
