// Package load posts signed webhooks at a running server, as fast as a number of
// connections can or at a fixed rate, and measures each from the moment it was due, so
// that a server that stalls cannot hide the wait of those behind.
package load
