package console

import (
	"context"
	"mime/multipart"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/paydesk/paydesk/core"
)

// outcome is what came of an action, or would come of it.
type outcome struct {
	preview *PreviewView
	errors  []ErrorView
	once    []detail // secrets, which are shown on the next page and never again
	to      string   // address to go on to; empty for where the action leads back to
}

// action is something that staff do to one thing: shown first, by the admin API's dry run, then done.
type action struct {
	path   string // of its page, with {id} for the thing where there is one
	role   core.Role
	title  string
	intro  string
	submit string
	done   string // what is said after it
	danger bool
	back   func(id string) string
	fields func(ctx context.Context, v *visit, id string) ([]field, error) // nil for none
	// do asks the admin API; dry is nil where it is meant.
	do func(ctx context.Context, c client, in asked) (outcome, error)
}

// asked is what an action is done with.
type asked struct {
	id   string
	form url.Values
	file *multipart.FileHeader // nil for none
	key  *string
	dry  *bool
}

// given is a field of the form; nil for an empty one.
func (a asked) given(name string) *string {
	if value := strings.TrimSpace(a.form.Get(name)); value != "" {
		return &value
	}
	return nil
}

// amount is a field of the form in minor units; nil for an empty one.
func (a asked) amount() (*int64, []ErrorView) {
	value := a.given("amountMinor")
	if value == nil {
		return nil, nil
	}
	minor, err := minorOf(*value, core.Currency(a.form.Get("currency")))
	if err != nil {
		return nil, []ErrorView{{Field: []string{"amountMinor"}, Message: "The amount must be a number such as 12.50: " + err.Error() + "."}}
	}
	return &minor, nil
}

func paymentPath(id string) string      { return "/payments/" + id }
func disputePath(id string) string      { return "/disputes/" + id }
func subscriptionPath(id string) string { return "/subscriptions/" + id }
func at(path string) func(string) string {
	return func(string) string { return path }
}

// amountField asks for an amount of a payment, up to what is left.
func amountField(label string, left func(*PaymentPagePayment) MoneyView) func(ctx context.Context, v *visit, id string) ([]field, error) {
	return func(ctx context.Context, v *visit, id string) ([]field, error) {
		got, err := PaymentPage(ctx, v.client, id)
		if err != nil {
			return nil, err
		}
		if got.Payment == nil {
			return nil, errNotFound
		}
		most := left(got.Payment)
		return []field{
			{name: "currency", kind: "hidden", value: most.Currency},
			{name: "amountMinor", label: label, hint: "Empty for all that is left: " + most.Formatted + "."},
		}, nil
	}
}

func actions() []action {
	all := slices.Concat(paymentActions(), secondActions(), deskActions(), confirmActions(), disputeActions(), subscriptionActions(), staffActions(), keyActions(), accountActions())
	for _, one := range all {
		notices[word(one.path)] = one.done
	}
	return all
}

// word names an action in an address: capture for /payments/{id}/capture.
func word(path string) string { return path[strings.LastIndexByte(path, '/')+1:] }

// showAction shows an action and what it would do.
func (h *handler) showAction(a action) pageFunc {
	return func(ctx context.Context, v *visit) (shown, error) {
		yes := true
		in := asked{id: v.PathValue("id"), form: v.URL.Query(), dry: &yes}
		fields, err := a.ask(ctx, v, &in)
		if err != nil {
			return shown{}, err
		}
		would := outcome{}
		if !asksForSecrets(fields) { // what would be done hangs on what nobody gave yet
			if would, err = a.do(ctx, v.client, in); err != nil {
				return shown{}, err
			}
		}
		view := a.view(v, in, fields, would)
		view.key = h.ids.Secret()
		return shown{title: a.title, body: actionPage(view)}, nil
	}
}

// doAction does an action, once for the key that its page carried.
func (h *handler) doAction(a action) pageFunc {
	return func(ctx context.Context, v *visit) (shown, error) {
		in := asked{id: v.PathValue("id")}
		if strings.HasPrefix(v.Header.Get("Content-Type"), mediaFiles) {
			if err := v.ParseMultipartForm(formBytesMax); err != nil {
				return shown{}, inputError("The form could not be read. A file may have 5 MiB at most.")
			}
			if files := v.MultipartForm.File["file"]; len(files) > 0 {
				in.file = files[0]
			}
		} else if err := v.ParseForm(); err != nil {
			return shown{}, inputError("The form could not be read.")
		}
		in.form = v.PostForm
		in.key = in.given("idempotency_key")
		fields, err := a.ask(ctx, v, &in)
		if err != nil {
			return shown{}, err
		}
		did, err := a.do(ctx, v.client, in)
		if err != nil {
			return shown{}, err
		}
		switch {
		case len(did.errors) > 0:
			view := a.view(v, in, fields, did)
			view.key = h.ids.Secret() // what failed is asked for anew
			return shown{title: a.title, body: actionPage(view), code: http.StatusUnprocessableEntity}, nil
		case len(did.once) > 0:
			return shown{title: a.title, notice: a.done, body: objectPage(objectView{
				title: a.title, notices: []string{"Write down what stands here: it is shown this once."},
				sections: []section{{title: "Shown once", details: did.once}}, links: []link{{label: "On", path: a.back(in.id)}},
			})}, nil
		}
		if did.to != "" {
			return shown{to: did.to}, nil
		}
		return shown{to: a.back(in.id) + "?done=" + word(a.path)}, nil
	}
}

// ask gives the action's fields with what was given for each.
func (a action) ask(ctx context.Context, v *visit, in *asked) ([]field, error) {
	if a.fields == nil {
		return nil, nil
	}
	fields, err := a.fields(ctx, v, in.id)
	for n := range fields {
		if given := in.given(fields[n].name); given != nil && fields[n].kind != "hidden" {
			fields[n].value = *given
		}
		if fields[n].kind == "hidden" {
			in.form.Set(fields[n].name, fields[n].value)
		}
	}
	return fields, err
}

func asksForSecrets(fields []field) bool {
	return slices.ContainsFunc(fields, func(f field) bool { return f.required && f.options == nil })
}

// view is the action's page.
func (a action) view(v *visit, in asked, fields []field, would outcome) actionView {
	view := actionView{
		title: a.title, intro: a.intro, submit: a.submit, danger: a.danger, path: v.URL.Path, back: a.back(in.id), fields: fields,
	}
	for _, wrong := range would.errors {
		place := slices.IndexFunc(fields, func(f field) bool { return slices.Contains(wrong.Field, f.name) && f.kind != "hidden" })
		if place >= 0 && in.dry == nil {
			fields[place].errors = append(fields[place].errors, wrong.Message)
			continue
		}
		view.errors = append(view.errors, wrong.Message)
	}
	if p := would.preview; p != nil {
		view.warnings = p.Warnings
		if p.NeedsApproval {
			view.warnings = append(view.warnings, "This is above the limit: it waits for a second person to approve it.")
		}
		if p.Amount != nil {
			view.preview = append(view.preview, detail{"Amount", moneyOf(*p.Amount)})
		}
		if p.AmountLeft != nil {
			view.preview = append(view.preview, detail{"Left after it", moneyOf(*p.AmountLeft)})
		}
		if p.StateAfter != nil {
			view.preview = append(view.preview, detail{"Status after it", cell{text: strings.ToUpper(*p.StateAfter), kind: status}})
		}
		if p.ProviderCall != nil {
			view.preview = append(view.preview, detail{"The provider is asked to", text(words(*p.ProviderCall))})
		}
	}
	return view
}
