// Package e2e holds the tests and measurements of the whole program as a process: what
// storefronts, buyers, providers and staff see of it, also when it is killed.
package e2e
