package commands

import (
	"context"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/restart"
)

// restartSession runs the restart of a fleet for people: it tells on standard
// error what happens and what is left. It is for every command that restarts.
type restartSession struct {
	fleet    *restart.Fleet
	progress *restartProgress
	how      restart.RunOptions
	// planOnly says that nothing is run, everything that also what needs no restart
	// is restarted.
	planOnly, everything bool
	// discovered says that the world comes from the management cluster, where
	// addresses of pods are recorded.
	discovered bool
	// incomplete says that part of the input is missing.
	incomplete bool
}

// writes reports whether anything is written.
func (s *restartSession) writes() bool { return !s.planOnly && !s.how.DryRun }

// tellFailures says of meshes why they cannot be restarted.
func (s *restartSession) tellFailures() {
	for i := range s.fleet.Meshes {
		if m := &s.fleet.Meshes[i]; m.Err != nil {
			s.progress.line("error: %s", m.Err)
		}
	}
}

// checkPermissions says of meshes that they may not be restarted.
func (s *restartSession) checkPermissions(ctx context.Context) {
	for _, m := range s.fleet.CheckPermissions(ctx) {
		s.progress.line("error: %s", m.Err)
	}
}

// runFleet runs the plans, those of different clusters at the same time.
func (s *restartSession) runFleet(ctx context.Context) {
	if s.planOnly {
		return
	}
	if s.writes() {
		s.progress.line("The restarts of this run are marked %s.", s.fleet.RestartedAt)
	}
	s.fleet.Run(ctx, s.how, s.progress.observe)
	s.progress.end()
}

// explainNothing says why nothing is restarted.
func (s *restartSession) explainNothing() {
	switch {
	case !s.fleet.Planned():
	case s.fleet.Count(restart.ActionManual) > 0:
		s.progress.line("No workload needs a restart by meshctl; restart the listed ones yourself.")
	case s.everything:
		s.progress.line("Nothing to restart.")
	default:
		s.progress.line("No workload needs a restart: no pod is older than the CA of its mesh. Pass --all-workloads to restart anyway.")
	}
}

// summarise says what is left, and how to go on.
func (s *restartSession) summarise(ctx context.Context) {
	if !s.writes() {
		return
	}
	for i := range s.fleet.Meshes {
		for _, result := range s.fleet.Meshes[i].Report.Results {
			if result.Err != nil {
				s.progress.line("error: %s", result.Err)
			}
		}
	}
	left := s.fleet.Outcomes()
	unfinished := left[restart.OutcomeFailed] + left[restart.OutcomeTimeout] + left[restart.OutcomeInterrupted] + left[restart.OutcomeNotStarted]
	switch {
	case unfinished > 0 && s.everything:
		s.progress.line("%s not restarted or not ready. Run the command again with --resume %s to continue.", countedAre(unfinished, "workload"), s.fleet.RestartedAt)
	case unfinished > 0:
		s.progress.line("%s not restarted or not ready. Run the command again to continue.", countedAre(unfinished, "workload"))
	case left[restart.OutcomeBegun] > 0:
		s.progress.line("Started %d restarts without waiting; run the command again to wait for them.", left[restart.OutcomeBegun])
	}
	if left[restart.OutcomeRestarted]+left[restart.OutcomeBegun] > 0 && s.discovered && ctx.Err() == nil {
		s.progress.line("Pod IPs changed; run `meshctl discover`, then `meshctl apply`.")
	}
	if manual := s.fleet.Count(restart.ActionManual); manual > 0 && ctx.Err() == nil {
		s.progress.line("%d more need a restart that meshctl cannot do; see the notes above.", manual)
	}
}

// outcome is the error of the command.
func (s *restartSession) outcome() error {
	timedOut, manual := s.fleet.Outcomes()[restart.OutcomeTimeout], s.fleet.Count(restart.ActionManual)
	switch {
	case s.incomplete || s.fleet.Failed():
		return cli.ErrReported
	case timedOut > 0:
		return cli.Timeoutf("%s not ready within %s; run the command again to keep waiting", countedAre(timedOut, "workload"), s.how.Timeout)
	case manual > 0 && s.writes():
		return cli.ErrFindings
	default:
		return nil
	}
}

func countedAre(count int, noun string) string {
	return text.Count(count, noun) + " " + text.Choose(count, "was", "were")
}
