// Command meshctl configures and explains several service meshes as one.
package main

import (
	"os"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands"
	"github.com/meshctl/meshctl/internal/startup"
)

func main() {
	os.Exit(commands.Main(os.Args[1:], cli.System(), startup.Done))
}
