package app

import (
	"runtime"
	"runtime/debug"
)

// Version is the program's version. Releases set it by a linker flag.
var Version = "0.1.0-dev"

// Commit is the source's revision as the Go toolchain recorded it, or "unknown".
func Commit() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			return setting.Value
		}
	}
	return "unknown"
}

// GoVersion is the toolchain that built the program.
func GoVersion() string { return runtime.Version() }
