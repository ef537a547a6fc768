package notifier

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"syscall"
	"time"

	"github.com/paydesk/paydesk/ports"
)

// lookupTimeMax is how long a name may take to resolve when an endpoint is registered.
const lookupTimeMax = 2 * time.Second

// Check resolves the endpoint's name once. Nobody is called.
func (n *Notifier) Check(ctx context.Context, address string) error {
	if n.allowPrivate {
		return nil
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return fmt.Errorf("parse endpoint's address: %w", err)
	}
	if ip, err := netip.ParseAddr(parsed.Hostname()); err == nil {
		return refusePrivate(ip)
	}
	ctx, cancel := context.WithTimeout(ctx, lookupTimeMax)
	defer cancel()
	found, err := n.resolver.LookupNetIP(ctx, "ip", parsed.Hostname())
	if err != nil {
		return nil // a name may come later; what it resolves to is checked at every try
	}
	for _, ip := range found {
		if err := refusePrivate(ip); err != nil {
			return err
		}
	}
	return nil
}

// control is called for each address before it is connected to, after the name was resolved, so that a
// name cannot point elsewhere between a check and the call.
func control(_, address string, _ syscall.RawConn) error {
	parsed, err := netip.ParseAddrPort(address)
	if err != nil {
		return ports.ErrPrivateAddress
	}
	return refusePrivate(parsed.Addr())
}

// refusePrivate refuses what is not an address of the public Internet.
func refusePrivate(ip netip.Addr) error {
	ip = ip.Unmap().WithZone("")
	if translated.Contains(ip) {
		// The last four bytes are where a translator sends it.
		bytes := ip.As16()
		ip = netip.AddrFrom4([4]byte(bytes[12:]))
	}
	if !ip.IsGlobalUnicast() || ip.IsPrivate() || ip.Is6() && !publicIPv6.Contains(ip) {
		return ports.ErrPrivateAddress
	}
	for _, prefix := range reserved {
		if prefix.Contains(ip) {
			return ports.ErrPrivateAddress
		}
	}
	return nil
}

var (
	// translated is IPv4 behind a translator (RFC 6052).
	translated = netip.MustParsePrefix("64:ff9b::/96")
	// publicIPv6 is all that was ever given out.
	publicIPv6 = netip.MustParsePrefix("2000::/3")
	// reserved is what the Internet does not carry, or carries to anywhere.
	//
	// Source: the IANA special-purpose address registries.
	reserved = []netip.Prefix{
		netip.MustParsePrefix("0.0.0.0/8"),       // this network
		netip.MustParsePrefix("100.64.0.0/10"),   // shared among a carrier's customers
		netip.MustParsePrefix("192.0.0.0/24"),    // protocol assignments
		netip.MustParsePrefix("192.0.2.0/24"),    // documentation
		netip.MustParsePrefix("192.88.99.0/24"),  // 6to4 relays
		netip.MustParsePrefix("198.18.0.0/15"),   // benchmarks
		netip.MustParsePrefix("198.51.100.0/24"), // documentation
		netip.MustParsePrefix("203.0.113.0/24"),  // documentation
		netip.MustParsePrefix("240.0.0.0/4"),     // future use
		netip.MustParsePrefix("2001::/23"),       // Teredo and other protocols
		netip.MustParsePrefix("2001:db8::/32"),   // documentation
		netip.MustParsePrefix("2002::/16"),       // 6to4
		netip.MustParsePrefix("3fff::/20"),       // documentation
	}
)

// dialer connects to where notifications may go.
func dialer(o Options) *net.Dialer {
	d := &net.Dialer{Timeout: tryTimeMax, Resolver: o.Resolver}
	if !o.AllowPrivate {
		d.Control = control
	}
	return d
}
