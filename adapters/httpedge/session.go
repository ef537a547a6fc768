package httpedge

import (
	"net/http"
	"time"
)

// The cookie of a session of staff. Browsers accept the name with the prefix over https alone, and
// send it to this host and no other.
const (
	sessionCookie       = "paydesk_session"
	sessionCookieSecure = "__Host-" + sessionCookie
)

// SessionCookie carries the token of a session for as long as it can last; an empty token makes the
// browser forget it. secure tells whether browsers come by https.
func SessionCookie(token string, secure bool, lasts time.Duration) *http.Cookie {
	cookie := &http.Cookie{
		Name: sessionCookie, Value: token, Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: int(lasts / time.Second),
	}
	if secure {
		cookie.Name, cookie.Secure = sessionCookieSecure, true
	}
	if token == "" {
		cookie.MaxAge = -1
	}
	return cookie
}

// SessionToken reads what the cookie of a session carries; empty for none. Over https, one that could
// have been set by a page over http is not read.
func SessionToken(r *http.Request, secure bool) string {
	name := sessionCookie
	if secure {
		name = sessionCookieSecure
	}
	cookie, err := r.Cookie(name)
	if err != nil {
		return ""
	}
	return cookie.Value
}
