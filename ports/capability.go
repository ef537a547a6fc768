package ports

import (
	"time"

	"github.com/paydesk/paydesk/core"
)

// Capabilities says as data what a provider can do, so that callers ask it instead of
// trying. The conformance suite holds an adapter to what it declares here: claiming an
// ability without passing its chapter fails, and so does the reverse.
type Capabilities struct {
	Confirm        ConfirmMode
	ManualCapture  bool // authorize now, capture later
	PartialCapture bool // capture less than was authorized; the rest is released
	Hosted         bool // take a payment on a page of the provider's own; takes a [Hoster]
	// HostedManualCapture: authorize on that page now, capture later. It takes both abilities.
	HostedManualCapture bool
	Refund              bool // give money back; takes a [Refunder]
	ListPayments        bool // list payments by time of creation
	// EventsKept is how long events can be listed; 0 for not at all. It takes an [EventLister].
	EventsKept time.Duration
	// Lists says what else can be listed, by which time; nil for nothing. It takes an
	// [ObjectLister].
	Lists map[core.ObjectKind]ListAbilities
	// PaymentsLag is how late ListPayments may show a payment; 0 where it does at once.
	PaymentsLag time.Duration
	// Webhooks: tell which webhooks are registered. It takes a [WebhookRegistrar].
	Webhooks bool
	// Disputes says what of disputes can be done; nil for none of it. It takes a [Disputer].
	Disputes *DisputeAbilities
	// Vault: save methods and charge them later. It takes a [Vault].
	Vault bool
	// Subscriptions says what of subscriptions can be done; nil for none of it. It takes a
	// [Subscriber].
	Subscriptions *SubscriptionAbilities
	// KeyKept is how long the provider remembers an idempotency key at least. After that
	// an operation of unknown outcome is looked up and never sent again.
	KeyKept time.Duration
	// Currencies that payments can be made in.
	Currencies map[core.Currency]bool
}

// ConfirmMode says how a payment comes about once the buyer agrees.
type ConfirmMode uint8

// The modes. All but the first need a [Confirmer].
const (
	// ConfirmInBrowser: the buyer's browser confirms it with the provider, as at Stripe.
	ConfirmInBrowser ConfirmMode = iota
	// ConfirmAfterApproval: the buyer agrees at the provider, then our server asks for the
	// money, as at PayPal.
	ConfirmAfterApproval
	// ConfirmWithSource: the provider's script makes a one-time token, and our server
	// creates and confirms the payment with it in one call, as at Square. Before it the
	// provider knows of no payment, so CreatePayment and OpenPayment are never called.
	ConfirmWithSource
)

// DisputeAbilities says as data what of disputes an account's provider takes.
type DisputeAbilities struct {
	Evidence      bool // takes evidence by its API
	Accept        bool // lets the shop give in by its API
	TextCharsMax  int  // of one text; longer ones are refused when they are saved
	TextsCharsMax int  // of all together; 0 for no limit of its own
	// Fields are those that the provider has a place for; others are sent as text of the general
	// one.
	Fields []core.EvidenceField
}
