// Package conformance holds the adapters of all providers to one suite, the same code against
// the simulator in every test run, and against a provider's real sandbox with
// `make conformance ACCOUNT=name`, for an account that the environment configures.
package conformance
