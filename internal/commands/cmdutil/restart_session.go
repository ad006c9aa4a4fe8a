package cmdutil

import (
	"context"
	"fmt"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/restart"
)

// RestartSession runs the restart of a fleet and prints progress and results on standard
// error. It is shared by all commands that restart workloads.
type RestartSession struct {
	Fleet    *restart.Fleet
	Progress *RestartProgress
	How      restart.RunOptions
	// PlanOnly restarts nothing. Everything also restarts workloads that need no restart.
	PlanOnly, Everything bool
	// Discovered is true if the world comes from the management cluster, which records the
	// addresses of pods.
	Discovered bool
	// Incomplete is true if part of the input is missing.
	Incomplete bool
}

// Writes reports whether anything is written.
func (s *RestartSession) Writes() bool { return !s.PlanOnly && !s.How.DryRun }

// ReportFailures prints why meshes cannot be restarted.
func (s *RestartSession) ReportFailures() {
	for i := range s.Fleet.Meshes {
		if m := &s.Fleet.Meshes[i]; m.Err != nil {
			s.Progress.Line("error: %s", m.Err)
		}
	}
}

// CheckPermissions prints the meshes that meshctl is not permitted to restart.
func (s *RestartSession) CheckPermissions(ctx context.Context) {
	for _, m := range s.Fleet.CheckPermissions(ctx) {
		s.Progress.Line("error: %s", m.Err)
	}
}

// RunFleet runs the plans, in parallel for different clusters.
func (s *RestartSession) RunFleet(ctx context.Context) {
	if s.PlanOnly {
		return
	}
	if s.Writes() {
		s.Progress.Line("The restarts of this run are marked %s.", s.Fleet.RestartedAt)
	}
	s.Fleet.Run(ctx, s.How, s.Progress.observe)
	s.Progress.end()
}

// ExplainNothing prints why nothing is restarted.
func (s *RestartSession) ExplainNothing() {
	if len(s.Fleet.Meshes) > 0 {
		s.Progress.Line("%s", s.nothingText(s.Fleet.Idle()))
	}
}

func (s *RestartSession) nothingText(idle restart.Idle) string {
	const anyway = "Pass --all-workloads to restart anyway."
	switch {
	case idle.Unknown == len(s.Fleet.Meshes):
		return "Cannot determine which workloads need a restart; see the errors above."
	case idle.Unknown > 0:
		return fmt.Sprintf("Cannot determine which workloads of %s need a restart; see the errors above. No other workload is restarted.", text.Count(idle.Unknown, "mesh"))
	case idle.Manual > 0:
		return "No workload needs a restart by meshctl; restart the listed ones yourself."
	case s.Everything:
		return "Nothing to restart."
	case idle.Ending+idle.Scaled > 0:
		return "No workload needs a restart by meshctl: pods that are older than the CA of their mesh end on their own."
	case idle.Undetectable > 0:
		return "No workload is known to need a restart; see the notes above. " + anyway
	case idle.LeftOut > 0:
		return "No selected workload needs a restart: none of its pods is older than the CA of its mesh. " + anyway
	default:
		return "No workload needs a restart: no pod is older than the CA of its mesh. " + anyway
	}
}

// Summarise prints what was not restarted, and how to continue.
func (s *RestartSession) Summarise(ctx context.Context) {
	if !s.Writes() {
		return
	}
	for i := range s.Fleet.Meshes {
		for _, result := range s.Fleet.Meshes[i].Report.Results {
			if result.Err != nil {
				s.Progress.Line("error: %s", result.Err)
			}
		}
	}
	left := s.Fleet.Outcomes()
	unfinished := left[restart.OutcomeFailed] + left[restart.OutcomeTimeout] + left[restart.OutcomeInterrupted] + left[restart.OutcomeNotStarted]
	switch {
	case unfinished > 0 && s.Everything:
		s.Progress.Line("%s not restarted or not ready. Run the command again with --resume %s to continue.", countedAre(unfinished, "workload"), s.Fleet.RestartedAt)
	case unfinished > 0:
		s.Progress.Line("%s not restarted or not ready. Run the command again to continue.", countedAre(unfinished, "workload"))
	case left[restart.OutcomeBegun] > 0:
		s.Progress.Line("Started %s without waiting; run the command again to wait until they are done.", text.Count(left[restart.OutcomeBegun], "restart"))
	}
	if left[restart.OutcomeRestarted]+left[restart.OutcomeBegun] > 0 && s.Discovered && ctx.Err() == nil {
		s.Progress.Line("Pod IPs changed; run `meshctl discover`, then `meshctl apply`.")
	}
	if manual := s.Fleet.Count(restart.ActionManual); manual > 0 && ctx.Err() == nil {
		s.Progress.Line("%d more need a restart that meshctl cannot perform; see the notes above.", manual)
	}
}

// Outcome returns the error of the command.
func (s *RestartSession) Outcome() error {
	timedOut, manual := s.Fleet.Outcomes()[restart.OutcomeTimeout], s.Fleet.Count(restart.ActionManual)
	switch {
	case s.Incomplete || s.Fleet.Failed():
		return cli.ErrReported
	case timedOut > 0:
		return cli.Timeoutf("%s not ready within %s; run the command again to keep waiting", countedAre(timedOut, "workload"), s.How.Timeout)
	case manual > 0 && s.Writes():
		return cli.ErrFindings
	default:
		return nil
	}
}

func countedAre(count int, noun string) string {
	return text.Count(count, noun) + " " + text.Choose(count, "was", "were")
}
