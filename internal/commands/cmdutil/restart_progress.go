package cmdutil

import (
	"time"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/restart"
)

// RestartProgress prints the progress of restarts on standard error.
type RestartProgress struct {
	streams *cli.Streams
	// verbose also prints starts and waits when there is no terminal.
	verbose  bool
	progress *cli.Progress
}

// NewRestartProgress returns the RestartProgress of a run.
func NewRestartProgress(streams *cli.Streams, verbose bool) *RestartProgress {
	return &RestartProgress{streams: streams, verbose: verbose, progress: cli.NewProgress(streams)}
}

// Line prints a line.
func (p *RestartProgress) Line(format string, args ...any) { p.streams.Say(format, args...) }

// observe implements restart.Observer.
func (p *RestartProgress) observe(event restart.Event) {
	name := event.Item.String() + "." + event.Cluster
	switch event.State {
	case restart.StateStarted:
		p.progress.Begin(name, "")
		if p.verbose || !p.streams.ErrTerminal {
			p.Line("%s: %s", name, startText(event.Item))
		}
	case restart.StateProgress:
		p.progress.Update(name, event.Detail)
		if p.verbose {
			p.Line("%s: %s", name, event.Detail)
		}
	case restart.StateEnded:
		took := ""
		if event.Result.Outcome == restart.OutcomeRestarted {
			took = " in " + event.Result.Took.Round(100*time.Millisecond).String()
		}
		p.progress.End(name, "%s: %s%s", name, event.Result.Outcome, took)
	}
}

func startText(item *restart.Item) string {
	if item.Action == restart.ActionWait {
		return "waiting for a running rollout"
	}
	return "restarting"
}

// end removes the status line.
func (p *RestartProgress) end() { p.progress.Close() }
