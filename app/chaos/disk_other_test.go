//go:build !linux

package chaos_test

import "errors"

func fillDisk(int, bool) error { return errors.New("a process's limits can be changed on Linux alone") }
