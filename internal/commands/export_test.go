package commands

import (
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// Patience is how long tests wait for an answer.
const Patience = patience

// StartsProcesses is for tests that run meshctl in processes of its own, hundreds
// of them, which each take seconds to start with the race detector. They run
// without it, as `make scripts`; what such processes do is run with it by
// TestExamplesInProcess.
func StartsProcesses(t *testing.T) {
	t.Helper()
	if raceDetector {
		t.Skip("it starts processes of meshctl, and runs without the race detector")
	}
}

// PatientMain is Main for tests on a machine however busy: completion does not
// give up.
func PatientMain(args []string, streams *cli.Streams) int {
	f := cmdutil.NewFactory(streams)
	f.CompletionPatience = time.Hour
	return mainWith(args, f)
}
