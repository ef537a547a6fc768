package bunrepo_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo"
	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/core/audit"
	"github.com/paydesk/paydesk/ports"
)

const auditLines = 5

// written is a store with an audit log of some lines, the first of which has nothing new in it.
func written(t *testing.T, store *bunrepo.Store) core.AuditMark {
	t.Helper()
	for n := range auditLines {
		entry := core.AuditEntry{ID: newID[core.AuditID](), Actor: "cli", Action: "api_key.create", At: moment}
		if n > 0 {
			entry.Before, entry.After, entry.From = `{"n":1}`, `{"n":2}`, "192.0.2.7"
		}
		require.NoError(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error { return tx.AppendAudit(ctx, entry) }))
	}
	mark, err := audit.Verify(t.Context(), store, core.AuditMark{})
	require.NoError(t, err)
	require.EqualValues(t, auditLines, mark.Sequence)
	return mark
}

func openStore(t *testing.T, url string) *bunrepo.Store {
	t.Helper()
	store, closeStore, err := bunrepo.Open(t.Context(), repotest.Options(url))
	require.NoError(t, err)
	t.Cleanup(closeStore)
	return store
}

func TestWhatWasDoneToTheAuditLogIsFound(t *testing.T) {
	t.Parallel()
	const middleHash = `(SELECT hash FROM audit_log WHERE sequence = 4)`
	for name, statements := range map[string][]string{
		"a text changed":        {`UPDATE audit_log SET actor = 'nobody' WHERE sequence = 3`},
		"a state changed":       {`UPDATE audit_log SET state_after = '{"n":3}' WHERE sequence = 3`},
		"states taken off":      {`UPDATE audit_log SET state_before = NULL, state_after = NULL, from_address = NULL WHERE sequence = 3`},
		"an address put in":     {`UPDATE audit_log SET from_address = '192.0.2.8' WHERE sequence = 1`},
		"removed":               {`DELETE FROM audit_log WHERE sequence = 3`},
		"removed, closed up":    {`DELETE FROM audit_log WHERE sequence = 3`, `UPDATE audit_log SET sequence = 3 WHERE sequence = 4`, `UPDATE audit_log SET sequence = 4 WHERE sequence = 5`},
		"the first removed":     {`DELETE FROM audit_log WHERE sequence = 1`},
		"reordered":             {`UPDATE audit_log SET sequence = 99 WHERE sequence = 2`, `UPDATE audit_log SET sequence = 2 WHERE sequence = 3`, `UPDATE audit_log SET sequence = 3 WHERE sequence = 99`},
		"the end cut off":       {`DELETE FROM audit_log WHERE sequence = 5`},
		"all of it cut off":     {`DELETE FROM audit_log`},
		"cut off with the head": {`UPDATE audit_head SET sequence = 4, hash = ` + middleHash, `DELETE FROM audit_log WHERE sequence = 5`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			eachURL(t, func(t *testing.T, url string) {
				store := openStore(t, url)
				kept := written(t, store)
				db := database(t, url)
				for _, statement := range statements {
					_, err := db.ExecContext(t.Context(), statement)
					require.NoError(t, err, statement)
				}
				_, err := audit.Verify(t.Context(), store, kept)
				require.ErrorIs(t, err, audit.ErrBroken)
				if name == "cut off with the head" {
					_, err = audit.Verify(t.Context(), store, core.AuditMark{})
					require.NoError(t, err, "only a mark that was kept elsewhere tells")
				}
			})
		})
	}
}

func TestALongerLogStillHoldsAnOldMark(t *testing.T) {
	t.Parallel()
	eachURL(t, func(t *testing.T, url string) {
		store := openStore(t, url)
		kept := written(t, store)
		require.NoError(t, store.InTx(t.Context(), func(ctx context.Context, tx ports.Tx) error {
			return tx.AppendAudit(ctx, core.AuditEntry{ID: newID[core.AuditID](), Actor: "cli", Action: "x", At: moment})
		}))
		last, err := audit.Verify(t.Context(), store, kept)
		require.NoError(t, err)
		require.EqualValues(t, auditLines+1, last.Sequence)
	})
}
