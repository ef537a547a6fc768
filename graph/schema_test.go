package graph_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"github.com/vektah/gqlparser/v2"
	"github.com/vektah/gqlparser/v2/ast"
	"github.com/vektah/gqlparser/v2/formatter"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/graph"
	"github.com/paydesk/paydesk/graph/generated"
)

var update = flag.Bool("update", false, "write golden files anew")

func schema() *ast.Schema {
	return generated.NewExecutableSchema(generated.Config{}).Schema()
}

// What is published stands in one file, so that a change of it is seen in review.
func TestSchemaGolden(t *testing.T) {
	t.Parallel()
	var printed bytes.Buffer
	formatter.NewFormatter(&printed, formatter.WithIndent("  ")).FormatSchema(schema())
	golden := filepath.Join("testdata", "schema.golden.graphqls")
	if *update {
		require.NoError(t, os.WriteFile(golden, printed.Bytes(), 0o600))
	}
	want, err := os.ReadFile(golden)
	require.NoError(t, err)
	require.Equal(t, string(want), printed.String(), "run go test ./graph -update where the change is meant")
}

// Every way into the graph says who may go it.
func TestEveryRootFieldHasARule(t *testing.T) {
	t.Parallel()
	require.NoError(t, graph.CheckRules(schema()))
	for _, field := range schema().Query.Fields {
		if strings.HasPrefix(field.Name, "__") {
			continue
		}
		rule := field.Directives.ForName("requires")
		require.NotNil(t, rule, field.Name)
		_, err := core.ParseRole(rule.Arguments.ForName("role").Value.Raw)
		require.NoError(t, err, field.Name)
	}
	for name, text := range map[string]string{
		"query":        `type Query { open: Int }`,
		"mutation":     `type Query { a: Int @requires(role: VIEWER) } type Mutation { open: Int }`,
		"subscription": `type Query { a: Int @requires(role: VIEWER) } type Subscription { open: Int }`,
	} {
		open := gqlparser.MustLoadSchema(&ast.Source{Input: text + ` enum Role { VIEWER } directive @requires(role: Role!) on FIELD_DEFINITION`})
		require.ErrorContains(t, graph.CheckRules(open), "open", name)
	}
}

// Every field that can hold what identifies a person is masked, or says who may see it.
// A new field of such a name needs a rule, or a reason in the list below.
func TestEveryPersonalFieldHasARule(t *testing.T) {
	t.Parallel()
	personal := []string{"email", "name", "phone", "address", "metadata", "ip", "city", "postal", "birth"}
	harmless := map[string]string{"LineItem.name": "what is bought, in the storefront's words", "Price.name": "of what is sold", "ApiKey.name": "of what it is for", "CodesBeginPayload.address": "of a secret, for apps"}
	found := 0
	for _, kind := range schema().Types {
		if kind.BuiltIn || strings.HasPrefix(kind.Name, "__") || kind.Kind != ast.Object {
			continue
		}
		for _, field := range kind.Fields {
			if !hasWord(field.Name, personal) || harmless[kind.Name+"."+field.Name] != "" {
				continue
			}
			found++
			require.True(t, field.Directives.ForName("personal") != nil || field.Directives.ForName("requires") != nil,
				"%s.%s has no rule", kind.Name, field.Name)
		}
	}
	require.Equal(t, 10, found, "the fields known to hold personal data")
}

// hasWord reports whether one of the words is part of a name in camel case.
func hasWord(name string, words []string) bool {
	var split strings.Builder
	for _, letter := range name {
		if letter >= 'A' && letter <= 'Z' {
			split.WriteByte(' ')
		}
		split.WriteRune(letter)
	}
	for part := range strings.FieldsSeq(strings.ToLower(split.String())) {
		if slices.Contains(words, part) {
			return true
		}
	}
	return false
}

// The schema's enums are the core's words.
func TestEnumsAreTheCores(t *testing.T) {
	t.Parallel()
	for name, words := range map[string][]string{
		"PaymentStatus":  texts(core.PaymentStatuses()),
		"Environment":    texts([]core.Environment{core.EnvTest, core.EnvLive}),
		"CaptureMode":    texts([]core.CaptureMode{core.CaptureAutomatic, core.CaptureManual}),
		"CheckoutStatus": texts([]core.CheckoutStatus{core.CheckoutOpen, core.CheckoutComplete, core.CheckoutExpired}),
		"CheckoutMode":   texts([]core.CheckoutMode{core.ModePayment, core.ModeSubscription, core.ModeSetup}),
		"OperationKind":  texts(core.OperationKinds()),
		"RefundStatus":   texts(core.RefundStatuses()),
		"RefundReason":   texts([]core.RefundReason{core.RefundRequested, core.RefundDuplicate, core.RefundFraudulent, core.RefundOther}),
		"Origin":         texts([]core.Origin{core.OriginHere, core.OriginProvider}),
		"DisputeStatus":  texts(core.DisputeStatuses()),
		"DisputeReason": texts([]core.DisputeReason{
			core.DisputeFraudulent, core.DisputeNotReceived, core.DisputeUnacceptable, core.DisputeDuplicate, core.DisputeCanceledReason,
			core.DisputeNotRefunded, core.DisputeUnrecognized, core.DisputeWrongAmount, core.DisputeGeneral,
		}),
		"NotificationStatus": texts([]core.NotificationStatus{
			core.NotificationPending, core.NotificationDelivered, core.NotificationFailed, core.NotificationHeld, core.NotificationDropped,
		}),
		"EndpointDisabledReason": texts([]core.DisabledReason{core.DisabledGone, core.DisabledFailing}),
		"SubscriptionStatus":     texts(core.SubscriptionStatuses()),
		"OperationStatus":        texts([]core.OperationStatus{core.OperationPending, core.OperationSucceeded, core.OperationFailed, core.OperationUnknown}),
		"ReviewReason":           texts([]core.ReviewReason{core.ReviewAmount, core.ReviewCurrency, core.ReviewEnvironment, core.ReviewTransition, core.ReviewAmounts}),
		"FailureCode": texts([]core.FailureCode{
			core.FailureCardDeclined, core.FailureInsufficientFunds, core.FailureExpiredCard, core.FailureIncorrectCVC,
			core.FailureAuthenticationRequired, core.FailureSuspectedFraud, core.FailureProcessingError,
			core.FailureProviderUnavailable, core.FailureInvalidRequest, core.FailureCanceledByBuyer, core.FailureRefundFailed,
		}),
		"TimelineKind": texts([]core.TimelineKind{core.TimelineCreated, core.TimelineOperation, core.TimelineObservation, core.TimelineNote}),
		"CauseKind": texts([]core.CauseKind{
			core.CauseWebhook, core.CauseBuyer, core.CauseAPI, core.CauseStaff, core.CauseRepair, core.CauseOperation, core.CauseTimer,
			core.CauseBackfill, core.CauseReconcile,
		}),
		"Verdict": {core.Advance.String(), core.Stale.String(), core.Impossible.String()},
		"Role":    texts([]core.Role{core.RoleViewer, core.RoleSupport, core.RoleFinance, core.RoleAdmin}),
	} {
		var values []string
		for _, value := range schema().Types[name].EnumValues {
			values = append(values, strings.ToLower(value.Name))
		}
		for i := range words {
			words[i] = strings.ToLower(words[i])
		}
		require.ElementsMatch(t, words, values, name)
	}
}

func texts[T ~string](words []T) []string {
	all := make([]string, len(words))
	for i, word := range words {
		all[i] = string(word)
	}
	return all
}
