package graph

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/idempotency"
	"github.com/paydesk/paydesk/core/record"
	"github.com/paydesk/paydesk/graph/model"
)

// idempotencyKeyMax is the longest key of a mutation, in characters.
const idempotencyKeyMax = 255

// mutation is what every mutation's input has in common.
type mutation struct {
	action string // its name in the audit log
	input  any
	key    *string
	dryRun *bool
	// subject is the field of the input that names what it works on, for errors that are about it.
	subject string
}

// work does a mutation and gives the id of what came of it.
type work func(ctx context.Context, key core.RequestKey) (string, error)

// mutate is the way of every mutation. A dry run asks preview alone. Otherwise do runs, once for the
// member of staff, the mutation and the key, with the action in its context, so that whatever it
// changes is written into the audit log in the same transaction. The id is empty for a dry run and
// where the second result says why nothing was done.
func (r *Resolver) mutate(ctx context.Context, m mutation, preview func(context.Context) error, do work) (string, []*model.UserError, error) {
	if err := checkKey(m.key); err != nil {
		return "", nil, err
	}
	var id string
	var err error
	if m.dryRun != nil && *m.dryRun {
		err = preview(ctx)
	} else {
		id, err = r.once(ctx, m, r.audited(m, do))
	}
	refused, err := r.userErrors(ctx, m.subject, err)
	if len(refused) > 0 || err != nil {
		id = ""
	}
	return id, refused, err
}

// audited is the work with its action in the context. One that succeeds without a change, since what is
// asked was so before, is written down after it.
func (r *Resolver) audited(m mutation, do work) work {
	return func(ctx context.Context, key core.RequestKey) (string, error) {
		current := requestOf(ctx)
		act := &record.Act{Actor: string(current.staff.ID), Action: m.action, From: current.from}
		id, err := do(record.WithAct(ctx, act), key)
		if err == nil && !act.Noted() {
			err = r.access.NothingDone(ctx, act, id)
		}
		return id, err
	}
}

func checkKey(key *string) error {
	invisible := func(c rune) bool { return c <= ' ' || c > '~' }
	if key != nil && (*key == "" || len(*key) > idempotencyKeyMax || strings.ContainsFunc(*key, invisible)) {
		return refuse(codeInput, "input.idempotencyKey must have 1 to %d visible characters", idempotencyKeyMax)
	}
	return nil
}

// once does the work as often as it is asked where there is no key, and once where there is one. What
// came to nothing is not remembered: the objects that the work made are found again by their key.
func (r *Resolver) once(ctx context.Context, m mutation, do work) (id string, err error) {
	if m.key == nil {
		return do(ctx, "")
	}
	hash, err := inputHash(m)
	if err != nil {
		return "", err
	}
	call := idempotency.Call{Caller: core.APIKeyID(requestOf(ctx).staff.ID), Key: m.action + "\x1f" + *m.key, RequestHash: hash}
	var failed error
	answer, replayed, err := r.replays.Do(ctx, call, func(ctx context.Context) idempotency.Answer {
		id, failed = do(ctx, call.RequestKey())
		return idempotency.Answer{Status: http.StatusOK, Body: []byte(id), Forget: failed != nil}
	})
	if replayed {
		id = string(answer.Body)
	}
	return id, errors.Join(failed, err)
}

// inputHash is of all that makes the request what it is.
func inputHash(m mutation) (string, error) {
	text, err := json.Marshal(m.input)
	if err != nil {
		return "", fmt.Errorf("read the input of %s: %w", m.action, err)
	}
	fields := make(map[string]json.RawMessage)
	if err := json.Unmarshal(text, &fields); err != nil {
		return "", fmt.Errorf("read the input of %s: %w", m.action, err)
	}
	delete(fields, "idempotencyKey")
	delete(fields, "dryRun")
	if text, err = json.Marshal(fields); err != nil { // in the order of names
		return "", fmt.Errorf("read the input of %s: %w", m.action, err)
	}
	hash := sha256.Sum256(append([]byte(m.action+"\x00"), text...))
	return hex.EncodeToString(hash[:]), nil
}

// byStaff is the cause of what the caller does.
func byStaff(ctx context.Context) core.Cause {
	return core.Cause{Kind: core.CauseStaff, Actor: string(requestOf(ctx).staff.ID)}
}
