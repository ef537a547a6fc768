package paypal

import (
	"net/url"
	"slices"
	"strings"

	"github.com/paydesk/paydesk/adapters/outbound"
	"github.com/paydesk/paydesk/core"
)

// environment is what an answer's links tell: the account's own, unless one of them leads to
// PayPal's other one.
//
// PayPal marks its answers by nothing else.
func (a *Adapter) environment(links []Link) core.Environment {
	for _, link := range links {
		if told := a.environmentOf(link.Href); told != "" && told != a.env {
			return told
		}
	}
	return a.env
}

// environmentOf is which of PayPal's environments an address belongs to; empty for one that
// says nothing about it.
func (a *Adapter) environmentOf(address string) core.Environment {
	at, err := url.Parse(address)
	if err != nil || at.Host == "" {
		return ""
	}
	host := strings.ToLower(at.Hostname())
	switch {
	case strings.ToLower(at.Host) == a.host:
		return a.env
	case !isPayPals(host):
		return ""
	case slices.Contains(strings.Split(host, "."), sandboxElement):
		return core.EnvTest
	}
	return core.EnvLive
}

// objectAfter is the id at the end of an address's path, after the part that is given; empty
// where the address leads elsewhere. Nobody goes to the address itself.
func objectAfter(address, part string) string {
	at, err := url.Parse(address)
	if err != nil {
		return ""
	}
	_, id, found := strings.Cut(at.Path, part)
	if !found {
		return ""
	}
	return outbound.SafeID(id)
}

// Where objects are.
const (
	pathOrders         = "/v2/checkout/orders/"
	pathAuthorizations = "/v2/payments/authorizations/"
	pathCaptures       = "/v2/payments/captures/"
	pathRefunds        = "/v2/payments/refunds/"
)

// orderOf is the order that a capture or an authorization belongs to; empty where it does not
// say.
func orderOf(data SupplementaryData, links []Link) string {
	if id := outbound.SafeID(data.RelatedIDs.OrderID); id != "" {
		return id
	}
	return linked(links, pathOrders)
}

// linked is the object one step up; empty where there is none of that kind.
func linked(links []Link, part string) string {
	for _, link := range links {
		if link.Rel == "up" {
			if id := objectAfter(link.Href, part); id != "" {
				return id
			}
		}
	}
	return ""
}
