package commands

import (
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// Patience is how long tests wait for output.
const Patience = patience

// StartsProcesses marks tests that run meshctl in hundreds of processes, each of which takes
// seconds to start with the race detector. They run without it, as `make scripts`;
// TestExamplesInProcess covers the same code with it.
func StartsProcesses(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("it starts processes of meshctl, and runs without the race detector")
	}
}

// PatientMain is Main for tests on busy machines: completion has no timeout.
func PatientMain(args []string, streams *cli.Streams) int {
	f := cmdutil.NewFactory(streams)
	f.CompletionPatience = time.Hour
	return mainWith(args, f)
}
