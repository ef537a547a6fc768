// Package bunrepo keeps the state behind ports.Store, on SQLite and on PostgreSQL alike,
// with bun for what the two have in common. What they do differently stands in
// dialect.go, in connect.go and behind the few statements that are written per database.
//
// It promises what ports.Store says and holds no rules of its own beyond invariants that
// no row may break. It knows no provider and no use case.
package bunrepo
