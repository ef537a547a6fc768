package graph

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/99designs/gqlgen/graphql"
	"github.com/vektah/gqlparser/v2/ast"

	"github.com/paydesk/paydesk/core"
)

const (
	// personalRole is the least role that sees personal data as it is.
	personalRole = core.RoleSupport
	// mask stands for what a role may not see.
	mask = "***"
	// auditTimeMax is how long writing down a refusal may take, also for a caller who
	// has gone.
	auditTimeMax = 5 * time.Second

	directiveRequires = "requires"
	directivePersonal = "personal"
)

// require refuses an action to roles below the given one and writes the refusal down,
// once per request and action.
func (r *Resolver) require(ctx context.Context, role core.Role, action string) error {
	current := requestOf(ctx)
	if current.staff.Role.Includes(role) {
		return nil
	}
	if current.firstDenial(action) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), auditTimeMax)
		defer cancel()
		if err := r.access.Denied(ctx, string(current.staff.ID), action, current.from); err != nil {
			r.logger.LogAttrs(ctx, slog.LevelError, "refusal not written down",
				slog.String("action", action), slog.String("error", err.Error()), slog.String("trace_id", traceID(ctx)))
		}
	}
	return refuse(codeForbidden, messageForbidden)
}

// requires is the directive @requires. An input's field that was left out, or is null, takes no role.
func (r *Resolver) requires(ctx context.Context, _ any, next graphql.Resolver, role core.Role) (any, error) {
	if input := graphql.GetPathContext(ctx); input != nil && input.Field != nil {
		value, err := next(ctx)
		if text, isText := value.(*string); err != nil || isText && text == nil {
			return value, err
		}
		return value, r.require(ctx, role, "input:"+*input.Field)
	}
	field := graphql.GetFieldContext(ctx)
	if err := r.require(ctx, role, field.Object+"."+field.Field.Name); err != nil {
		return nil, err
	}
	return next(ctx)
}

// personal is the directive @personal.
func (r *Resolver) personal(ctx context.Context, _ any, next graphql.Resolver) (any, error) {
	value, err := next(ctx)
	if err != nil || requestOf(ctx).staff.Role.Includes(personalRole) {
		return value, err
	}
	return masked(value)
}

// masked hides personal data but for whether it is there, and the keys of metadata. A
// kind of value that it does not know is an error, not shown.
func masked(value any) (any, error) {
	switch value := value.(type) {
	case string:
		return mask, nil
	case *string:
		if value == nil {
			return value, nil
		}
		hidden := mask
		return &hidden, nil
	case map[string]string:
		hidden := make(map[string]string, len(value))
		for key := range value {
			hidden[key] = mask
		}
		return hidden, nil
	default:
		return nil, fmt.Errorf("no mask for a %T", value)
	}
}

// checkRules reports the first field of a root type that says nothing of who may see it.
// Such a schema is never served.
func checkRules(schema *ast.Schema) error {
	for _, root := range []*ast.Definition{schema.Query, schema.Mutation, schema.Subscription} {
		if root == nil {
			continue
		}
		for _, field := range root.Fields {
			// Introspection has a rule of its own.
			if field.Name != "__schema" && field.Name != "__type" && field.Directives.ForName(directiveRequires) == nil {
				return fmt.Errorf("field %s.%s carries no @%s", root.Name, field.Name, directiveRequires)
			}
		}
	}
	return nil
}
