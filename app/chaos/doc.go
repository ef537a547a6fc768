// Package chaos breaks the real program while it trades, and then holds what it kept to what the
// providers hold. It consists of tests alone.
package chaos
