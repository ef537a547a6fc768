package app

import (
	"fmt"
	"strings"
)

// Roles says which parts of the program run in a process.
type Roles struct {
	Public bool // the public listener, and the journal that its webhooks go to
	Admin  bool // the admin listener
	Worker bool // jobs
}

// AllRoles runs everything.
func AllRoles() Roles { return Roles{Public: true, Admin: true, Worker: true} }

// ParseRoles reads a comma list of public, admin and worker.
func ParseRoles(list string) (Roles, error) {
	var roles Roles
	for _, name := range splitList(list) {
		switch strings.ToLower(name) {
		case "public":
			roles.Public = true
		case "admin":
			roles.Admin = true
		case "worker":
			roles.Worker = true
		default:
			return Roles{}, fmt.Errorf("must list public, admin or worker")
		}
	}
	if roles == (Roles{}) {
		return Roles{}, fmt.Errorf("must name at least one of public, admin and worker")
	}
	return roles, nil
}
