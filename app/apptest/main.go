package apptest

import (
	"flag"
	"os"
	"testing"
)

// testsAtOnce is how many tests of the whole program run at the same time where nobody says
// otherwise: they wait for other processes more than they work.
const testsAtOnce = "6"

// Main runs the tests of a package that starts the program. It is for TestMain.
func Main(m *testing.M) {
	flag.Parse()
	said := false
	flag.Visit(func(f *flag.Flag) { said = said || f.Name == "test.parallel" })
	if !said {
		if err := flag.Set("test.parallel", testsAtOnce); err != nil {
			panic(err) // the testing package has this flag
		}
	}
	os.Exit(m.Run())
}
