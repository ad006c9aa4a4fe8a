package commands

import (
	"time"

	"github.com/meshctl/meshctl/internal/cli"
)

// Factory hands the commands what they depend on. What is costly is a function,
// so that help, completion and usage errors never read a file or connect.
type Factory struct {
	Streams *cli.Streams
	Clock   cli.Clock
	// Getenv reads an environment variable, empty if it is not set.
	Getenv func(name string) string
	// Build says what this binary was built from.
	Build func() BuildInfo
	// LoadWorld loads and checks what the flags name.
	LoadWorld worldLoader

	// Verbosity counts how often -v was given. It is set once flags are parsed.
	Verbosity int
}

// NewFactory returns the factory of a real run on the given streams.
func NewFactory(streams *cli.Streams) *Factory {
	return &Factory{
		Streams:   streams,
		Clock:     time.Now,
		Getenv:    streams.Getenv,
		Build:     readBuildInfo,
		LoadWorld: loadWorld,
	}
}
