// Package core holds the words and the rules of Paydesk: money, checkouts, payments,
// operations, the snapshots that move them, and the pure decisions over all of these.
//
// It is a leaf. It imports the standard library only, reads no clock, draws no random
// numbers, logs nothing and speaks to nobody, so each of its functions gives the same
// answer for the same arguments. Use cases live in the packages below it, the
// interfaces to the outside in package ports.
//
// Where to look:
//
//   - money.go, currency.go: amounts in minor units, the ISO 4217 table
//   - id.go, env.go, provider.go: names of things, test and live, accounts
//   - checkout.go: what a storefront wants to be paid, and the lease on paying it
//   - payment.go, payment_state.go, snapshot.go: what we hold, and how a sight of the
//     provider's object moves it
//   - operation.go: what we asked of a provider, written down before it was sent
//   - failure.go: why something did not work, and what may be done next
//   - inbound.go: what providers told us; event.go: what we tell storefronts
//   - timeline.go, audit.go: what happened and why, and who did it
//   - access.go: API keys, staff, roles
//   - cardnumber.go: spotting card numbers where none may be
package core
