package console

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

func (h *handler) staff(ctx context.Context, v *visit) (shown, error) {
	got, err := StaffAndKeys(ctx, v.client)
	if err != nil {
		return shown{}, err
	}
	people := table{columns: []column{{name: "Email"}, {name: "Role"}, {name: "Staff token"}, {name: "Code at sign-in"}, {name: "Since"}, {name: "Disabled"}, {name: "Change"}}}
	for _, s := range got.Staff {
		change, disable := text("–"), optionalTime(s.DisabledAt)
		if s.DisabledAt == nil && s.Id != v.viewer.Id {
			change, disable = text("Role").to("/staff/"+s.Id+"/role"), text("Disable").to("/staff/"+s.Id+"/disable")
		}
		people.rows = append(people.rows, []cell{text(s.Email), text(words(s.Role)), text(yesNo(s.HasToken)), text(yesNo(s.AsksForCode)), timeOf(s.CreatedAt), disable, change})
	}
	keys := table{columns: []column{{name: "Name"}, {name: "Ends with"}, {name: "Since"}, {name: "Revoked"}}, empty: "No key yet: no storefront can call the API."}
	for _, k := range got.ApiKeys {
		revoked := optionalTime(k.RevokedAt)
		if k.RevokedAt == nil {
			revoked = text("Revoke").to("/keys/" + k.Id + "/revoke")
		}
		keys.rows = append(keys.rows, []cell{text(k.Name), id("…" + k.Hint), timeOf(k.CreatedAt), revoked})
	}
	return shown{title: "Staff and keys", body: objectPage(objectView{
		title: "Staff and keys", links: []link{{label: "Add staff", path: "/staff/add"}, {label: "Make a key", path: "/keys/create"}},
		sections: []section{{title: "Staff", table: &people}, {title: "API keys of storefronts", table: &keys}},
	})}, nil
}

func yesNo(yes bool) string {
	if yes {
		return "Yes"
	}
	return "No"
}

func (h *handler) account(_ context.Context, v *visit) (shown, error) {
	sessions := table{columns: []column{{name: "From"}, {name: "Browser"}, {name: "Since"}, {name: "Last used"}, {name: "Ends"}}, empty: "None."}
	for _, s := range v.viewer.Sessions {
		sessions.rows = append(sessions.rows, []cell{text(s.From), optionalText(s.Agent), timeOf(s.CreatedAt), timeOf(s.SeenAt), timeOf(s.ExpiresAt)})
	}
	links := []link{{label: "Change password", path: "/account/password"}, {label: "Sign out everywhere", path: "/account/sessions", danger: true}}
	if v.viewer.AsksForCode {
		links = append(links, link{label: "Remove the authenticator app", path: "/account/remove", danger: true})
	} else {
		links = append(links, link{label: "Set up an authenticator app", path: "/account/app"})
	}
	return shown{title: "Your account", body: objectPage(objectView{
		title: "Your account", links: links, sections: []section{
			{title: "Details", details: []detail{{"Email", text(v.viewer.Email)}, {"Role", text(words(v.viewer.Role))}, {"Code at sign-in", text(yesNo(v.viewer.AsksForCode))}}},
			{title: "Where you are signed in", table: &sessions},
		},
	})}, nil
}

func roleField(value Role) field {
	options := make([]option, len(AllRole))
	for n, role := range AllRole {
		options[n] = option{string(role), words(role)}
	}
	return field{name: "role", label: "Role", options: options, value: string(value), required: true}
}

func fixed(fields ...field) func(context.Context, *visit, string) ([]field, error) {
	return func(context.Context, *visit, string) ([]field, error) { return append([]field(nil), fields...), nil }
}

func staffActions() []action {
	return []action{
		{
			path: "/staff/add", role: core.RoleAdmin, title: "Add staff", submit: "Add", done: "Added.", back: at("/staff"),
			intro: "Their first password is drawn here and shown once; they change it on their account's page.",
			fields: fixed(field{name: "email", label: "Email", required: true}, roleField(RoleSupport),
				field{name: "token", label: "Staff token for scripts", options: []option{{"no", "No"}, {"yes", "Make one"}}, value: "no"}),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				withToken := in.form.Get("token") == "yes"
				got, err := StaffAdd(ctx, c, StaffAddInput{Email: in.form.Get("email"), Role: Role(in.form.Get("role")), WithToken: &withToken, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				out := outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}
				if got.Done.Password != nil {
					out.once = append(out.once, detail{"Password", id(*got.Done.Password)})
				}
				if got.Done.Token != nil {
					out.once = append(out.once, detail{"Staff token", id(*got.Done.Token)})
				}
				return out, nil
			},
		},
		{
			path: "/staff/{id}/role", role: core.RoleAdmin, title: "Change a role", submit: "Change", done: "Changed: it counts from their next request on.", back: at("/staff"),
			intro: "Each role may do all that those before it may.", fields: fixed(roleField(RoleViewer)),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				role := Role(in.form.Get("role"))
				if role == "" {
					role = RoleViewer
				}
				got, err := StaffSetRole(ctx, c, StaffSetRoleInput{StaffId: in.id, Role: role, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/staff/{id}/disable", role: core.RoleAdmin, title: "Disable somebody", submit: "Disable", done: "Disabled.", danger: true, back: at("/staff"),
			intro: "Shuts them out at once: sessions and token are good no more.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := StaffDisable(ctx, c, StaffDisableInput{StaffId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
	}
}

func keyActions() []action {
	return []action{
		{
			path: "/keys/create", role: core.RoleAdmin, title: "Make an API key", submit: "Make it", done: "Made.", back: at("/staff"),
			intro: "For one storefront. The key is shown once.", fields: fixed(field{name: "name", label: "What it is for", required: true}),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := ApiKeyCreate(ctx, c, ApiKeyCreateInput{Name: in.form.Get("name"), IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				out := outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}
				if got.Done.Secret != nil {
					out.once = []detail{{"API key", id(*got.Done.Secret)}}
				}
				return out, nil
			},
		},
		{
			path: "/keys/{id}/revoke", role: core.RoleAdmin, title: "Revoke an API key", submit: "Revoke", done: "Revoked.", danger: true, back: at("/staff"),
			intro: "Ends it at once: whoever still uses it is refused.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := ApiKeyRevoke(ctx, c, ApiKeyRevokeInput{ApiKeyId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
	}
}

func accountActions() []action {
	password := field{name: "password", label: "Your password", kind: "password", required: true}
	return []action{
		{
			path: "/account/password", role: core.RoleViewer, title: "Change your password", submit: "Change", done: "Changed. Sign in with the new one.", back: at("/account"),
			intro: "It ends all your sessions, this one too.", fields: fixed(password, field{name: "newPassword", label: "New password", kind: "password", required: true}),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := PasswordChange(ctx, c, PasswordChangeInput{Password: in.form.Get("password"), NewPassword: in.form.Get("newPassword"), IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/account/sessions", role: core.RoleViewer, title: "Sign out everywhere", submit: "End all sessions", done: "Ended.", danger: true, back: at("/account"),
			intro: "Ends every session of yours, this one too.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := SessionsRevoke(ctx, c, SessionsRevokeInput{IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/account/app", role: core.RoleViewer, title: "Set up an authenticator app", submit: "Draw a secret", done: "Now give the first code.", back: at("/account/code"),
			intro: "Any app for one-time codes (TOTP) serves. From the first code on, one is asked for whenever you sign in.", fields: fixed(password),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := CodesBegin(ctx, c, CodesBeginInput{Password: in.form.Get("password"), IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				out := outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}
				if got.Done.Secret != nil && got.Done.Address != nil {
					out.once = []detail{{"Secret for the app", id(*got.Done.Secret)}, {"The same as an address", id(*got.Done.Address)}}
				}
				return out, nil
			},
		},
		{
			path: "/account/code", role: core.RoleViewer, title: "Confirm the app", submit: "Confirm", done: "From now on a code is asked for.", back: at("/account"),
			intro: "Give the code that the app shows now.", fields: fixed(field{name: "code", label: "Code", required: true}),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := CodesConfirm(ctx, c, CodesConfirmInput{Code: in.form.Get("code"), IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				out := outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}
				for _, code := range got.Done.RecoveryCodes {
					out.once = append(out.once, detail{"Recovery code", id(code)})
				}
				return out, nil
			},
		},
		{
			path: "/account/remove", role: core.RoleViewer, title: "Remove the authenticator app", submit: "Remove", done: "Removed: your password alone lets you in.", danger: true, back: at("/account"),
			intro: "No code is asked for any more when you sign in.", fields: fixed(password),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				given := in.form.Get("password")
				got, err := CodesRemove(ctx, c, CodesRemoveInput{Password: &given, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
	}
}
