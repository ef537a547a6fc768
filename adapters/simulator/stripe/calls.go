package stripe

import (
	"maps"
	"slices"
)

// calls are the API's calls by method and path.
func (s *Server) calls() map[string]call {
	all := s.paymentCalls()
	maps.Copy(all, s.disputeCalls())
	maps.Copy(all, s.customerCalls())
	maps.Copy(all, s.billingCalls())
	return all
}

// inLists are the expansions of a list's objects.
func inLists(of []string) []string {
	names := make([]string, len(of))
	for n, name := range of {
		names[n] = "data." + name
	}
	return names
}

func (s *Server) paymentCalls() map[string]call {
	ofIntent := []string{"latest_charge", "latest_charge.refunds", "payment_method", "invoice"}
	ofSession := []string{"payment_intent", "payment_intent.latest_charge"}
	ofRefund := []string{"charge", "charge.refunds", "payment_intent"}
	ofCharge := []string{"payment_intent", "refunds"}
	return map[string]call{
		"POST /v1/payment_intents":               {allowed: createParams, expandable: ofIntent, do: s.create},
		"GET /v1/payment_intents":                {allowed: slices.Concat(listParams, []string{"customer"}), expandable: inLists(ofIntent), do: s.list},
		"GET /v1/payment_intents/{id}":           {allowed: getParams, expandable: ofIntent, do: s.get, public: true},
		"POST /v1/payment_intents/{id}":          {allowed: updateParams, expandable: ofIntent, do: s.updateIntent},
		"POST /v1/payment_intents/{id}/confirm":  {allowed: confirmParams, expandable: ofIntent, do: s.confirm, public: true},
		"POST /v1/payment_intents/{id}/capture":  {allowed: captureParams, expandable: ofIntent, do: s.capture},
		"POST /v1/payment_intents/{id}/cancel":   {allowed: cancelParams, expandable: ofIntent, do: s.cancel},
		"POST /v1/3ds2/authenticate":             {allowed: authenticateParams, expandable: ofIntent, do: s.authenticate, public: true},
		"GET /v1/charges/{id}":                   {allowed: expandParams, expandable: ofCharge, do: s.getCharge},
		"GET /v1/events":                         {allowed: slices.Concat(listParams, []string{"type", "types[*]"}), do: s.listEvents},
		"GET /v1/events/{id}":                    {allowed: expandParams, do: s.getEvent},
		"POST /v1/checkout/sessions":             {allowed: sessionParams, expandable: ofSession, do: s.createSession},
		"GET /v1/checkout/sessions/{id}":         {allowed: expandParams, expandable: ofSession, do: s.getSession},
		"POST /v1/checkout/sessions/{id}/expire": {allowed: expandParams, expandable: ofSession, do: s.expireSession},
		"POST /v1/refunds":                       {allowed: refundParams, expandable: ofRefund, do: s.refund},
		"GET /v1/refunds":                        {allowed: slices.Concat(listParams, []string{"charge", "payment_intent"}), expandable: inLists(ofRefund), do: s.listRefunds},
		"GET /v1/refunds/{id}":                   {allowed: expandParams, expandable: ofRefund, do: s.getRefund},
		"POST /v1/refunds/{id}":                  {allowed: []string{"metadata[*]", "expand[*]"}, expandable: ofRefund, do: s.updateRefund},
		"GET /v1/balance":                        {allowed: expandParams, do: s.balance},
		"GET /v1/account":                        {allowed: expandParams, do: s.showAccount},
		"GET /v1/webhook_endpoints":              {allowed: []string{"limit", "starting_after", "ending_before", "expand[*]"}, do: s.listEndpoints},
	}
}

func (s *Server) disputeCalls() map[string]call {
	of := []string{"charge", "charge.refunds", "payment_intent"}
	return map[string]call{
		"GET /v1/disputes":             {allowed: slices.Concat(listParams, []string{"charge", "payment_intent"}), expandable: inLists(of), do: s.listDisputes},
		"GET /v1/disputes/{id}":        {allowed: expandParams, expandable: of, do: s.getDispute},
		"POST /v1/disputes/{id}":       {allowed: disputeParams, expandable: of, do: s.updateDispute},
		"POST /v1/disputes/{id}/close": {allowed: expandParams, expandable: of, do: s.closeDispute},
		"POST /v1/files":               {allowed: fileParams, do: s.createFile, uploads: true},
		"GET /v1/files/{id}":           {allowed: expandParams, do: s.getFile},
	}
}

func (s *Server) customerCalls() map[string]call {
	ofSetup := []string{"payment_method"}
	return map[string]call{
		"POST /v1/customers":                     {allowed: customerParams, do: s.createCustomer},
		"GET /v1/customers":                      {allowed: slices.Concat(listParams, []string{"email"}), do: s.listCustomers},
		"GET /v1/customers/{id}":                 {allowed: expandParams, do: s.getCustomer},
		"POST /v1/customers/{id}":                {allowed: slices.DeleteFunc(slices.Clone(customerParams), func(name string) bool { return name == "payment_method" }), do: s.updateCustomer},
		"DELETE /v1/customers/{id}":              {do: s.deleteCustomer},
		"GET /v1/customers/{id}/payment_methods": {allowed: slices.Concat(listParams, []string{"type"}), do: s.listMethods},
		"POST /v1/payment_methods":               {allowed: methodParams, do: s.createMethod},
		"GET /v1/payment_methods":                {allowed: slices.Concat(listParams, []string{"customer", "type"}), do: s.listMethods},
		"GET /v1/payment_methods/{id}":           {allowed: expandParams, do: s.getMethod},
		"POST /v1/payment_methods/{id}":          {allowed: methodUpdateParams, do: s.updateMethod},
		"POST /v1/payment_methods/{id}/attach":   {allowed: []string{"customer", "expand[*]"}, do: s.attachMethod},
		"POST /v1/payment_methods/{id}/detach":   {allowed: expandParams, do: s.detachMethod},
		"POST /v1/setup_intents":                 {allowed: setupParams, expandable: ofSetup, do: s.createSetup},
		"GET /v1/setup_intents":                  {allowed: slices.Concat(listParams, []string{"customer", "payment_method"}), expandable: inLists(ofSetup), do: s.listSetups},
		"GET /v1/setup_intents/{id}":             {allowed: getParams, expandable: ofSetup, do: s.getSetup, public: true},
		"POST /v1/setup_intents/{id}":            {allowed: setupUpdateParams, expandable: ofSetup, do: s.updateSetup},
		"POST /v1/setup_intents/{id}/confirm":    {allowed: setupConfirmParams, expandable: ofSetup, do: s.confirmSetup, public: true},
		"POST /v1/setup_intents/{id}/cancel":     {allowed: cancelParams, expandable: ofSetup, do: s.cancelSetup},
	}
}

func (s *Server) billingCalls() map[string]call {
	void := s.endInvoice("voided", s.voidInvoice, invoiceOpen, invoiceUncollectible)
	writeOff := s.endInvoice("marked uncollectible", s.writeOff, invoiceOpen)
	finalize := s.endInvoice("finalized", s.finalize, invoiceDraft)
	return map[string]call{
		"POST /v1/products":        {allowed: productParams, do: s.createProduct},
		"GET /v1/products":         {allowed: slices.Concat(listParams, []string{"active"}), do: s.listProducts},
		"GET /v1/products/{id}":    {allowed: expandParams, do: s.getProduct},
		"POST /v1/products/{id}":   {allowed: productUpdateParams, do: s.updateProduct},
		"DELETE /v1/products/{id}": {do: s.deleteProduct},
		"POST /v1/prices":          {allowed: priceParams, do: s.createPrice},
		"GET /v1/prices":           {allowed: slices.Concat(listParams, []string{"active", "product", "currency", "type", "lookup_keys[*]"}), do: s.listPrices},
		"GET /v1/prices/{id}":      {allowed: expandParams, do: s.getPrice},
		"POST /v1/prices/{id}":     {allowed: priceUpdateParams, do: s.updatePrice},

		"POST /v1/subscriptions":             {allowed: subscriptionParams, expandable: ofSubscription, do: s.createSubscription},
		"GET /v1/subscriptions":              {allowed: slices.Concat(listParams, []string{"customer", "price", "status"}), expandable: inLists(ofSubscription), do: s.listSubscriptions},
		"GET /v1/subscriptions/{id}":         {allowed: expandParams, expandable: ofSubscription, do: s.getSubscription},
		"POST /v1/subscriptions/{id}":        {allowed: subscriptionUpdateParams, expandable: ofSubscription, do: s.updateSubscription},
		"DELETE /v1/subscriptions/{id}":      {allowed: subscriptionCancelParams, expandable: ofSubscription, do: s.cancelSubscription},
		"POST /v1/subscriptions/{id}/resume": {allowed: subscriptionResumeParams, expandable: ofSubscription, do: s.resumeSubscription},

		"GET /v1/invoices":                          {allowed: invoicesParams, expandable: inLists(ofInvoice), do: s.listInvoices},
		"GET /v1/invoices/upcoming":                 {allowed: upcomingParams, expandable: ofInvoice, do: s.upcomingInvoice},
		"GET /v1/invoices/{id}":                     {allowed: expandParams, expandable: ofInvoice, do: s.getInvoice},
		"POST /v1/invoices/{id}/pay":                {allowed: payParams, expandable: ofInvoice, do: s.payInvoice},
		"POST /v1/invoices/{id}/void":               {allowed: expandParams, expandable: ofInvoice, do: void},
		"POST /v1/invoices/{id}/finalize":           {allowed: expandParams, expandable: ofInvoice, do: finalize},
		"POST /v1/invoices/{id}/mark_uncollectible": {allowed: expandParams, expandable: ofInvoice, do: writeOff},
	}
}
