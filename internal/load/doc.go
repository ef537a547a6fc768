// Package load calls a running server as providers and storefronts do: signed webhooks of the
// three providers, some of them repeated, and calls of the storefront API, alone or mixed. It calls as fast
// as a number of connections can, or at a fixed rate whatever the server does, and measures each call
// from the moment it was due, so that a server that stalls cannot hide the wait of those behind.
package load
