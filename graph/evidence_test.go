package graph_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/textproto"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/bunrepo/repotest"
	"github.com/paydesk/paydesk/core"
)

const saveQuery = `mutation($input: DisputeEvidenceSaveInput!) { disputeEvidenceSave(input: $input) {
	dispute { evidence { version texts { field text } files { id field name contentType size } } checklist { field isFile saved } }
	preview { providerCall } userErrors { field message code } } }`

var png = []byte("\x89PNG\r\n\x1a\nand more")

// form is a request of the form of graphql-multipart-request-spec.
type form struct {
	operations any
	places     map[string][]string
	files      []formFile
}

type formFile struct {
	part, name, contentType string
	content                 []byte
}

func (d *desk) sendForm(t *testing.T, role core.Role, in form) answer {
	t.Helper()
	var body bytes.Buffer
	writer := multipart.NewWriter(&body)
	for name, value := range map[string]any{"operations": in.operations} {
		text, err := json.Marshal(value)
		require.NoError(t, err)
		require.NoError(t, writer.WriteField(name, string(text)))
	}
	text, err := json.Marshal(in.places)
	require.NoError(t, err)
	require.NoError(t, writer.WriteField("map", string(text)))
	for _, file := range in.files {
		header := textproto.MIMEHeader{}
		header.Set("Content-Disposition", fmt.Sprintf(`form-data; name=%q; filename=%q`, file.part, file.name))
		header.Set("Content-Type", file.contentType)
		part, err := writer.CreatePart(header)
		require.NoError(t, err)
		_, err = part.Write(file.content)
		require.NoError(t, err)
	}
	require.NoError(t, writer.Close())
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/graphql", &body)
	r.Header.Set("Content-Type", writer.FormDataContentType())
	r.Header.Set("Authorization", "Bearer "+tokenOf(role))
	w := httptest.NewRecorder()
	d.handler.ServeHTTP(w, r)
	got := answer{Status: w.Code, Body: w.Body.String()}
	require.NoError(t, json.Unmarshal(w.Body.Bytes(), &got), got.Body)
	return got
}

// withFile saves one file.
func (d *desk) withFile(t *testing.T, role core.Role, input map[string]any, file formFile) answer {
	t.Helper()
	input["files"] = []any{map[string]any{"field": "RECEIPT", "file": nil}}
	file.part = "0"
	return d.sendForm(t, role, form{
		operations: map[string]any{"query": saveQuery, "variables": map[string]any{"input": input}},
		places:     map[string][]string{"0": {"variables.input.files.0.file"}}, files: []formFile{file},
	})
}

func TestEvidenceIsGathered(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		input := disputed(t, d)
		input["idempotencyKey"] = "once"
		input["texts"] = []any{map[string]any{"field": "UNCATEGORIZED_TEXT", "text": "Ada got it."}}
		receipt := formFile{name: "C:\\tea\\receipt.png", contentType: "image/png", content: png}
		got := d.withFile(t, core.RoleFinance, input, receipt)
		require.Empty(t, got.Errors, got.Body)
		require.Empty(t, got.at(t, "disputeEvidenceSave.userErrors"), got.Body)
		require.Equal(t, "receipt.png", got.at(t, "disputeEvidenceSave.dispute.evidence.files.0.name"))
		require.InEpsilon(t, float64(len(png)), got.at(t, "disputeEvidenceSave.dispute.evidence.files.0.size"), 0)
		require.Contains(t, got.Body, `{"field":"RECEIPT","isFile":true,"saved":true}`)
		require.Contains(t, got.Body, `{"field":"CUSTOMER_COMMUNICATION","isFile":true,"saved":false}`)
		require.Contains(t, got.Body, `"sent on Monday"`, "beside what was there")
		row := d.audit(t)[len(d.audit(t))-1]
		require.Equal(t, "dispute.evidence_save", row.Action)
		require.NotContains(t, row.Before+row.After, "Ada")

		version := got.at(t, "disputeEvidenceSave.dispute.evidence.version")
		again := d.withFile(t, core.RoleFinance, input, receipt)
		require.Equal(t, version, again.at(t, "disputeEvidenceSave.dispute.evidence.version"), "the same key does nothing twice")
		other := receipt
		other.content = append(bytes.Clone(png), 'x')
		reused := d.withFile(t, core.RoleFinance, input, other)
		require.Equal(t, "IDEMPOTENCY_KEY_REUSED", reused.at(t, "disputeEvidenceSave.userErrors.0.code"), "another file is another input")

		id, _ := got.at(t, "disputeEvidenceSave.dispute.evidence.files.0.id").(string)
		content, err := d.world.Store.EvidenceContent(t.Context(), core.FileID(id))
		require.NoError(t, err)
		require.Equal(t, png, content)
		gone := map[string]any{"disputeId": input["disputeId"], "removeFiles": []any{id}}
		require.Equal(t, "FORBIDDEN", d.mutate(t, core.RoleSupport, "disputeEvidenceSave", "", gone).code(t))
		removed := d.done(t, core.RoleFinance, "disputeEvidenceSave", "dispute { evidence { files { id } } }", gone)
		require.Empty(t, removed.at(t, "disputeEvidenceSave.dispute.evidence.files"))
		require.Equal(t, "NOT_FOUND", d.refused(t, core.RoleFinance, "disputeEvidenceSave", gone))
	})
}

func TestEvidenceThatIsRefused(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		input := disputed(t, d)
		for name, file := range map[string]formFile{
			"a page of HTML that says it is a picture": {name: "x.png", contentType: "image/png", content: []byte("<html>")},
			"a type that no provider takes":            {name: "x.html", contentType: "text/html", content: []byte("<html>")},
			"nothing":                                  {name: "x.png", contentType: "image/png"},
			"too much":                                 {name: "x.png", contentType: "image/png", content: append(bytes.Clone(png), make([]byte, core.EvidenceFileBytesMax)...)},
		} {
			got := d.withFile(t, core.RoleFinance, input, file)
			require.Empty(t, got.Errors, got.Body)
			require.Equal(t, "INVALID_REQUEST", got.at(t, "disputeEvidenceSave.userErrors.0.code"), name)
			input["dryRun"] = true
			got = d.withFile(t, core.RoleFinance, input, file)
			require.Equal(t, "INVALID_REQUEST", got.at(t, "disputeEvidenceSave.userErrors.0.code"), name)
			delete(input, "dryRun")
		}
		delete(input, "files")
		require.Equal(t, "INVALID_REQUEST", d.refused(t, core.RoleFinance, "disputeEvidenceSave", input), "nothing to change")
		id := input["disputeId"]
		for _, text := range []string{"\x00", strings.Repeat("x", core.EvidenceTextCharsMax+1)} {
			bad := map[string]any{"disputeId": id, "texts": []any{map[string]any{"field": "UNCATEGORIZED_TEXT", "text": text}, map[string]any{"field": "CUSTOMER_NAME", "text": "Ada"}}}
			require.Equal(t, "INVALID_REQUEST", d.refused(t, core.RoleFinance, "disputeEvidenceSave", bad))
			kept, err := d.world.Store.Evidence(t.Context(), id.(core.DisputeID))
			require.NoError(t, err)
			require.NotContains(t, kept.Texts, core.EvidenceCustomerName, "all of it or nothing")
		}
		d.done(t, core.RoleFinance, "disputeEvidenceSubmit", "", map[string]any{"disputeId": id})
		late := map[string]any{"disputeId": id, "texts": []any{map[string]any{"field": "CUSTOMER_NAME", "text": "Ada"}}}
		require.Equal(t, "EVIDENCE_SUBMITTED", d.refused(t, core.RoleFinance, "disputeEvidenceSave", late))
	})
}

func TestRequestsWithFilesThatAreMalformed(t *testing.T) {
	t.Parallel()
	d := newDesk(t, repotest.SQLite(t))
	input := map[string]any{"disputeId": newID[core.DisputeID](), "files": []any{map[string]any{"field": "RECEIPT", "file": nil}}}
	operations := map[string]any{"query": saveQuery, "variables": map[string]any{"input": input}}
	file := formFile{part: "0", name: "x.png", contentType: "image/png", content: png}
	for name, in := range map[string]form{
		"a place that is not there":  {operations, map[string][]string{"0": {"variables.input.files.1.file"}}, []formFile{file}},
		"a place that has a value":   {operations, map[string][]string{"0": {"variables.input.files.0.field"}}, []formFile{file}},
		"a place of no variable":     {operations, map[string][]string{"0": {"query"}}, []formFile{file}},
		"a place in a text":          {operations, map[string][]string{"0": {"variables.input.disputeId.0"}}, []formFile{file}},
		"a file that is not named":   {operations, map[string][]string{"1": {"variables.input.files.0.file"}}, []formFile{file}},
		"a file that does not come":  {operations, map[string][]string{"0": {"variables.input.files.0.file"}}, nil},
		"a file too many":            {operations, map[string][]string{}, []formFile{file}},
		"a list of queries":          {[]any{operations}, map[string][]string{}, nil},
		"one file at several places": {operations, map[string][]string{"0": {"variables.input.files.0.file", "variables.input.files.0.file"}}, []formFile{file}},
		"places that are no map":     {operations, nil, []formFile{file}},
		"a query that is none":       {"query", map[string][]string{}, nil},
	} {
		got := d.sendForm(t, core.RoleFinance, in)
		require.Equal(t, http.StatusBadRequest, got.Status, name)
		require.Contains(t, []string{"BAD_REQUEST", "BATCH_REFUSED"}, got.code(t), name)
	}
	file.content = make([]byte, 12<<20)
	huge := d.sendForm(t, core.RoleFinance, form{operations, map[string][]string{"0": {"variables.input.files.0.file"}}, []formFile{file}})
	require.Equal(t, http.StatusRequestEntityTooLarge, huge.Status)
	without := d.mutate(t, core.RoleFinance, "disputeEvidenceSave", "", map[string]any{"disputeId": newID[core.DisputeID](), "files": []any{map[string]any{"field": "RECEIPT", "file": "text"}}})
	require.NotEmpty(t, without.Errors, "a text is no file")
}

func TestStaffChangeASubscription(t *testing.T) {
	t.Parallel()
	eachDesk(t, func(t *testing.T, d *desk) {
		input := subscribed(t, d)
		require.Equal(t, "NOTHING_TO_CHANGE", d.refused(t, core.RoleFinance, "subscriptionChange", input))
		input["quantity"] = 2
		input["dryRun"] = true
		would := d.done(t, core.RoleFinance, "subscriptionChange", "change { nextAmount { minor } buyerAgrees } preview { providerCall } subscription { id }", input)
		require.Equal(t, "CHANGE_SUBSCRIPTION", would.at(t, "subscriptionChange.preview.providerCall"))
		require.InEpsilon(t, 1800.0, would.at(t, "subscriptionChange.change.nextAmount.minor"), 0)
		require.Nil(t, would.at(t, "subscriptionChange.subscription"))
		delete(input, "dryRun")
		got := d.done(t, core.RoleFinance, "subscriptionChange", "subscription { quantity } change { buyerAgrees } buyerUrl", input)
		require.InEpsilon(t, 2.0, got.at(t, "subscriptionChange.subscription.quantity"), 0)
		require.Nil(t, got.at(t, "subscriptionChange.change"))
		input["priceId"] = d.world.Plan(1200, 0).ID
		got = d.done(t, core.RoleFinance, "subscriptionChange", "subscription { price { id } }", input)
		require.Equal(t, string(input["priceId"].(core.PriceID)), got.at(t, "subscriptionChange.subscription.price.id"))
		input["priceId"] = newID[core.PriceID]()
		require.Equal(t, "INVALID_REQUEST", d.refused(t, core.RoleFinance, "subscriptionChange", input))
		input["quantity"] = 0
		require.Equal(t, "BAD_USER_INPUT", d.mutate(t, core.RoleFinance, "subscriptionChange", "", input).code(t))
	})
}
