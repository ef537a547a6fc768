package chaos_test

import (
	"syscall"
	"unsafe"
)

const (
	rlimitFileSize = 1
	noLimit        = ^uint64(0)
)

// fillDisk has every write to a file by a process fail from now on, or work again.
func fillDisk(pid int, full bool) error {
	limit := struct{ soft, hard uint64 }{noLimit, noLimit}
	if full {
		limit.soft = 0
	}
	_, _, errno := syscall.RawSyscall6(syscall.SYS_PRLIMIT64, uintptr(pid), rlimitFileSize, uintptr(unsafe.Pointer(&limit)), 0, 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
