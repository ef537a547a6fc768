// Command paydesk is a self-hosted payment service; `paydesk --help` tells its commands.
package main

import (
	"os"

	"github.com/paydesk/paydesk/app/cli"
)

func main() {
	os.Exit(cli.Main(os.Args[1:], cli.Process{
		Stdout: os.Stdout, Stderr: os.Stderr, Environ: os.Environ(), LookupEnv: os.LookupEnv,
	}, cli.Injectors{App: newApp, Tools: newTools}))
}
