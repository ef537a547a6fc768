package graph

import (
	"context"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/access"
	"github.com/paydesk/paydesk/graph/model"
)

// nothingElse is the preview of what asks no provider and moves no money.
func nothingElse() *model.Preview { return &model.Preview{Warnings: []string{}} }

// staffMutation is a mutation on a member of staff.
type staffMutation struct {
	mutation

	id string // empty for oneself
	do func(ctx context.Context, id core.StaffID) error
}

// onStaff makes a mutation, or shows that it could be made.
func (r *Resolver) onStaff(ctx context.Context, m staffMutation) (*model.StaffPayload, error) {
	id := requestOf(ctx).staff.ID
	if m.subject = "staffId"; m.id != "" {
		var err error
		if id, err = parseID[core.StaffID]("input.staffId", m.id); err != nil {
			return nil, err
		}
	}
	payload := &model.StaffPayload{}
	done, refused, err := r.mutate(ctx, m.mutation, func(ctx context.Context) error {
		_, err := r.access.StaffByID(ctx, id)
		payload.Preview = nothingElse()
		return err
	}, func(ctx context.Context, _ core.RequestKey) (string, error) { return string(id), m.do(ctx, id) })
	if payload.UserErrors = refused; err != nil || done == "" {
		return payload, err
	}
	staff, err := r.access.StaffByID(ctx, id)
	payload.Staff = &model.Staff{Staff: staff}
	return payload, err
}

// selfOr gives whose account a mutation is about, and refuses that of others to all but an ADMIN.
func (r *Resolver) selfOr(ctx context.Context, id *string, action string) (string, error) {
	self := string(requestOf(ctx).staff.ID)
	if id == nil || *id == self {
		return self, nil
	}
	return *id, r.require(ctx, core.RoleAdmin, action)
}

func (r *Resolver) addStaff(ctx context.Context, in model.StaffAddInput) (*model.StaffAddPayload, error) {
	payload := &model.StaffAddPayload{}
	adding := access.NewStaff{Email: in.Email, Role: in.Role, WithToken: in.WithToken != nil && *in.WithToken}
	adding.DrawPassword = in.Password == nil
	hashed := in // what is remembered of the input, as a hash, has no password in it
	if in.Password != nil {
		adding.Password, hashed.Password = *in.Password, nil
	}
	m := mutation{action: "staff.add", input: hashed, key: in.IdempotencyKey, dryRun: in.DryRun, subject: "email"}
	done, refused, err := r.mutate(ctx, m, func(ctx context.Context) error {
		payload.Preview = nothingElse()
		return r.access.CheckNewStaff(ctx, adding)
	}, func(ctx context.Context, _ core.RequestKey) (string, error) {
		added, shown, err := r.access.AddStaff(ctx, adding, string(requestOf(ctx).staff.ID))
		payload.Token, payload.Password = optional(shown.Token), optional(shown.Password)
		return string(added.ID), err
	})
	if payload.UserErrors = refused; err != nil || done == "" {
		return payload, err
	}
	staff, err := r.access.StaffByID(ctx, core.StaffID(done))
	payload.Staff = &model.Staff{Staff: staff}
	return payload, err
}

func (r *Resolver) setRole(ctx context.Context, in model.StaffSetRoleInput) (*model.StaffPayload, error) {
	return r.onStaff(ctx, staffMutation{
		mutation: mutation{action: "staff.set_role", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.StaffID,
		do: func(ctx context.Context, id core.StaffID) error {
			return r.access.SetRole(ctx, id, in.Role, string(requestOf(ctx).staff.ID))
		},
	})
}

func (r *Resolver) disableStaff(ctx context.Context, in model.StaffDisableInput) (*model.StaffPayload, error) {
	return r.onStaff(ctx, staffMutation{
		mutation: mutation{action: "staff.disable", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: in.StaffID,
		do: func(ctx context.Context, id core.StaffID) error {
			return r.access.DisableStaff(ctx, id, string(requestOf(ctx).staff.ID))
		},
	})
}

func (r *Resolver) revokeSessions(ctx context.Context, in model.SessionsRevokeInput) (*model.StaffPayload, error) {
	id, err := r.selfOr(ctx, in.StaffID, "sessionsRevoke:others")
	if err != nil {
		return nil, err
	}
	return r.onStaff(ctx, staffMutation{
		mutation: mutation{action: "staff.revoke_sessions", input: in, key: in.IdempotencyKey, dryRun: in.DryRun}, id: id,
		do: func(ctx context.Context, id core.StaffID) error {
			return r.access.RevokeSessions(ctx, id, string(requestOf(ctx).staff.ID))
		},
	})
}

func (r *Resolver) changePassword(ctx context.Context, in model.PasswordChangeInput) (*model.StaffPayload, error) {
	hashed := in
	hashed.Password, hashed.NewPassword = "", ""
	return r.onStaff(ctx, staffMutation{
		mutation: mutation{action: "staff.password_change", input: hashed, key: in.IdempotencyKey, dryRun: in.DryRun},
		do: func(ctx context.Context, id core.StaffID) error {
			return r.access.ChangePassword(ctx, id, in.Password, in.NewPassword)
		},
	})
}

func (r *Resolver) removeCodes(ctx context.Context, in model.CodesRemoveInput) (*model.StaffPayload, error) {
	id, err := r.selfOr(ctx, in.StaffID, "codesRemove:others")
	if err != nil {
		return nil, err
	}
	hashed, password := in, ""
	if in.Password != nil {
		password, hashed.Password = *in.Password, nil
	}
	return r.onStaff(ctx, staffMutation{
		mutation: mutation{action: "staff.codes_remove", input: hashed, key: in.IdempotencyKey, dryRun: in.DryRun}, id: id,
		do: func(ctx context.Context, id core.StaffID) error {
			return r.access.RemoveCodes(ctx, id, password, string(requestOf(ctx).staff.ID))
		},
	})
}

func (r *Resolver) beginCodes(ctx context.Context, in model.CodesBeginInput) (*model.CodesBeginPayload, error) {
	hashed := in
	hashed.Password = ""
	payload := &model.CodesBeginPayload{}
	changed, err := r.onStaff(ctx, staffMutation{
		mutation: mutation{action: "staff.codes_begin", input: hashed, key: in.IdempotencyKey, dryRun: in.DryRun},
		do: func(ctx context.Context, id core.StaffID) error {
			secret, address, err := r.access.BeginCodes(ctx, id, in.Password)
			payload.Secret, payload.Address = optional(secret), optional(address)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	payload.Preview, payload.UserErrors = changed.Preview, changed.UserErrors
	return payload, nil
}

func (r *Resolver) confirmCodes(ctx context.Context, in model.CodesConfirmInput) (*model.CodesConfirmPayload, error) {
	hashed := in
	hashed.Code = ""
	payload := &model.CodesConfirmPayload{}
	changed, err := r.onStaff(ctx, staffMutation{
		mutation: mutation{action: "staff.codes_confirm", input: hashed, key: in.IdempotencyKey, dryRun: in.DryRun},
		do: func(ctx context.Context, id core.StaffID) (err error) {
			payload.RecoveryCodes, err = r.access.ConfirmCodes(ctx, id, in.Code)
			return err
		},
	})
	if err != nil {
		return nil, err
	}
	payload.Preview, payload.UserErrors = changed.Preview, changed.UserErrors
	return payload, nil
}

func (r *Resolver) createAPIKey(ctx context.Context, in model.APIKeyCreateInput) (*model.APIKeyCreatePayload, error) {
	payload := &model.APIKeyCreatePayload{}
	m := mutation{action: "api_key.create", input: in, key: in.IdempotencyKey, dryRun: in.DryRun, subject: "name"}
	done, refused, err := r.mutate(ctx, m, func(context.Context) error {
		payload.Preview = nothingElse()
		return access.CheckAPIKeyName(in.Name)
	}, func(ctx context.Context, _ core.RequestKey) (string, error) {
		key, secret, err := r.access.CreateAPIKey(ctx, in.Name, string(requestOf(ctx).staff.ID))
		if err == nil {
			payload.Secret = &secret
		}
		return string(key.ID), err
	})
	if payload.UserErrors = refused; err != nil || done == "" {
		return payload, err
	}
	payload.APIKey, err = r.apiKey(ctx, core.APIKeyID(done))
	return payload, err
}

func (r *Resolver) revokeAPIKey(ctx context.Context, in model.APIKeyRevokeInput) (*model.APIKeyRevokePayload, error) {
	id, err := parseID[core.APIKeyID]("input.apiKeyId", in.APIKeyID)
	if err != nil {
		return nil, err
	}
	payload := &model.APIKeyRevokePayload{}
	m := mutation{action: "api_key.revoke", input: in, key: in.IdempotencyKey, dryRun: in.DryRun, subject: "apiKeyId"}
	done, refused, err := r.mutate(ctx, m, func(ctx context.Context) error {
		payload.Preview = nothingElse()
		_, err := r.access.APIKeyByID(ctx, id)
		return err
	}, func(ctx context.Context, _ core.RequestKey) (string, error) {
		return string(id), r.access.RevokeAPIKey(ctx, id, string(requestOf(ctx).staff.ID))
	})
	if payload.UserErrors = refused; err != nil || done == "" {
		return payload, err
	}
	payload.APIKey, err = r.apiKey(ctx, id)
	return payload, err
}

func (r *Resolver) apiKey(ctx context.Context, id core.APIKeyID) (*model.APIKey, error) {
	key, err := r.access.APIKeyByID(ctx, id)
	return &model.APIKey{APIKey: key}, err
}

// sessions are those of oneself, and of others for an ADMIN.
func (r *Resolver) sessions(ctx context.Context, id core.StaffID) ([]*model.Session, error) {
	if requestOf(ctx).staff.ID != id {
		if err := r.require(ctx, core.RoleAdmin, "Staff.sessions"); err != nil {
			return nil, err
		}
	}
	held, err := r.access.Sessions(ctx, id)
	all := make([]*model.Session, len(held))
	for n, one := range held {
		all[n] = &model.Session{Session: one}
	}
	return all, err
}

func (r *Resolver) everybody(ctx context.Context) ([]*model.Staff, error) {
	held, err := r.access.Staff(ctx)
	all := make([]*model.Staff, len(held))
	for n, one := range held {
		all[n] = &model.Staff{Staff: one}
	}
	return all, err
}

func (r *Resolver) allAPIKeys(ctx context.Context) ([]*model.APIKey, error) {
	held, err := r.access.APIKeys(ctx)
	all := make([]*model.APIKey, len(held))
	for n, one := range held {
		all[n] = &model.APIKey{APIKey: one}
	}
	return all, err
}

// optional is nil for an empty text.
func optional(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}
