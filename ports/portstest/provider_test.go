package portstest_test

import (
	"testing"

	"github.com/paydesk/paydesk/core"
	"github.com/paydesk/paydesk/ports"
	"github.com/paydesk/paydesk/ports/portstest"
)

func TestFakeProvider(t *testing.T) {
	t.Parallel()
	portstest.RunProvider(t, func(*testing.T) (ports.Provider, portstest.FarEnd) {
		fake := portstest.NewFakeProvider("stripe", core.EnvTest)
		return fake, fake
	})
}

func TestFakeProviderThatHoldsNothingAtItsPage(t *testing.T) {
	t.Parallel()
	portstest.RunProvider(t, func(*testing.T) (ports.Provider, portstest.FarEnd) {
		fake := portstest.NewFakeProvider("stripe", core.EnvTest)
		fake.SetCapabilities(func(can *ports.Capabilities) { can.HostedManualCapture = false })
		return fake, fake
	})
}

func TestFakeProviderThatTakesItsTime(t *testing.T) {
	t.Parallel()
	portstest.RunProvider(t, func(*testing.T) (ports.Provider, portstest.FarEnd) {
		fake := portstest.NewFakeProvider("stripe", core.EnvTest)
		fake.SlowRefunds()
		fake.NamelessRefunds()
		return fake, fake
	})
}

func TestFakeProviderThatListsNothing(t *testing.T) {
	t.Parallel()
	portstest.RunProvider(t, func(*testing.T) (ports.Provider, portstest.FarEnd) {
		fake := portstest.NewFakeProvider("stripe", core.EnvTest)
		fake.SetCapabilities(func(can *ports.Capabilities) { can.EventsKept, can.Lists, can.Webhooks = 0, nil, false })
		return fake, fake
	})
}

func TestFakeConfirmer(t *testing.T) {
	t.Parallel()
	for name, mode := range map[string]ports.ConfirmMode{"after approval": ports.ConfirmAfterApproval, "with a source": ports.ConfirmWithSource} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			portstest.RunProvider(t, func(*testing.T) (ports.Provider, portstest.FarEnd) {
				fake := portstest.NewFakeProvider("stripe", core.EnvTest).Confirming(mode)
				return fake, fake
			})
		})
	}
}
