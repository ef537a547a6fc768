package app_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"maps"
	"math/big"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/app"
	"github.com/paydesk/paydesk/core"
)

func lookup(values map[string]string) func(string) (string, bool) {
	return func(name string) (string, bool) {
		value, ok := values[name]
		return value, ok
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	config, err := app.ReadConfig(lookup(nil), nil)
	require.NoError(t, err)
	require.Equal(t, core.EnvTest, config.Environment)
	require.Equal(t, "sqlite:.paydesk/paydesk.db", config.DatabaseURL)
	require.Equal(t, "spool:.paydesk/journal", config.Journal)
	require.Equal(t, "127.0.0.1:8080", config.PublicAddr)
	require.Equal(t, "127.0.0.1:8081", config.AdminAddr)
	require.Equal(t, "127.0.0.1:8082", config.OpsAddr)
	require.EqualValues(t, "http://127.0.0.1:8080", config.PublicURL)
	require.Empty(t, config.Accounts, "a provider without credentials is off")
}

func TestWhatIsSetWins(t *testing.T) {
	t.Parallel()
	config, err := app.ReadConfig(lookup(map[string]string{
		"PAYDESK_PUBLIC_ADDR": "127.0.0.1:9000", "PAYDESK_OPS_ADDR": "",
		"PAYDESK_ALLOWED_RETURN_ORIGINS": "https://a.example, https://b.example",
		"PAYDESK_STRIPE_SECRET_KEY":      "sk_test_x", "PAYDESK_STRIPE_PUBLISHABLE_KEY": "pk_test_x",
		"PAYDESK_STRIPE_WEBHOOK_SECRETS": "whsec_new,whsec_old",
		"PAYDESK_BOOTSTRAP_STAFF":        "a@shop.test:pass:finance:token:with:colons",
	}), map[string]string{"PAYDESK_ADMIN_ADDR": "127.0.0.1:9001", "PAYDESK_PUBLIC_ADDR": "127.0.0.1:1"})
	require.NoError(t, err)
	require.Equal(t, "127.0.0.1:9000", config.PublicAddr)
	require.EqualValues(t, "http://127.0.0.1:9000", config.PublicURL, "buyers find the listener where nothing else is said")
	require.Equal(t, "127.0.0.1:9001", config.AdminAddr)
	require.Equal(t, "127.0.0.1:8082", config.OpsAddr, "an empty value counts as unset")
	require.Equal(t, []string{"https://a.example", "https://b.example"}, config.ReturnOrigins)
	require.Equal(t, []string{"whsec_new", "whsec_old"}, config.Account("stripe").Stripe.WebhookSecrets)
	require.Equal(t, core.RoleFinance, config.BootstrapStaff.Role)
	require.Equal(t, "token:with:colons", config.BootstrapStaff.Token)
}

// live is a configuration that live accepts.
func live() map[string]string {
	return map[string]string{
		"PAYDESK_ENV": "live", "PAYDESK_PUBLIC_URL": "https://pay.shop.example",
		"PAYDESK_ENCRYPTION_KEYS":        "k1:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"PAYDESK_STRIPE_SECRET_KEY":      "sk_live_x",
		"PAYDESK_STRIPE_PUBLISHABLE_KEY": "pk_live_x", "PAYDESK_STRIPE_WEBHOOK_SECRETS": "whsec_x",
		"PAYDESK_PAYPAL_CLIENT_ID": "client", "PAYDESK_PAYPAL_CLIENT_SECRET": "HUSH", "PAYDESK_PAYPAL_WEBHOOK_ID": "WH-1",
		"PAYDESK_SQUARE_ACCESS_TOKEN": "HUSH", "PAYDESK_SQUARE_APPLICATION_ID": "sq0idp-x", "PAYDESK_SQUARE_LOCATION_ID": "L1",
		"PAYDESK_SQUARE_WEBHOOK_KEYS": "HUSH",
	}
}

// test is a configuration that test accepts.
func test() map[string]string {
	values := live()
	maps.Copy(values, map[string]string{
		"PAYDESK_ENV": "test", "PAYDESK_STRIPE_SECRET_KEY": "sk_test_x", "PAYDESK_STRIPE_PUBLISHABLE_KEY": "pk_test_x",
		"PAYDESK_SQUARE_APPLICATION_ID": "sandbox-sq0idb-x",
	})
	return values
}

func TestLiveIsAccepted(t *testing.T) {
	t.Parallel()
	_, err := app.ReadConfig(lookup(live()), nil)
	require.NoError(t, err)
}

// Test and live never mix, and every refusal names its variable and shows no value.
func TestWrongConfigurationsAreRefused(t *testing.T) {
	t.Parallel()
	roots := filepath.Join(t.TempDir(), "roots.pem")
	require.NoError(t, os.WriteFile(roots, certificate(t), 0o600))
	for _, c := range []struct{ variable, value string }{
		{"PAYDESK_ENV", "production"},
		{"PAYDESK_DATABASE_URL", "mysql://localhost/HUSH"},
		{"PAYDESK_DATABASE_URL", "sqlite:"},
		{"PAYDESK_JOURNAL", "spool:"},
		{"PAYDESK_JOURNAL", "HUSH"},
		{"PAYDESK_PUBLIC_ADDR", "8080"},
		{"PAYDESK_PUBLIC_URL", "https://pay.shop.example/HUSH"},
		{"PAYDESK_PUBLIC_URL", "http://pay.shop.example"},
		{"PAYDESK_ALLOWED_RETURN_ORIGINS", "https://shop.example/HUSH"},
		{"PAYDESK_ENCRYPTION_KEYS", ""},
		{"PAYDESK_STRIPE_SECRET_KEY", "sk_test_HUSH"},
		{"PAYDESK_STRIPE_SECRET_KEY", "HUSH"},
		{"PAYDESK_STRIPE_PUBLISHABLE_KEY", "pk_test_HUSH"},
		{"PAYDESK_STRIPE_PUBLISHABLE_KEY", ""},
		{"PAYDESK_STRIPE_WEBHOOK_SECRETS", ""},
		{"PAYDESK_STRIPE_API_BASE", "http://127.0.0.1:8090/stripe"},
		{"PAYDESK_STRIPE_API_BASE", "HUSH"},
		{"PAYDESK_STRIPE_FILES_BASE", "http://127.0.0.1:8090/stripe"},
		{"PAYDESK_STRIPE_FILES_BASE", "HUSH"},
		{"PAYDESK_PAYPAL_CLIENT_ID", ""},
		{"PAYDESK_PAYPAL_CLIENT_SECRET", ""},
		{"PAYDESK_PAYPAL_WEBHOOK_ID", ""},
		{"PAYDESK_PAYPAL_WEBHOOK_VERIFICATION", "never"},
		{"PAYDESK_PAYPAL_WEBHOOK_ROOTS", roots},
		{"PAYDESK_PAYPAL_WEBHOOK_ROOTS", "/nowhere/HUSH"},
		{"PAYDESK_PAYPAL_WEBHOOK_INTERMEDIATES", "/nowhere/HUSH"},
		{"PAYDESK_PAYPAL_API_BASE", "http://127.0.0.1:8090/paypal"},
		{"PAYDESK_PAYPAL_API_BASE", "https://api-m.sandbox.paypal.com"},
		{"PAYDESK_PAYPAL_API_BASE", "http://api-m.paypal.com"},
		{"PAYDESK_PAYPAL_API_BASE", "https://api-m.paypal.com:8443"},
		{"PAYDESK_PAYPAL_API_BASE", "https://api-m.paypal.com.HUSH.example"},
		{"PAYDESK_SQUARE_APPLICATION_ID", ""},
		{"PAYDESK_SQUARE_APPLICATION_ID", "sandbox-sq0idb-x"},
		{"PAYDESK_SQUARE_LOCATION_ID", ""},
		{"PAYDESK_SQUARE_WEBHOOK_KEYS", ""},
		{"PAYDESK_SQUARE_WEBHOOK_URL", "HUSH"},
		{"PAYDESK_SQUARE_API_BASE", "http://127.0.0.1:8090/square"},
		{"PAYDESK_SQUARE_API_BASE", "https://connect.squareupsandbox.com"},
		{"PAYDESK_BOOTSTRAP_API_KEY", "pd_test_SECRET_HUSH"},
		{"PAYDESK_BOOTSTRAP_API_KEY", "pd_live_HUSH"},
		{"PAYDESK_BOOTSTRAP_STAFF", "HUSH"},
		{"PAYDESK_BOOTSTRAP_STAFF", "a@shop.test:HUSH:owner"},
		{"PAYDESK_LOG_LEVEL", "loud"},
	} {
		t.Run(c.variable+"="+c.value, func(t *testing.T) {
			t.Parallel()
			values := live()
			values[c.variable] = c.value
			_, err := app.ReadConfig(lookup(values), nil)
			var refused *app.ConfigError
			require.ErrorAs(t, err, &refused)
			require.Equal(t, c.variable, refused.Variable)
			require.NotContains(t, err.Error(), "HUSH")
		})
	}
}

// Live credentials stop a test house, and the addresses of real money do.
func TestNothingLiveInTest(t *testing.T) {
	t.Parallel()
	config, err := app.ReadConfig(lookup(test()), nil)
	require.NoError(t, err)
	require.Len(t, config.Accounts, 3)
	for _, c := range []struct{ variable, value string }{
		{"PAYDESK_STRIPE_SECRET_KEY", "sk_live_HUSH"},
		{"PAYDESK_STRIPE_SECRET_KEY", "rk_live_HUSH"},
		{"PAYDESK_STRIPE_PUBLISHABLE_KEY", "pk_live_HUSH"},
		{"PAYDESK_PAYPAL_API_BASE", "https://api-m.paypal.com"},
		{"PAYDESK_PAYPAL_API_BASE", "https://API.PayPal.com/"},
		{"PAYDESK_SQUARE_API_BASE", "https://connect.squareup.com"},
		{"PAYDESK_SQUARE_APPLICATION_ID", "sq0idp-HUSH"},
		{"PAYDESK_BOOTSTRAP_API_KEY", "pd_live_HUSH"},
	} {
		values := test()
		values[c.variable] = c.value
		_, err := app.ReadConfig(lookup(values), nil)
		var refused *app.ConfigError
		require.ErrorAs(t, err, &refused, c.value)
		require.Equal(t, c.variable, refused.Variable)
		require.NotContains(t, err.Error(), "HUSH")
	}
}

// certificate is one in PEM, of nobody.
func certificate(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	made, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, key.Public(), key)
	require.NoError(t, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: made})
}

func TestUnknownVariablesAreFound(t *testing.T) {
	t.Parallel()
	require.Equal(t, []string{"PAYDESK_PUBLIC_ADR", "PAYDESK_STRIP_SECRET_KEY"}, app.UnknownVariables([]string{
		"PAYDESK_STRIP_SECRET_KEY=x", "PAYDESK_PUBLIC_ADR=y", "PAYDESK_ENV=test", "HOME=/", "PAYDESK_TEST_POSTGRES_URL=z",
	}))
}
