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
