package subscriptions

import (
	"context"

	"github.com/paydesk/paydesk/core"
)

// PreviewPause gives what the provider would be asked by [Service.Pause], empty for nothing. Errors are
// those of its checks. The other previews are like it.
func (s *Service) PreviewPause(ctx context.Context, id core.SubscriptionID) (core.OperationKind, error) {
	return s.preview(ctx, id, s.askPause)
}

// PreviewResume is for [Service.Resume].
func (s *Service) PreviewResume(ctx context.Context, id core.SubscriptionID) (core.OperationKind, error) {
	return s.preview(ctx, id, s.askResume)
}

// PreviewCancel is for [Service.Cancel].
func (s *Service) PreviewCancel(ctx context.Context, id core.SubscriptionID, atPeriodEnd bool) (core.OperationKind, error) {
	if atPeriodEnd {
		return s.preview(ctx, id, s.askCancelLater)
	}
	return s.preview(ctx, id, func(subscription core.Subscription) (asking, error) {
		return s.askCancelNow(subscription, core.ErrSubscriptionEnded)
	})
}

func (s *Service) preview(ctx context.Context, id core.SubscriptionID, ask func(core.Subscription) (asking, error)) (core.OperationKind, error) {
	subscription, err := s.store.Subscription(ctx, id)
	if err != nil {
		return "", err
	}
	asked, err := ask(subscription)
	if err != nil {
		return "", err
	}
	operations, err := s.store.SubjectOperations(ctx, string(id))
	if err != nil {
		return "", err
	}
	for _, op := range operations {
		if !op.Status.Settled() {
			return "", core.ErrOperationOpen
		}
	}
	return asked.kind, nil
}
