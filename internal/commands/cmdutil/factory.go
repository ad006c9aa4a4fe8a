package cmdutil

import (
	"os"
	"time"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/buildinfo"
	"github.com/meshctl/meshctl/internal/commands/settings"
)

// Factory provides the dependencies of commands. Expensive ones are functions, so that help,
// completion and usage errors neither read files nor connect to clusters.
type Factory struct {
	Streams *cli.Streams
	Clock   cli.Clock
	// Getenv reads an environment variable, empty if it is not set.
	Getenv func(name string) string
	// Build returns the build information of this binary.
	Build func() buildinfo.Info
	// Environ lists the environment as NAME=VALUE.
	Environ func() []string
	// Settings returns the settings from flags, environment and configuration file. They are
	// loaded on the first call.
	Settings func() (*settings.Settings, error)
	// LoadWorld loads and validates the world selected by the flags.
	LoadWorld WorldLoader

	// CompletionPatience limits how long a completion may take. If the world takes longer to
	// load, nothing is offered.
	CompletionPatience time.Duration
	// ConfigFile is the value of --config.
	ConfigFile string

	// BeginsWork is called before a command reads anything.
	BeginsWork func()
	// Interrupts are the signals that end a command.
	Interrupts Interrupts
	// worlds are the world flags of each command that has a world.
	worlds map[*cobra.Command]*WorldFlags
	// given are the flags on the command line that have a setting, by the key of the setting.
	given map[string]settings.Flag
	// running is the command being executed. management is the context of the management
	// cluster, set once it is connected.
	running    *cobra.Command
	management string
	// warnedEmpty is true if the user has been told that the management cluster is empty.
	warnedEmpty bool
	// waiting reports which clusters the command is waiting for.
	waiting *cli.Waiting
	// loaded are the settings once they have been read.
	loaded *settings.Settings
}

// NewFactory returns the default factory for the given streams.
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
