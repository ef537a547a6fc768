// Package migrations holds the schema of both databases as numbered SQL files, the same
// numbers for each, and applies them up and down. It knows database/sql alone: who opens
// the database, takes the lock under which the schema changes and adds the tables of the
// job queue is the store.
//
// A merged file never changes; checksums.txt holds them all and a test compares. What
// must be different later is a new number.
package migrations

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"regexp"
	"strconv"
)

// Version is the number of the latest migration: the one schema that this program
// works with.
const Version = 18

// Dialect is which database a schema is for, and the folder its files lie in.
type Dialect string

// The databases.
const (
	SQLite   Dialect = "sqlite"
	Postgres Dialect = "postgres"
)

//go:embed sqlite/*.sql postgres/*.sql
var files embed.FS

// Migration is one step of the schema.
type Migration struct {
	Version  int
	Name     string
	Up       string // SQL, several statements
	Down     string // SQL that takes back what Up did
	Checksum string // SHA-256 of Up, in hexadecimal
}

var fileName = regexp.MustCompile(`^(\d{4})_([a-z0-9_]+)\.(up|down)\.sql$`)

// List gives a database's migrations in order: 1, 2, 3 and so on without a gap, each
// with both directions. Files that break this are an error.
func List(d Dialect) ([]Migration, error) {
	entries, err := fs.ReadDir(files, string(d))
	if err != nil {
		return nil, fmt.Errorf("list migrations of %q: %w", d, err)
	}
	var list []Migration
	for _, entry := range entries { // sorted by name, so that down comes before up
		parts := fileName.FindStringSubmatch(entry.Name())
		if parts == nil {
			return nil, fmt.Errorf("migration file %s/%s has no proper name", d, entry.Name())
		}
		text, err := files.ReadFile(string(d) + "/" + entry.Name())
		if err != nil {
			return nil, fmt.Errorf("read migration: %w", err)
		}
		version, err := strconv.Atoi(parts[1])
		if err != nil {
			return nil, fmt.Errorf("number of migration: %w", err)
		}
		if len(list) == 0 || list[len(list)-1].Version != version {
			list = append(list, Migration{Version: version, Name: parts[2]})
		}
		last := &list[len(list)-1]
		if last.Name != parts[2] {
			return nil, fmt.Errorf("two migrations of %s have the number %d", d, version)
		}
		if parts[3] == "down" {
			last.Down = string(text)
			continue
		}
		sum := sha256.Sum256(text)
		last.Up, last.Checksum = string(text), hex.EncodeToString(sum[:])
	}
	for i, m := range list {
		if m.Version != i+1 || m.Up == "" || m.Down == "" {
			return nil, fmt.Errorf("migrations of %s: number %d is missing or lacks a direction", d, i+1)
		}
	}
	return list, nil
}
