package notifier_test

import (
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/net/dns/dnsmessage"

	"github.com/paydesk/paydesk/adapters/notifier"
	"github.com/paydesk/paydesk/adapters/system"
	"github.com/paydesk/paydesk/ports"
)

// names is a name server whose answers change under its callers.
type names struct {
	answer atomic.Pointer[netip.Addr] // nil for no such name
}

func (n *names) resolver(t *testing.T) *net.Resolver {
	t.Helper()
	server, err := new(net.ListenConfig).ListenPacket(t.Context(), "udp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { _ = server.Close() })
	go func() {
		question := make([]byte, 512)
		for {
			size, from, err := server.ReadFrom(question)
			if err != nil {
				return
			}
			if reply, err := n.reply(question[:size]); err == nil {
				_, _ = server.WriteTo(reply, from)
			}
		}
	}()
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "udp", server.LocalAddr().String())
	}}
}

func (n *names) reply(question []byte) ([]byte, error) {
	var asked dnsmessage.Message
	if err := asked.Unpack(question); err != nil {
		return nil, err
	}
	said := dnsmessage.Message{Header: dnsmessage.Header{ID: asked.ID, Response: true, RecursionAvailable: true}, Questions: asked.Questions}
	header := dnsmessage.ResourceHeader{Name: asked.Questions[0].Name, Class: dnsmessage.ClassINET}
	ip := n.answer.Load()
	switch {
	case ip == nil:
		said.RCode = dnsmessage.RCodeNameError
	case ip.Is4() && asked.Questions[0].Type == dnsmessage.TypeA:
		said.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AResource{A: ip.As4()}}}
	case ip.Is6() && asked.Questions[0].Type == dnsmessage.TypeAAAA:
		said.Answers = []dnsmessage.Resource{{Header: header, Body: &dnsmessage.AAAAResource{AAAA: ip.As16()}}}
	}
	return said.Pack()
}

// unreachable is a server that fails the test when it is called.
func unreachable(t *testing.T) (port string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("reached") }))
	t.Cleanup(server.Close)
	return strconv.Itoa(server.Listener.Addr().(*net.TCPAddr).Port)
}

func TestANameThatPointsElsewhereLaterIsRefusedWhenConnecting(t *testing.T) {
	t.Parallel()
	port := unreachable(t)
	for _, later := range []string{"127.0.0.1", "::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "10.1.2.3", "169.254.169.254", "fe80::1", "fd00::1"} {
		names := new(names)
		sender, err := notifier.New(notifier.Options{Wall: system.NewClock(), Resolver: names.resolver(t)})
		require.NoError(t, err)
		address := "http://shop.example:" + port + "/hooks"
		first, then := netip.MustParseAddr("93.184.215.14"), netip.MustParseAddr(later)
		names.answer.Store(&first)
		require.NoError(t, sender.Check(t.Context(), address), "it is public when it is registered")
		names.answer.Store(&then)
		outcome, err := sender.Notify(t.Context(), ports.Notification{ID: "msg_1", URL: address, Secrets: []string{secret}})
		require.ErrorIs(t, err, ports.ErrPrivateAddress, later)
		require.Zero(t, outcome.Status)
		require.ErrorIs(t, sender.Check(t.Context(), address), ports.ErrPrivateAddress, later)
	}
}

func TestANameThatDoesNotResolveYetCanBeRegistered(t *testing.T) {
	t.Parallel()
	sender, err := notifier.New(notifier.Options{Wall: system.NewClock(), Resolver: new(names).resolver(t)})
	require.NoError(t, err)
	require.NoError(t, sender.Check(t.Context(), "https://soon.example"))
	_, err = sender.Notify(t.Context(), ports.Notification{ID: "msg_1", URL: "https://soon.example", Secrets: []string{secret}})
	require.ErrorContains(t, err, "could not be reached")
}

func TestPrivateAddressesAreRefused(t *testing.T) {
	t.Parallel()
	port := unreachable(t)
	for _, host := range []string{
		"127.0.0.1", "127.8.8.8", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
		"192.0.0.8", "198.18.0.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
		"[::]", "[::1]", "[::7f00:1]", "[::ffff:127.0.0.1]", "[::ffff:10.0.0.1]", "[64:ff9b::a00:1]", "[64:ff9b:1::1]", "[fe80::1]", "[fec0::1]",
		"[fd00::1]", "[ff02::1]", "[100::1]", "[2001::1]", "[2001:db8::1]", "[2002:7f00:1::]",
	} {
		address := "http://" + host + ":" + port
		require.ErrorIs(t, open(t, false).Check(t.Context(), address), ports.ErrPrivateAddress, host)
		_, err := open(t, false).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: address, Secrets: []string{secret}})
		require.ErrorIs(t, err, ports.ErrPrivateAddress, host)
		require.NoError(t, open(t, true).Check(t.Context(), address), "a trial may")
	}
	// Spellings that the machine's own resolver may read as an address.
	for _, host := range []string{"localhost", "2130706433", "0x7f000001", "127.1"} {
		_, err := open(t, false).Notify(t.Context(), ports.Notification{ID: "msg_1", URL: "http://" + host + ":" + port, Secrets: []string{secret}})
		require.Error(t, err, host)
	}
	for _, host := range []string{"93.184.215.14", "[2606:2800:21f:cb07::1]", "[64:ff9b::5db8:d70e]", "[::ffff:93.184.215.14]"} {
		require.NoError(t, open(t, false).Check(t.Context(), "https://"+host), host)
	}
}
