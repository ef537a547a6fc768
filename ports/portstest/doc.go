// Package portstest holds one conformance suite per port. Every adapter runs the suite
// of the port it fulfils, so that adapters differ only in what they declare. Only tests
// import it.
package portstest
