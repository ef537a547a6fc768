package httpedge_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/paydesk/paydesk/adapters/httpedge"
)

func TestSessionCookie(t *testing.T) {
	t.Parallel()
	plain, secure := httpedge.SessionCookie("abc", false, time.Hour), httpedge.SessionCookie("abc", true, time.Hour)
	require.Equal(t, "paydesk_session=abc; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax", plain.String())
	require.Equal(t, "__Host-paydesk_session=abc; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax", secure.String())
	require.Equal(t, "paydesk_session=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax", httpedge.SessionCookie("", false, time.Hour).String())
	for _, cookie := range []*http.Cookie{plain, secure} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", http.NoBody)
		r.AddCookie(cookie)
		want := map[bool]string{cookie.Secure: "abc", !cookie.Secure: ""}
		for over, token := range want {
			require.Equal(t, token, httpedge.SessionToken(r, over))
		}
	}
}
