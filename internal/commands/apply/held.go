package apply

import (
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/rollout"
)

// reportHolds reports what a pass began to hold back, how to release that, and what
// is no longer held back.
func (a *applyRun) reportHolds(pass *rollout.Pass) {
	var lines []string
	losses := false
	for _, hold := range pass.NewlyHeld {
		lines = append(lines, "warning: held back: "+hold.Message)
		losses = losses || hold.Kind == rollout.HoldLoss
	}
	cmdutil.ReportLinesOrAll(a.streams, lines)
	if losses {
		a.say("hint: repair the causes, or remove the protection with 'meshctl apply --accept-loss'")
	}
	lines = nil
	for _, hold := range pass.Released {
		lines = append(lines, hold.Cluster+": no longer held back: "+hold.Subject)
	}
	cmdutil.ReportLinesOrAll(a.streams, lines)
}
