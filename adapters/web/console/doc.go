// Package console is the back office's pages: rendered here, from templates, out of what the admin
// API's GraphQL gives. It asks nothing else, so that whoever may not do something by the API may not do
// it here either.
//
// A page is an operation in operations.graphql, a handler that turns the answer into a view, and a
// template. Most pages are a list ([listView]) or an action that is shown before it is done
// ([actionView]); both have one template. `make generate` makes the client and the templates' code.
package console
