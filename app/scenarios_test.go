package app_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestScenariosAreTested holds docs/test-scenarios.md to the tests that it names: each is there,
// and each row names one.
func TestScenariosAreTested(t *testing.T) {
	t.Parallel()
	there := testsOfTheModule(t)
	document, err := os.ReadFile("../docs/test-scenarios.md")
	require.NoError(t, err)
	named := regexp.MustCompile("`(Test[A-Za-z0-9_]+)`")
	chapter := regexp.MustCompile(`"([a-z][^"]+)"`)
	rows := 0
	for line := range strings.Lines(string(document)) {
		if !strings.HasPrefix(line, "| ") || strings.HasPrefix(line, "| case") || strings.HasPrefix(line, "| ---") {
			continue
		}
		rows++
		cells := strings.Split(strings.Trim(line, "| \n"), " | ")
		require.Len(t, cells, 3, line)
		tests, chapters := named.FindAllStringSubmatch(cells[2], -1), chapter.FindAllStringSubmatch(cells[2], -1)
		require.NotEmpty(t, append(tests, chapters...), "no test is named: %s", line)
		for _, one := range tests {
			require.Contains(t, there.functions, one[1], "there is no such test: %s", line)
		}
		for _, one := range chapters {
			require.Contains(t, there.text, `"`+one[1]+`"`, "there is no such chapter or story: %s", line)
		}
	}
	require.Greater(t, rows, 20)
}

// moduleTests is what the module's tests are called.
type moduleTests struct {
	functions map[string]bool
	text      string // of all files that hold tests or suites
}

func testsOfTheModule(t *testing.T) moduleTests {
	t.Helper()
	found := moduleTests{functions: map[string]bool{}}
	function := regexp.MustCompile(`(?m)^func (Test[A-Za-z0-9_]+)\(`)
	var text strings.Builder
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		suite := strings.Contains(filepath.ToSlash(path), "/portstest/")
		if !suite && !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		text.Write(content)
		for _, one := range function.FindAllStringSubmatch(string(content), -1) {
			found.functions[one[1]] = true
		}
		return nil
	})
	require.NoError(t, err)
	found.text = text.String()
	return found
}
