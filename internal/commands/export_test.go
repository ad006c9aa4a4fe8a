package commands

import (
	"time"

	"github.com/meshctl/meshctl/internal/cli"
)

// PatientMain is Main for tests on a machine however busy: completion does not
// give up.
func PatientMain(args []string, streams *cli.Streams) int {
	f := NewFactory(streams)
	f.CompletionPatience = time.Hour
	return mainWith(args, f)
}
