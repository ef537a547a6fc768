package core_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/core"
)

func TestEachComplaintHasItsChecklist(t *testing.T) {
	t.Parallel()
	all := []core.DisputeReason{
		core.DisputeFraudulent, core.DisputeNotReceived, core.DisputeUnacceptable, core.DisputeDuplicate, core.DisputeCanceledReason,
		core.DisputeNotRefunded, core.DisputeUnrecognized, core.DisputeWrongAmount, core.DisputeGeneral,
	}
	for _, reason := range all {
		wanted := core.EvidenceWanted(reason)
		require.NotEmpty(t, wanted, reason)
		require.True(t, reason == core.DisputeGeneral || !slices.Equal(wanted, core.EvidenceWanted(core.DisputeGeneral)), reason)
		for i, field := range wanted {
			require.True(t, field.IsText() || field.IsFile(), "%s: %s", reason, field)
			require.Equal(t, i, slices.Index(wanted, field), "%s: %s twice", reason, field)
		}
	}
	require.Equal(t, core.EvidenceWanted(core.DisputeGeneral), core.EvidenceWanted("new word"))
}
