package ports

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// Disputer is a [Provider] whose disputes can be looked at and answered.
type Disputer interface {
	Provider

	// GetDispute fetches a dispute's present state. Its payment is named as payments are known
	// here, whatever the provider itself calls it by.
	//
	// Source: Stripe GET /v1/disputes/{id}; PayPal GET /v1/customer/disputes/{id}; Square GET
	// /v2/disputes/{id}.
	GetDispute(ctx context.Context, ref core.ProviderRef) (core.DisputeSnapshot, error)

	// PaymentDisputes gives all disputes of a payment, at most [DisputesMax], newest first.
	PaymentDisputes(ctx context.Context, payment core.ProviderRef) ([]core.DisputeSnapshot, error)

	// SubmitEvidence sends all evidence to whoever decides, for good. It may take several calls;
	// each carries a key of its own that follows from the given one. Sending to a dispute that
	// takes none is [core.ClassInvalid].
	//
	// Source: Stripe POST /v1/files and POST /v1/disputes/{id}; PayPal POST
	// /v1/customer/disputes/{id}/provide-evidence; Square POST /v2/disputes/{id}/evidence-text,
	// /evidence-files and /submit-evidence.
	SubmitEvidence(ctx context.Context, key core.OperationKey, in SubmitEvidence) (core.DisputeSnapshot, error)

	// AcceptDispute gives in: the buyer gets the money. Accepting what is accepted is no error.
	//
	// Source: Stripe POST /v1/disputes/{id}/close; PayPal POST
	// /v1/customer/disputes/{id}/accept-claim; Square POST /v2/disputes/{id}/accept.
	AcceptDispute(ctx context.Context, key core.OperationKey, in AcceptDispute) (core.DisputeSnapshot, error)
}

// DisputesMax is how many disputes of one payment are looked at.
const DisputesMax = 20

// SubmitEvidence is the answer to a dispute. The same operation always sends the same.
type SubmitEvidence struct {
	Ref   core.ProviderRef
	Texts map[core.EvidenceField]string // none is empty
	Files []EvidenceContent             // at most one for each field
}

// EvidenceContent is one file with what is in it.
type EvidenceContent struct {
	core.EvidenceFile

	Content []byte
}

// AcceptDispute is a dispute to be given in to.
type AcceptDispute struct {
	Ref    core.ProviderRef
	Amount core.Money // disputed
}
