package cmdutil

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/buildinfo"
	"github.com/meshctl/meshctl/internal/commands/settings"
)

// Factory hands the commands what they depend on. What is costly is a function,
// so that help, completion and usage errors never read a file or connect.
type Factory struct {
	Streams *cli.Streams
	Clock   cli.Clock
	// Getenv reads an environment variable, empty if it is not set.
	Getenv func(name string) string
	// Build says what this binary was built from.
	Build func() buildinfo.Info
	// Environ lists the environment as NAME=VALUE.
	Environ func() []string
	// Settings returns what the user chose by flags, environment and
	// configuration file, which it reads when it is first called.
	Settings func() (*settings.Settings, error)
	// LoadWorld loads and checks what the flags name.
	LoadWorld WorldLoader

	// CompletionPatience is how long a shell waits for choices. A world that takes
	// longer to load offers none.
	CompletionPatience time.Duration
	// ConfigFile is the value of --config, empty if it is not given.
	ConfigFile string

	// BeginsWork is called before a command reads anything.
	BeginsWork func()
	// Interrupts are the signals that end a command.
	Interrupts Interrupts
	// worlds are what names the world of each command that has one.
	worlds map[*cobra.Command]*WorldFlags
	// given are the flags of the command line that have a setting, by its key.
	given map[string]settings.Flag
	// running is the command that runs, management the context of the management
	// cluster once it is connected to; empty without one.
	running    *cobra.Command
	management string
	// toldEmpty says that the user knows that the management cluster is empty.
	toldEmpty bool
	// waiting says which clusters are waited for.
	waiting *cli.Waiting
	// loaded are the settings once they have been read.
	loaded *settings.Settings
}

// NewFactory returns the factory of a real run on the given streams.
func NewFactory(streams *cli.Streams) *Factory {
	f := &Factory{
		Streams: streams,
		Clock:   time.Now,
		Getenv:  streams.Getenv,
		Environ: os.Environ,
		Build:   buildinfo.Read,

		CompletionPatience: completionPatience,

		BeginsWork: func() {},
		waiting:    cli.NewWaiting(streams, time.Now),
		worlds:     map[*cobra.Command]*WorldFlags{},
	}
	f.Settings = f.loadSettings
	f.LoadWorld = f.loadWorld
	return f
}
