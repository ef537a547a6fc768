package ports

import (
	"context"
	"errors"
	"time"

	"github.com/paydesk/paydesk/core"
)

// Errors of a store that callers branch on. They come back perhaps wrapped.
var (
	// ErrNotFound means that no such row exists.
	ErrNotFound = errors.New("not found")
	// ErrConflict means that the row was changed by someone else since it was read.
	ErrConflict = errors.New("changed in the meantime")
	// ErrDuplicate means that a row with the same unique value exists.
	ErrDuplicate = errors.New("exists already")
	// ErrText means that a text holds a NUL or is not UTF-8, so that it cannot be kept.
	// Nothing was written.
	ErrText = errors.New("text cannot be stored")
	// ErrRefused means that a row breaks a rule or a limit of the database, which will never
	// store it as it is.
	ErrRefused = errors.New("row can never be stored")
)

// Store keeps the state. SQLite and PostgreSQL behave alike behind it.
type Store interface {
	Reader
	Changes
	// InTx runs fn in one transaction: all that fn wrote is committed when fn returns nil,
	// none of it otherwise. Where the database asks for it the transaction is run again,
	// so fn must not have effects outside tx. No provider is ever called inside.
	// The context that fn gets must be used for all that fn does.
	InTx(ctx context.Context, fn func(ctx context.Context, tx Tx) error) error
	// NotificationsCommitted gives a signal after transactions of this process that stored new
	// notifications. Several may become one. Other processes' give none.
	NotificationsCommitted() <-chan struct{}
	// Ready reports why the store cannot be used (no connection, a schema of another
	// version), or nil.
	Ready(ctx context.Context) error
}

// Reader gives single answers from the last committed state, without locks. Lists are
// newest first, unless they know another order and the request names it; an order that a list does not
// know is an error. A payment that breaks its invariants is an error, not data.
type Reader interface {
	Checkout(ctx context.Context, id core.CheckoutID) (core.Checkout, error)
	// Checkouts gives those of the ids that exist, in no order.
	Checkouts(ctx context.Context, ids []core.CheckoutID) ([]core.Checkout, error)
	CheckoutByRequestKey(ctx context.Context, key core.RequestKey) (core.Checkout, error)
	CheckoutList(ctx context.Context, filter CheckoutFilter, page core.PageRequest) (core.Page[core.Checkout], error)
	// CheckoutsToExpire gives open checkouts, leased or not, whose end was due to be brought at now:
	// their time was over, and where it could not be brought before, so is the pause since. The
	// longest due come first.
	CheckoutsToExpire(ctx context.Context, now time.Time, limit int) ([]core.CheckoutID, error)

	Payment(ctx context.Context, id core.PaymentID) (core.Payment, error)
	// PaymentsByID gives those of the ids that exist, in no order.
	PaymentsByID(ctx context.Context, ids []core.PaymentID) ([]core.Payment, error)
	PaymentByRef(ctx context.Context, ref core.ProviderRef) (core.Payment, error)
	// Payments knows the orders by time and, of one currency, by amount.
	Payments(ctx context.Context, filter PaymentFilter, page core.PageRequest) (core.Page[core.Payment], error)
	CountPayments(ctx context.Context, filter PaymentFilter) (int64, error)
	// PaymentsOfCustomers and PaymentsOfSubscriptions give the newest payments of each, at most limit of
	// each, newest first.
	PaymentsOfCustomers(ctx context.Context, customers []core.CustomerID, limit int) ([]core.Payment, error)
	PaymentsOfSubscriptions(ctx context.Context, subscriptions []core.SubscriptionID, limit int) ([]core.Payment, error)

	// PaymentsExpiring gives authorized payments that storefronts were not told of yet and whose
	// authorization runs out before the given time, the soonest first.
	PaymentsExpiring(ctx context.Context, before time.Time, limit int) ([]core.PaymentID, error)

	Refund(ctx context.Context, id core.RefundID) (core.Refund, error)
	RefundByRef(ctx context.Context, ref core.ProviderRef) (core.Refund, error)
	RefundByRequestKey(ctx context.Context, key core.RequestKey) (core.Refund, error)
	// PaymentRefunds gives all of a payment's refunds, oldest first. More than a thousand are an
	// error, since they are added up.
	PaymentRefunds(ctx context.Context, payment core.PaymentID) ([]core.Refund, error)
	// RefundsByID, like all of that name, gives those of the ids that exist, in no order.
	RefundsByID(ctx context.Context, ids []core.RefundID) ([]core.Refund, error)
	// RefundsOfPayments gives the newest refunds of each payment, at most limit of each, newest first.
	RefundsOfPayments(ctx context.Context, payments []core.PaymentID, limit int) ([]core.Refund, error)
	// Refunds knows the same orders as Payments.
	Refunds(ctx context.Context, filter RefundFilter, page core.PageRequest) (core.Page[core.Refund], error)

	Approval(ctx context.Context, id core.ApprovalID) (core.Approval, error)
	ApprovalByRequestKey(ctx context.Context, key core.RequestKey) (core.Approval, error)
	Approvals(ctx context.Context, filter ApprovalFilter, page core.PageRequest) (core.Page[core.Approval], error)

	Dispute(ctx context.Context, id core.DisputeID) (core.Dispute, error)
	DisputeByRef(ctx context.Context, ref core.ProviderRef) (core.Dispute, error)
	// PaymentDisputes gives all of a payment's disputes, oldest first, as PaymentRefunds does.
	PaymentDisputes(ctx context.Context, payment core.PaymentID) ([]core.Dispute, error)
	DisputesByID(ctx context.Context, ids []core.DisputeID) ([]core.Dispute, error)
	// DisputesOfPayments is like RefundsOfPayments.
	DisputesOfPayments(ctx context.Context, payments []core.PaymentID, limit int) ([]core.Dispute, error)
	// Disputes knows the orders by time and by deadline.
	Disputes(ctx context.Context, filter DisputeFilter, page core.PageRequest) (core.Page[core.Dispute], error)
	// DisputesDue gives disputes that wait for evidence that nobody submitted (inquiries, too; not
	// what was accepted), whose deadline lies after from and before the given time, and of which nobody
	// was reminded yet with so few days left, the soonest first.
	DisputesDue(ctx context.Context, from, before time.Time, days, limit int) ([]core.DisputeID, error)
	// Evidence gives a dispute's draft with its files, without their content; the zero Evidence
	// where none was saved. Files can be there before the first draft: its version is 0 then.
	Evidence(ctx context.Context, dispute core.DisputeID) (core.Evidence, error)
	// EvidenceOfDisputes gives the drafts of those that have one, as Evidence does, in no order.
	EvidenceOfDisputes(ctx context.Context, disputes []core.DisputeID) ([]core.Evidence, error)
	EvidenceContent(ctx context.Context, id core.FileID) ([]byte, error)

	Customer(ctx context.Context, id core.CustomerID) (core.Customer, error)
	CustomerByRequestKey(ctx context.Context, key core.RequestKey) (core.Customer, error)
	CustomersByID(ctx context.Context, ids []core.CustomerID) ([]core.Customer, error)
	Customers(ctx context.Context, filter CustomerFilter, page core.PageRequest) (core.Page[core.Customer], error)
	CustomerAccount(ctx context.Context, customer core.CustomerID, account core.AccountName) (core.CustomerAccount, error)

	Method(ctx context.Context, id core.MethodID) (core.SavedMethod, error)
	// MethodByRef takes the kinds method and setup.
	MethodByRef(ctx context.Context, ref core.ProviderRef) (core.SavedMethod, error)
	// CustomerMethods gives a customer's methods of all statuses, newest first, at most
	// core.PageItemsMax.
	CustomerMethods(ctx context.Context, customer core.CustomerID) ([]core.SavedMethod, error)

	Price(ctx context.Context, id core.PriceID) (core.Price, error)
	PriceByRequestKey(ctx context.Context, key core.RequestKey) (core.Price, error)
	PricesByID(ctx context.Context, ids []core.PriceID) ([]core.Price, error)
	Prices(ctx context.Context, page core.PageRequest) (core.Page[core.Price], error)
	PriceAccount(ctx context.Context, price core.PriceID, account core.AccountName) (core.PriceAccount, error)
	// PriceAccountByRef finds the price by the provider's id of it.
	PriceAccountByRef(ctx context.Context, account core.AccountName, providerPrice string) (core.PriceAccount, error)

	Subscription(ctx context.Context, id core.SubscriptionID) (core.Subscription, error)
	SubscriptionByRef(ctx context.Context, ref core.ProviderRef) (core.Subscription, error)
	SubscriptionsByID(ctx context.Context, ids []core.SubscriptionID) ([]core.Subscription, error)
	// SubscriptionsOfCustomers gives the newest of each customer, at most limit of each, newest first.
	SubscriptionsOfCustomers(ctx context.Context, customers []core.CustomerID, limit int) ([]core.Subscription, error)
	Subscriptions(ctx context.Context, filter SubscriptionFilter, page core.PageRequest) (core.Page[core.Subscription], error)
	// SubscriptionsToCancel gives those that we have to end and whose period ends before the given
	// time, the soonest first, without those that were looked at since unseenSince. One whose next
	// period has begun since its end was asked for is due since then.
	SubscriptionsToCancel(ctx context.Context, before, unseenSince time.Time, limit int) ([]core.SubscriptionID, error)
	InvoiceByRef(ctx context.Context, ref core.ProviderRef) (core.Invoice, error)
	// Invoices gives a subscription's invoices, newest first by IssuedAt.
	Invoices(ctx context.Context, subscription core.SubscriptionID, page core.PageRequest) (core.Page[core.Invoice], error)

	// InvoicesOfSubscriptions gives the newest invoices of each, at most limit of each, newest first.
	InvoicesOfSubscriptions(ctx context.Context, subscriptions []core.SubscriptionID, limit int) ([]core.Invoice, error)

	// AccountsDue gives the accounts with something of a kind whose LookAt was over at the given time,
	// those that are configured no more, too; LooksDue gives what of one account is due, by its id,
	// the longest due first. Events are of neither.
	AccountsDue(ctx context.Context, kind LookKind, at time.Time) ([]core.AccountName, error)
	LooksDue(ctx context.Context, kind LookKind, account core.AccountName, at time.Time, limit int) ([]string, error)
	// Unsettled counts operations that are open, payments that are processing, wait for their buyer or
	// were taken a second time, refunds that are pending, disputes and subscriptions that wait for
	// staff, and inbound events that wait, in no order.
	Unsettled(ctx context.Context) ([]Unsettled, error)

	Operation(ctx context.Context, id core.OperationID) (core.Operation, error)
	// Operations lists operations: those of unknown outcome first, then those that were written down
	// and perhaps not sent, then all others; each newest first.
	Operations(ctx context.Context, filter OperationFilter, page core.PageRequest) (core.Page[core.Operation], error)
	CountOperations(ctx context.Context, filter OperationFilter) (int64, error)
	// OperationsByID gives those of the ids that exist, in no order.
	OperationsByID(ctx context.Context, ids []core.OperationID) ([]core.Operation, error)
	OperationByRequestKey(ctx context.Context, key core.RequestKey) (core.Operation, error)
	// PaymentOperations gives a payment's operations, oldest first.
	PaymentOperations(ctx context.Context, payment core.PaymentID) ([]core.Operation, error)
	// SubjectOperations gives all operations on one object, by its id, oldest first. More than a
	// thousand are an error.
	SubjectOperations(ctx context.Context, subject string) ([]core.Operation, error)
	// OperationsOfPayments gives the operations of several payments at once, oldest first.
	OperationsOfPayments(ctx context.Context, payments []core.PaymentID) ([]core.Operation, error)
	// Timeline gives a payment's history, oldest first, after the given entry (nil from
	// the start), at most limit entries.
	Timeline(ctx context.Context, payment core.PaymentID, after *core.Cursor, limit int) ([]core.TimelineEntry, error)

	TimelineEntry(ctx context.Context, id core.TimelineID) (core.TimelineEntry, error)
	// SubjectTimeline gives the history of an object that is no payment, as Timeline does.
	SubjectTimeline(ctx context.Context, subject string, after *core.Cursor, limit int) ([]core.TimelineEntry, error)

	// Events gives our own events with a sequence above after, in order; all types where
	// types is empty.
	Events(ctx context.Context, after int64, types []core.EventType, limit int) ([]core.Event, error)
	Event(ctx context.Context, id core.EventID) (core.Event, error)

	Inbound(ctx context.Context, id core.InboundID) (core.InboundEvent, error)
	// InboundEvents gives events without their bodies, which InboundByID has.
	InboundEvents(ctx context.Context, filter InboundFilter, page core.PageRequest) (core.Page[core.InboundEvent], error)
	InboundByID(ctx context.Context, ids []core.InboundID) ([]core.InboundEvent, error)
	// TimelineOfInbound gives what came of events: the lines of all histories that they caused, oldest
	// first, at most limit of each.
	TimelineOfInbound(ctx context.Context, events []core.InboundID, limit int) ([]core.TimelineEntry, error)
	// InboundWaiting gives events that are received and that nobody took up since the given time, the
	// longest waiting first. One that was never taken up counts from its receipt.
	InboundWaiting(ctx context.Context, unseenSince time.Time, limit int) ([]core.InboundID, error)

	// BackfillCursors gives all accounts' cursors, by account and stream.
	BackfillCursors(ctx context.Context) ([]core.BackfillCursor, error)
	// OldestHeld is when the oldest of an account's payments, refunds, disputes and subscriptions was
	// made; the zero time for none.
	OldestHeld(ctx context.Context, account core.AccountName) (time.Time, error)
	// OpenObjects gives an account's objects of a kind (payments, refunds, disputes or subscriptions)
	// that are not final and that the provider knows, ordered by our ids, after the given one.
	OpenObjects(ctx context.Context, account core.AccountName, kind core.ObjectKind, after string, limit int) ([]OpenObject, error)
	// HeldObjects gives those of the same kinds that were made or changed in a time, and that the
	// provider knows, in the same order.
	HeldObjects(ctx context.Context, in HeldObjects, after string, limit int) ([]OpenObject, error)
	// DriftRuns gives all accounts' last comparisons, by account.
	DriftRuns(ctx context.Context) ([]core.DriftRun, error)
	// Drifts gives what remained of the last comparisons, by account, kind and the provider's id.
	Drifts(ctx context.Context) ([]core.Drift, error)

	// LastInbound gives the newest event of each of the types that an account's webhook brought, the
	// newest first; types of which none came are left out.
	LastInbound(ctx context.Context, account core.AccountName, types []string) ([]core.LastEvent, error)
	// MissedInbound counts an account's events, stored from the given time on, that no webhook had
	// brought, and gives when the last of them was stored; zero for none.
	MissedInbound(ctx context.Context, account core.AccountName, from time.Time) (count int64, last time.Time, err error)
	// DeliveryCounts sums what became of posts up, by account and result, from the given hour on; the
	// sums have no hour.
	DeliveryCounts(ctx context.Context, from time.Time) ([]core.DeliveryCount, error)
	// WebhookChecks gives what was last seen of all accounts' webhooks, by account.
	WebhookChecks(ctx context.Context) ([]core.WebhookCheck, error)

	APIKeyByHash(ctx context.Context, hash string) (core.APIKey, error)
	APIKeyByID(ctx context.Context, id core.APIKeyID) (core.APIKey, error)
	APIKeys(ctx context.Context) ([]core.APIKey, error)
	Staff(ctx context.Context) ([]core.Staff, error)
	StaffByTokenHash(ctx context.Context, hash string) (core.Staff, error)
	StaffByEmail(ctx context.Context, email string) (core.Staff, error)
	StaffByID(ctx context.Context, id core.StaffID) (core.Staff, error)
	// SessionByTokenHash gives a session with its member of staff, whether or not they are good still.
	SessionByTokenHash(ctx context.Context, hash string) (core.Session, core.Staff, error)
	// Sessions gives somebody's sessions, newest first, ended ones too until they are pruned.
	Sessions(ctx context.Context, staff core.StaffID) ([]core.Session, error)

	// AuditLog gives entries with a sequence above after, in order.
	AuditLog(ctx context.Context, after int64, limit int) ([]core.AuditEntry, error)
	// AuditEntries gives a page of the log, newest first; Lead of its cursors is the sequence.
	AuditEntries(ctx context.Context, filter AuditFilter, page core.PageRequest) (core.Page[core.AuditEntry], error)
	// AuditHead names the log's last entry as it was when that was added, whether or not it is still
	// there; zero for a log that never had one.
	AuditHead(ctx context.Context) (core.AuditMark, error)

	// Search gives what carries a text: the newest of each kind first, and no object twice.
	Search(ctx context.Context, find Find) ([]Found, error)
	// Tallies counts the payments, refunds and disputes of some buckets of time, as they are at one moment.
	Tallies(ctx context.Context, filter TallyFilter) ([]core.Tally, error)
	// Endpoints gives the storefront's webhook endpoints that are not deleted.
	Endpoints(ctx context.Context) ([]core.Endpoint, error)
	Endpoint(ctx context.Context, id core.EndpointID) (core.Endpoint, error)

	// Notification tells by its status, too, whether its endpoint is disabled or removed; so does
	// Notifications.
	Notification(ctx context.Context, id core.NotificationID) (core.Notification, error)
	Notifications(ctx context.Context, filter NotificationFilter, page core.PageRequest) (core.Page[core.Notification], error)
	// NotificationsDue says of each endpoint that is told of things when its next notification
	// may be sent, the soonest first. Those that wait for an earlier one of their subject do
	// not count, and endpoints that nothing waits for are left out.
	NotificationsDue(ctx context.Context) ([]EndpointDue, error)
	// NotificationsWaiting says how much each endpoint that is not removed has not taken yet.
	NotificationsWaiting(ctx context.Context) ([]EndpointWaiting, error)
}

// HeldObjects selects objects of an account; each zero time selects all.
type HeldObjects struct {
	Account             core.AccountName
	Kind                core.ObjectKind
	MadeFrom, MadeUntil time.Time // created in [MadeFrom, MadeUntil)
	ChangedFrom         time.Time // and changed then or later
}

// OpenObject is one of our objects that a provider has one for.
type OpenObject struct {
	ID  string // ours
	Ref core.ProviderRef
}

// EndpointDue is when an endpoint can be sent something.
type EndpointDue struct {
	Endpoint core.EndpointID
	// At is by the wall clock; zero for at once.
	At time.Time
}

// EndpointWaiting is what an endpoint has not taken yet.
type EndpointWaiting struct {
	Endpoint core.EndpointID
	Disabled bool
	Count    int64     // pending notifications
	Oldest   time.Time // when the oldest of them was made; zero where there is none
}

// Tx is an open transaction. There is no other way to write.
//
// Lock reads a row and keeps it from others until the transaction ends. Insert stores a
// new row under version 1; Update stores a changed one where its version is still the
// given one, which then grows by one, and is [ErrConflict] otherwise. Both return the row
// as stored: times in UTC and cut to microseconds, empty lists and maps as nil.
//
// After any error but [ErrNotFound], [ErrConflict] and [ErrText] the transaction cannot
// be committed any more, also where fn makes nothing of it.
type Tx interface {
	LockCheckout(ctx context.Context, id core.CheckoutID) (core.Checkout, error)
	InsertCheckout(ctx context.Context, c core.Checkout) (core.Checkout, error)
	UpdateCheckout(ctx context.Context, c core.Checkout) (core.Checkout, error)

	LockPayment(ctx context.Context, id core.PaymentID) (core.Payment, error)
	// LockPaymentByRef is ErrNotFound where no payment carries the provider's id yet.
	LockPaymentByRef(ctx context.Context, ref core.ProviderRef) (core.Payment, error)
	InsertPayment(ctx context.Context, p core.Payment) (core.Payment, error)
	UpdatePayment(ctx context.Context, p core.Payment) (core.Payment, error)

	LockApproval(ctx context.Context, id core.ApprovalID) (core.Approval, error)
	// InsertApproval of a request key that exists is [ErrDuplicate].
	InsertApproval(ctx context.Context, a core.Approval) (core.Approval, error)
	UpdateApproval(ctx context.Context, a core.Approval) (core.Approval, error)
	LockRefund(ctx context.Context, id core.RefundID) (core.Refund, error)
	// PaymentRefunds gives a payment's refunds as the transaction sees them, oldest first. Under
	// the payment's lock no other can come in between.
	PaymentRefunds(ctx context.Context, payment core.PaymentID) ([]core.Refund, error)
	InsertRefund(ctx context.Context, r core.Refund) (core.Refund, error)
	UpdateRefund(ctx context.Context, r core.Refund) (core.Refund, error)

	LockDispute(ctx context.Context, id core.DisputeID) (core.Dispute, error)
	// PaymentDisputes is like PaymentRefunds.
	PaymentDisputes(ctx context.Context, payment core.PaymentID) ([]core.Dispute, error)
	InsertDispute(ctx context.Context, d core.Dispute) (core.Dispute, error)
	UpdateDispute(ctx context.Context, d core.Dispute) (core.Dispute, error)
	// SaveEvidence stores a draft's texts where its version is still the given one, 0 for a new
	// one, and is ErrConflict otherwise; the version then grows by one. Files are stored apart: what
	// comes back has those that are there.
	SaveEvidence(ctx context.Context, e core.Evidence) (core.Evidence, error)
	// PutEvidenceFile stores a file in place of the one of the same field, if any.
	PutEvidenceFile(ctx context.Context, f core.EvidenceFile, content []byte) error
	// DeleteEvidenceFile is ErrNotFound where there is no such file of the dispute.
	DeleteEvidenceFile(ctx context.Context, dispute core.DisputeID, id core.FileID) error

	InsertCustomer(ctx context.Context, c core.Customer) (core.Customer, error)
	LockCustomer(ctx context.Context, id core.CustomerID) (core.Customer, error)
	// InsertCustomerAccount is ErrDuplicate where the customer has a counterpart there already, or
	// where the counterpart is another's.
	InsertCustomerAccount(ctx context.Context, a core.CustomerAccount) error

	LockMethod(ctx context.Context, id core.MethodID) (core.SavedMethod, error)
	InsertMethod(ctx context.Context, m core.SavedMethod) (core.SavedMethod, error)
	UpdateMethod(ctx context.Context, m core.SavedMethod) (core.SavedMethod, error)

	InsertPrice(ctx context.Context, p core.Price) (core.Price, error)
	// InsertPriceAccount is ErrDuplicate where the price has a counterpart there already.
	InsertPriceAccount(ctx context.Context, a core.PriceAccount) error

	LockSubscription(ctx context.Context, id core.SubscriptionID) (core.Subscription, error)
	InsertSubscription(ctx context.Context, s core.Subscription) (core.Subscription, error)
	UpdateSubscription(ctx context.Context, s core.Subscription) (core.Subscription, error)
	// LockInvoiceByRef is ErrNotFound where the provider's invoice is not known yet. Under the
	// subscription's lock no other can come in between.
	LockInvoiceByRef(ctx context.Context, ref core.ProviderRef) (core.Invoice, error)
	InsertInvoice(ctx context.Context, i core.Invoice) (core.Invoice, error)
	UpdateInvoice(ctx context.Context, i core.Invoice) (core.Invoice, error)

	LockOperation(ctx context.Context, id core.OperationID) (core.Operation, error)
	// SubjectOperations gives the operations on one object as the transaction sees them, oldest
	// first.
	SubjectOperations(ctx context.Context, subject string) ([]core.Operation, error)
	// PaymentOperations gives a payment's operations as the transaction sees them, oldest
	// first. Under the payment's lock no other can come in between.
	PaymentOperations(ctx context.Context, payment core.PaymentID) ([]core.Operation, error)
	InsertOperation(ctx context.Context, o core.Operation) (core.Operation, error)
	UpdateOperation(ctx context.Context, o core.Operation) (core.Operation, error)

	// AppendTimeline adds lines to payments' histories.
	AppendTimeline(ctx context.Context, entries ...core.TimelineEntry) error
	// AppendEvent stores an event under the next sequence number, which it gets when the
	// transaction commits: in what comes back it is still 0. Sequence numbers become
	// visible in order: a reader that has seen one never misses a lower one later.
	AppendEvent(ctx context.Context, e core.Event) (core.Event, error)
	// AppendAudit adds a line to the audit log's chain.
	AppendAudit(ctx context.Context, e core.AuditEntry) error
	// Enqueue commits jobs with the transaction. The current trace goes along.
	Enqueue(ctx context.Context, jobs ...Job) error

	// AcceptInbound stores those events that are not stored yet, by account and provider
	// event id, and gives the ids of the ones it stored, in the order of events.
	AcceptInbound(ctx context.Context, events []core.InboundEvent) ([]core.InboundID, error)
	// SetInboundStatus notes what became of an event. at is stored as ProcessedAt where
	// the status is final.
	SetInboundStatus(ctx context.Context, id core.InboundID, status core.InboundStatus, note string, at time.Time) error
	// NoteInboundLook notes that an event that waits was taken up, whatever comes of it.
	NoteInboundLook(ctx context.Context, id core.InboundID, at time.Time) error

	// TakeLease takes a lease that nobody holds at the given time, and tells whether it did.
	TakeLease(ctx context.Context, name, holder string, now, until time.Time) (bool, error)
	// KeepLease holds on to a lease, and tells whether the holder still has it: nobody took it, also
	// not once it was over.
	KeepLease(ctx context.Context, name, holder string, until time.Time) (bool, error)
	// GrabLease takes a lease from whoever holds it.
	GrabLease(ctx context.Context, name, holder string, until time.Time) error
	// ReleaseLease gives back what the holder holds; anything else is left alone.
	ReleaseLease(ctx context.Context, name, holder string) error
	// SaveBackfillCursor stores how far a walk came, in place of what was stored of it before.
	SaveBackfillCursor(ctx context.Context, c core.BackfillCursor) error
	// SaveDriftRun stores an account's comparison in place of the one before.
	SaveDriftRun(ctx context.Context, r core.DriftRun) error
	// SaveDrift stores what remained of one, in place of what was stored of the same object.
	SaveDrift(ctx context.Context, d core.Drift) error
	// ClearDrifts forgets what remained at an account.
	ClearDrifts(ctx context.Context, account core.AccountName) error

	// AddDeliveryCounts adds to what was counted for the same account, result and hour.
	AddDeliveryCounts(ctx context.Context, counts []core.DeliveryCount) error
	// PruneDeliveryCounts removes up to limit counts of hours before the given time.
	PruneDeliveryCounts(ctx context.Context, before time.Time, limit int) (int, error)
	// SaveWebhookCheck stores what was seen in place of what was seen before. The time of the first
	// look stays.
	SaveWebhookCheck(ctx context.Context, c core.WebhookCheck) error

	// BeginIdempotent stores the record where none stands for its caller and key, and
	// gives the one that stands, and whether it is the given one.
	BeginIdempotent(ctx context.Context, r core.IdempotencyRecord) (standing core.IdempotencyRecord, fresh bool, err error)
	// RelockIdempotent takes over a record that was locked at lockedAt; ErrConflict where
	// somebody else did.
	RelockIdempotent(ctx context.Context, r core.IdempotencyRecord, lockedAt time.Time) error
	// FinishIdempotent stores the answer.
	FinishIdempotent(ctx context.Context, r core.IdempotencyRecord) error
	// ForgetIdempotent removes a record that is running, so that its key can be used again.
	ForgetIdempotent(ctx context.Context, caller core.APIKeyID, key string) error
	// PruneIdempotent removes up to limit records created before the given time.
	PruneIdempotent(ctx context.Context, before time.Time, limit int) (int, error)

	InsertAPIKey(ctx context.Context, k core.APIKey) error
	RevokeAPIKey(ctx context.Context, id core.APIKeyID, at time.Time) error
	InsertStaff(ctx context.Context, s core.Staff) error
	LockStaff(ctx context.Context, id core.StaffID) (core.Staff, error)
	UpdateStaff(ctx context.Context, s core.Staff) error
	// LockActiveStaff counts those of exactly this role who are not disabled, and keeps them from others.
	LockActiveStaff(ctx context.Context, role core.Role) (int, error)
	InsertSession(ctx context.Context, s core.Session) error
	// TouchSession remembers when a session was used. One that is gone stays gone.
	TouchSession(ctx context.Context, id core.SessionID, at time.Time) error
	// DeleteSession ends a session; it is no error where there is none.
	DeleteSession(ctx context.Context, id core.SessionID) error
	// DeleteSessions ends all sessions of somebody, and gives how many there were.
	DeleteSessions(ctx context.Context, staff core.StaffID) (int, error)
	// PruneSignIns removes sessions that expired before the given time, and tries to sign in that failed
	// before it.
	PruneSignIns(ctx context.Context, sessions, tries time.Time) error
	// LockSignInTries reads what failed of a subject, zero tries where nothing did, and keeps it from
	// others.
	LockSignInTries(ctx context.Context, subject string) (core.SignInTries, error)
	// PutSignInTries stores what LockSignInTries gave, changed. No tries at all are removed.
	PutSignInTries(ctx context.Context, tries core.SignInTries) error

	// Endpoints is the reader's, as the transaction sees it.
	Endpoints(ctx context.Context) ([]core.Endpoint, error)
	InsertEndpoint(ctx context.Context, e core.Endpoint) error
	UpdateEndpoint(ctx context.Context, e core.Endpoint) error
	LockEndpoint(ctx context.Context, id core.EndpointID) (core.Endpoint, error)

	// AppendNotification stores a new one with the event of the same transaction that it tells
	// of, whose sequence it gets. The current trace goes along.
	AppendNotification(ctx context.Context, n core.Notification) error
	// The rest takes the endpoint's lock, which keeps others from its notifications.
	//
	// ClaimNotifications begins a try of up to limit pending notifications that are due at now,
	// also of those whose try counts as dead, and gives them: Attempts has grown, Leased is set
	// and DueAt is until. Of each subject the one with the lowest sequence comes first and alone.
	ClaimNotifications(ctx context.Context, endpoint core.EndpointID, now, until time.Time, limit int) ([]core.Notification, error)
	// SettleNotification stores what became of a try, where that try is still the last one
	// begun, and is ErrConflict otherwise. Later ones of the same subject become due with it,
	// and at once where it is pending no longer.
	SettleNotification(ctx context.Context, n core.Notification) error
	// RenewNotification stores one that is to be tried from the beginning; ErrConflict where a
	// try of it is under way.
	RenewNotification(ctx context.Context, n core.Notification) error
	// NotificationTriedSince reports whether a pending notification of the endpoint was first tried
	// at or before since.
	NotificationTriedSince(ctx context.Context, endpoint core.EndpointID, since time.Time) (bool, error)
	// HurryNotifications makes an endpoint's pending notifications due at once; afresh has their
	// rounds of tries begin anew.
	HurryNotifications(ctx context.Context, endpoint core.EndpointID, afresh bool) error
}
