package console

import (
	"context"

	"github.com/Khan/genqlient/graphql"

	"github.com/paydesk/paydesk/core"
)

func disputeActions() []action {
	return []action{
		{
			path: "/disputes/{id}/assign", role: core.RoleFinance, title: "Whose task is it?", submit: "Make it so", done: "Whose task it is has changed.", back: disputePath,
			intro: "Somebody of FINANCE, or an ADMIN, looks after a dispute until it is answered.",
			fields: func(_ context.Context, v *visit, _ string) ([]field, error) {
				return []field{{name: "owner", label: "Whose", options: []option{{v.viewer.Id, "Mine"}, {"nobody", "Nobody's"}}, value: v.viewer.Id}}, nil
			},
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				owner := in.given("owner")
				if owner != nil && *owner == "nobody" {
					owner = nil
				}
				got, err := DisputeAssign(ctx, c, DisputeAssignInput{DisputeId: in.id, OwnerId: owner, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		evidenceAction(),
		evidenceFileAction(),
		{
			path: "/disputes/{id}/submit", role: core.RoleFinance, title: "Submit the evidence", submit: "Submit, for good", done: "Submitted: the bank decides.", danger: true, back: disputePath,
			intro: "Sends what is saved to the bank. It can be done once, and not be changed after it.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := DisputeEvidenceSubmit(ctx, c, DisputeEvidenceSubmitInput{DisputeId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/disputes/{id}/accept", role: core.RoleFinance, title: "Accept the dispute", submit: "Accept: the buyer keeps the money", done: "Accepted.", danger: true, back: disputePath,
			intro: "Ends the dispute in the buyer's favour. The money and the fee are lost.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := DisputeAccept(ctx, c, DisputeAcceptInput{DisputeId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
	}
}

// evidenceAction saves one text of the draft.
func evidenceAction() action {
	return action{
		path: "/disputes/{id}/evidence", role: core.RoleFinance, title: "Save evidence", submit: "Save", done: "Saved in the draft: nobody else sees it before it is submitted.", back: disputePath,
		intro: "What answers the complaint best stands first. An empty text removes the field's.",
		fields: func(ctx context.Context, v *visit, id string) ([]field, error) {
			got, err := DisputePage(ctx, v.client, id)
			if err != nil {
				return nil, err
			}
			d, ok := deepest(got.Node).(*DisputePageNodeDispute)
			if !ok {
				return nil, errNotFound
			}
			var options []option
			for _, wanted := range d.Checklist {
				if !wanted.IsFile {
					options = append(options, option{string(wanted.Field), words(wanted.Field)})
				}
			}
			if len(options) == 0 {
				options = []option{{string(EvidenceFieldUncategorizedText), words(EvidenceFieldUncategorizedText)}}
			}
			return []field{{name: "field", label: "What it is", options: options, value: options[0].value}, {name: "text", label: "Text", required: true, kind: "long"}}, nil
		},
		do: func(ctx context.Context, c client, in asked) (outcome, error) {
			one := EvidenceTextInput{Field: EvidenceField(in.form.Get("field")), Text: in.form.Get("text")}
			got, err := DisputeEvidenceSave(ctx, c, DisputeEvidenceSaveInput{DisputeId: in.id, Texts: []EvidenceTextInput{one}, IdempotencyKey: in.key, DryRun: in.dry})
			if err != nil {
				return outcome{}, err
			}
			return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
		},
	}
}

// evidenceFileAction puts a file into the draft.
func evidenceFileAction() action {
	return action{
		path: "/disputes/{id}/file", role: core.RoleFinance, title: "Add a file of evidence", submit: "Add the file", done: "The file is in the draft.", back: disputePath,
		intro: "JPEG, PNG or PDF of at most 5 MiB. It takes the place of the field's.",
		fields: fixed(field{name: "field", label: "What it is", value: string(EvidenceFieldUncategorizedFile), options: optionsOf([]EvidenceField{
			EvidenceFieldReceipt, EvidenceFieldCustomerCommunication, EvidenceFieldCustomerSignature, EvidenceFieldShippingDocumentation, EvidenceFieldServiceDocumentation,
			EvidenceFieldRefundPolicy, EvidenceFieldCancellationPolicy, EvidenceFieldDuplicateChargeDocumentation, EvidenceFieldUncategorizedFile,
		})}, field{name: "file", label: "File", kind: "file", required: true}),
		do: func(ctx context.Context, c client, in asked) (outcome, error) {
			if in.file == nil {
				return outcome{errors: []ErrorView{{Field: []string{"file"}, Message: "Choose a file."}}}, nil
			}
			got := &DisputeEvidenceSaveResponse{}
			input := map[string]any{"disputeId": in.id, "idempotencyKey": in.key, "files": []any{map[string]any{"field": in.form.Get("field"), "file": nil}}}
			request := &graphql.Request{Query: DisputeEvidenceSave_Operation, OpName: "DisputeEvidenceSave", Variables: map[string]any{"input": input}}
			if err := c.upload(ctx, request, "variables.input.files.0.file", in.file, &graphql.Response{Data: got}); err != nil {
				return outcome{}, err
			}
			return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
		},
	}
}

// confirmActions say how a call of unknown outcome ended; a second person must say the same.
func confirmActions() []action {
	return []action{
		{
			path: "/desk/{id}/done", role: core.RoleFinance, title: "Confirm that it was done", submit: "It was done", done: "Noted. A second person must say the same, unless you were the second.", back: at("/desk"),
			intro:  "Only after a look into the provider's dashboard. A second person must say the same; then it is recorded, and its object looked at.",
			fields: fixed(field{name: "providerObjectId", label: "Provider's id of what it made", hint: "Needed for what makes a payment or a refund, and for nothing else."}),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := OperationConfirmDone(ctx, c, OperationConfirmDoneInput{OperationId: in.id, ProviderObjectId: in.given("providerObjectId"), IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/desk/{id}/not-done", role: core.RoleFinance, title: "Confirm that it was not done", submit: "It was not done", done: "Noted. A second person must say the same, unless you were the second.", danger: true, back: at("/desk"),
			intro: "Only after a look into the provider's dashboard. A second person must say the same; then it is recorded as refused.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := OperationConfirmNotDone(ctx, c, OperationConfirmNotDoneInput{OperationId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
	}
}

// deskActions are about what does not go by itself.
func deskActions() []action {
	return []action{
		{
			path: "/payments/{id}/note", role: core.RoleSupport, title: "Add a note", submit: "Add", done: "The note stands in the history.", back: paymentPath,
			intro: "For colleagues; it stays in the payment's history. No card numbers.", fields: fixed(field{name: "text", label: "Note", required: true, kind: "long"}),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := NoteAdd(ctx, c, NoteAddInput{PaymentId: in.id, Text: in.form.Get("text"), IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/payments/{id}/resolve", role: core.RoleFinance, title: "Resolve the review", submit: "Resolve", done: "Resolved.", back: paymentPath,
			intro:  "Accept takes what the provider shows as right, though it is not what was asked for. Decline gives the payment up; nobody may hold the buyer's money by then.",
			fields: fixed(field{name: "resolution", label: "Decision", options: []option{{"ACCEPT", "Accept"}, {"DECLINE", "Decline"}}, value: "ACCEPT"}),
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				resolution := PaymentReviewResolutionAccept
				if given := in.given("resolution"); given != nil {
					resolution = PaymentReviewResolution(*given)
				}
				got, err := PaymentReviewResolve(ctx, c, PaymentReviewResolveInput{PaymentId: in.id, Resolution: resolution, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/events/{id}/replay", role: core.RoleSupport, title: "Process the message again", submit: "Replay", done: "It goes through the inbox again.", back: func(id string) string { return "/events/" + id },
			intro: "Has us look once more at what the message names. What was done already is not done again.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := EventReplay(ctx, c, EventReplayInput{EventId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		exportAction(),
	}
}

// exportAction downloads what the list of payments shows.
func exportAction() action {
	return action{
		path: "/payments/export", role: core.RoleFinance, title: "Export payments", submit: "Download CSV", done: "Exported.", back: at("/payments"),
		intro: "All payments of the days, or of all time where none are given, as comma-separated values.",
		fields: fixed(field{name: "from", label: "From day", hint: "2026-01-01"}, field{name: "to", label: "To day", hint: "2026-01-31, included"},
			field{name: "status", label: "Status", options: append([]option{{"", "Any"}}, optionsOf(AllPaymentStatus)...)}),
		do: func(ctx context.Context, c client, in asked) (outcome, error) {
			from, to, wrong := daysOf(in.given)
			if wrong != nil {
				return outcome{errors: []ErrorView{{Field: []string{"from"}, Message: "Days are written as 2026-01-31."}}}, nil //nolint:nilerr // the form says it
			}
			filter := &PaymentFilter{Status: one[PaymentStatus](in.given("status")), CreatedAfter: from, CreatedBefore: to}
			got, err := ExportCreate(ctx, c, ExportCreateInput{Payments: filter, IdempotencyKey: in.key, DryRun: in.dry})
			if err != nil {
				return outcome{}, err
			}
			out := outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}
			if got.Done.Export != nil {
				out.to = got.Done.Export.Url
			}
			return out, nil
		},
	}
}

func optionsOf[T ~string](all []T) []option {
	options := make([]option, len(all))
	for n, value := range all {
		options[n] = option{value: string(value), label: words(value)}
	}
	return options
}

func subscriptionActions() []action {
	return []action{
		{
			path: "/subscriptions/{id}/pause", role: core.RoleFinance, title: "Pause the subscription", submit: "Pause", done: "Paused.", back: subscriptionPath,
			intro: "Nothing is billed until it is resumed.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := SubscriptionPause(ctx, c, SubscriptionPauseInput{SubscriptionId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/subscriptions/{id}/resume", role: core.RoleFinance, title: "Resume the subscription", submit: "Resume", done: "Resumed.", back: subscriptionPath,
			intro: "Bills again from the next period on, and takes back an end that was planned.",
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				got, err := SubscriptionResume(ctx, c, SubscriptionResumeInput{SubscriptionId: in.id, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
		{
			path: "/subscriptions/{id}/cancel", role: core.RoleFinance, title: "Cancel the subscription", submit: "Cancel the subscription", done: "The subscription is canceled, or ends with its period.", danger: true, back: subscriptionPath,
			intro: "Ends it for good: a new one has to be sold by a checkout.",
			fields: func(context.Context, *visit, string) ([]field, error) {
				return []field{{name: "when", label: "When", value: "end", options: []option{{"end", "At the end of the period that is paid"}, {"now", "At once"}}}}, nil
			},
			do: func(ctx context.Context, c client, in asked) (outcome, error) {
				later := in.form.Get("when") != "now"
				got, err := SubscriptionCancel(ctx, c, SubscriptionCancelInput{SubscriptionId: in.id, AtPeriodEnd: &later, IdempotencyKey: in.key, DryRun: in.dry})
				if err != nil {
					return outcome{}, err
				}
				return outcome{preview: got.Done.Preview, errors: got.Done.UserErrors}, nil
			},
		},
	}
}
