package e2e_test

import (
	"testing"

	"github.com/paydesk/paydesk/app/apptest"
)

func TestMain(m *testing.M) { apptest.Main(m) }
