// Package simtest runs the services in a world that one number decides: buyers, a storefront, staff in
// the providers' dashboards, providers that answer late, twice or not at all, webhooks that come in any
// order, a clock that jumps, and a process that dies between any two effects. The store is a real one;
// everything else is in memory and moves by the seed alone, so that a seed that fails fails again.
//
// After each run everything comes to rest, and what is stored must be what the providers hold.
package simtest
