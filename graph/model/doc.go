// Package model holds the types that the GraphQL schema is bound to: wrappers around the
// core's, with what the schema asks for beyond them, and how scalars are written and read.
// It knows no store and decides nothing.
package model
