package model

import "github.com/paydesk/paydesk/core"

// HasToken reports whether scripts may come in as them.
func (s Staff) HasToken() bool { return s.TokenHash != "" }

// AsksForCode reports whether codes of an app are asked for.
func (s Staff) AsksForCode() bool { return s.CodeSecret != "" }

// Session is a member of staff at a browser.
type Session struct{ core.Session }

// Agent is nil where the browser said nothing.
func (s Session) Agent() *string { return optional(s.Session.Agent) }

// APIKey lets a storefront call the API.
type APIKey struct{ core.APIKey }
