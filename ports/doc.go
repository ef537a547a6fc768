// Package ports holds the interfaces between the core and the outside: providers, the
// store, the journal, jobs, sealing, notification, time and ids. The promise of each
// stands in its doc comment and is checked by one conformance suite per port, in
// portstest, which every adapter runs.
package ports
