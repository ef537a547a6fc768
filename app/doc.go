// Package app assembles the program: it reads the configuration, says how the parts fit
// together (sets.go, for wire), and runs and stops them. The commands stand in app/cli.
package app
