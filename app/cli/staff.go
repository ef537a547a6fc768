package cli

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
)

type staffCommand struct {
	Add     staffAdd     `cmd:"" help:"Add a member of staff."`
	List    staffList    `cmd:"" help:"List members of staff."`
	Disable staffDisable `cmd:"" help:"Shut a member of staff out at once."`
}

type staffAdd struct {
	Email    string `arg:"" help:"Their email address."`
	Role     string `enum:"VIEWER,SUPPORT,FINANCE,ADMIN,viewer,support,finance,admin" default:"VIEWER" help:"VIEWER, SUPPORT, FINANCE or ADMIN."`
	Password string `required:"" env:"PAYDESK_STAFF_PASSWORD" help:"Their first password; better given by the variable than as a flag."`
	Token    bool   `help:"Also make a staff token, for scripts, and show it once."`
	JSON     bool   `help:"Print JSON."`
}

// Run adds a member of staff.
func (c *staffAdd) Run(ctx context.Context, r *run) error {
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	role, err := core.ParseRole(c.Role)
	if err != nil {
		return err
	}
	staff, shown, err := tools.Access.AddStaff(ctx, access.NewStaff{
		Email: c.Email, Password: c.Password, Role: role, WithToken: c.Token,
	}, actor)
	if err != nil {
		return err
	}
	if c.JSON {
		return printJSON(r, map[string]any{"id": staff.ID, "email": staff.Email, "role": staff.Role, "token": orNull(shown.Token)})
	}
	r.printf("%s %s %s\n", staff.ID, staff.Email, staff.Role)
	if shown.Token != "" {
		r.printf("%s\nIt is shown this once.\n", shown.Token)
	}
	return nil
}

type staffList struct {
	JSON bool `help:"Print one JSON object a line."`
}

// Run lists members of staff.
func (c *staffList) Run(ctx context.Context, r *run) error {
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	all, err := tools.Access.Staff(ctx)
	if err != nil {
		return err
	}
	rows := [][]string{{"ID", "EMAIL", "ROLE", "TOKEN", "CREATED", "DISABLED"}}
	for _, s := range all {
		if c.JSON {
			if err := printJSON(r, map[string]any{
				"id": s.ID, "email": s.Email, "role": s.Role, "has_token": s.TokenHash != "",
				"created_at": stamp(s.CreatedAt), "disabled_at": orNull(stamp(s.DisabledAt)),
			}); err != nil {
				return err
			}
		}
		token := ""
		if s.TokenHash != "" {
			token = "yes"
		}
		rows = append(rows, []string{string(s.ID), s.Email, string(s.Role), token, stamp(s.CreatedAt), stamp(s.DisabledAt)})
	}
	if c.JSON {
		return nil
	}
	return table(r, rows)
}

type staffDisable struct {
	Email string `arg:"" help:"Their email address."`
}

// Run disables a member of staff.
func (c *staffDisable) Run(ctx context.Context, r *run) error {
	tools, stop, err := r.tools(ctx)
	if err != nil {
		return err
	}
	defer stop()
	staff, err := tools.Access.StaffNamed(ctx, c.Email)
	if err != nil {
		return err
	}
	if err := tools.Access.DisableStaff(ctx, staff.ID, actor); err != nil {
		return err
	}
	r.printf("%s disabled\n", c.Email)
	return nil
}
