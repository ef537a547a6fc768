package core

// ProviderName names a payment provider.
type ProviderName string

// The providers Paydesk knows.
const (
	ProviderStripe ProviderName = "stripe"
	ProviderPayPal ProviderName = "paypal"
	ProviderSquare ProviderName = "square"
)

// AccountName names one set of credentials at one provider. It is the provider's name
// unless configured otherwise, and stands in the webhook's path.
type AccountName string

// ObjectKind says what kind of thing a provider's object is, in our words.
type ObjectKind string

// The kinds of provider objects that can be looked at. Events about any other kind
// are kept and ignored.
const (
	ObjectPayment ObjectKind = "payment"
	ObjectRefund  ObjectKind = "refund"
	// ObjectSession is a page of the provider's own at which one payment can be paid. A look
	// at it gives that payment.
	ObjectSession ObjectKind = "session"
	// ObjectDispute is a chargeback, or a bank's question that may become one.
	ObjectDispute ObjectKind = "dispute"
	// ObjectSetup is what a buyer agrees to so that a method is saved. A look at it gives that
	// method.
	ObjectSetup ObjectKind = "setup"
	// ObjectMethod is a saved method.
	ObjectMethod       ObjectKind = "method"
	ObjectSubscription ObjectKind = "subscription"
	// ObjectInvoice is what a subscription asks for one period.
	ObjectInvoice ObjectKind = "invoice"
)

// ProviderRef names one object at one account: everything that can be observed is
// known by it.
type ProviderRef struct {
	Account AccountName
	Kind    ObjectKind
	ID      string // the provider's id, for example "pi_…"; never empty in a usable ref
}

// IsZero reports whether r names nothing.
func (r ProviderRef) IsZero() bool { return r == ProviderRef{} }

// String is for people and logs: "stripe payment pi_1".
func (r ProviderRef) String() string {
	return string(r.Account) + " " + string(r.Kind) + " " + r.ID
}
