//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	// majorMin is the oldest PostgreSQL that Paydesk supports.
	majorMin = 15
	// askBinaryMax is how long a binary may take to tell its version or a folder.
	askBinaryMax = 10 * time.Second
)

// folderPatterns are where packages put the server binaries outside of PATH, several versions side by side.
var folderPatterns = []string{
	"/usr/lib/postgresql/*/bin", // Debian, Ubuntu
	"/usr/pgsql-*/bin",          // PostgreSQL's own packages for Red Hat and its kin
	"/opt/homebrew/opt/postgresql@*/bin",
	"/usr/local/opt/postgresql@*/bin",
}

var versionPattern = regexp.MustCompile(`\(PostgreSQL\) (\d+)`)

// findBinaries returns the folder that holds initdb and postgres: what is on PATH first, then what pg_config names,
// then the newest of the packaged ones.
func findBinaries(ctx context.Context) (string, error) {
	var folders []string
	if path, err := exec.LookPath("initdb"); err == nil {
		folders = append(folders, filepath.Dir(path))
	}
	if folder, err := ask(ctx, "pg_config", "--bindir"); err == nil {
		folders = append(folders, folder)
	}
	for _, pattern := range folderPatterns {
		found, err := filepath.Glob(pattern)
		if err != nil {
			return "", fmt.Errorf("look for %s: %w", pattern, err)
		}
		slices.Reverse(found) // Glob sorts; major versions have had two digits since 2017
		folders = append(folders, found...)
	}

	var tooOld []string
	for _, folder := range folders {
		major, err := majorOf(ctx, folder)
		switch {
		case err != nil: // client programs only, or nothing: look on
		case major < majorMin:
			tooOld = append(tooOld, fmt.Sprintf("%d in %s", major, folder))
		default:
			return folder, nil
		}
	}
	if len(tooOld) > 0 {
		return "", fmt.Errorf("PostgreSQL %d or newer is needed, found only %s", majorMin, strings.Join(tooOld, ", "))
	}
	return "", fmt.Errorf("no PostgreSQL server binaries (initdb, postgres) on PATH or in a packaged folder: "+
		"install PostgreSQL %d or newer (Debian: apt-get install postgresql), or set %s", majorMin, urlVariable)
}

// majorOf returns the major version of the server in folder, and an error if there is no complete one.
func majorOf(ctx context.Context, folder string) (int, error) {
	if _, err := os.Stat(filepath.Join(folder, "initdb")); err != nil {
		return 0, err
	}
	said, err := ask(ctx, filepath.Join(folder, "postgres"), "--version")
	if err != nil {
		return 0, err
	}
	match := versionPattern.FindStringSubmatch(said)
	if match == nil {
		return 0, errors.New("unreadable version: " + said)
	}
	return strconv.Atoi(match[1])
}

// ask runs a program that prints one line and returns the line.
func ask(ctx context.Context, program string, args ...string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, askBinaryMax)
	defer cancel()
	said, err := exec.CommandContext(ctx, program, args...).Output()
	if err != nil {
		return "", fmt.Errorf("ask %s: %w", program, err)
	}
	return strings.TrimSpace(string(said)), nil
}
