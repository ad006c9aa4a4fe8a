package cmdutil

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/registration"
)

// ObservePhases returns an observer that prints the phases of an operation on standard error,
// one line per phase.
func ObservePhases(streams *cli.Streams) registration.Observer {
	progress := cli.NewProgress(streams)
	return func(event registration.Event) {
		phase := string(event.Phase) + " ..."
		if event.Cluster != "" {
			phase = event.Cluster + ": " + phase
		}
		detail := ""
		if event.Detail != "" {
			detail = " (" + event.Detail + ")"
		}
		switch event.State {
		case registration.PhaseStarted:
			progress.Begin(phase, "")
		case registration.PhaseDone:
			progress.End(phase, "%s done%s", phase, detail)
		case registration.PhaseFailed:
			progress.End(phase, "%s failed%s", phase, detail)
		case registration.PhaseWarning:
			streams.Warn("%s", event.Detail)
		}
	}
}

// ObjectName returns the name of an object as kubectl prints it: KIND.GROUP/NAME.
func ObjectName(kind schema.GroupKind, name string) string {
	resource := strings.ToLower(kind.Kind)
	if kind.Group != "" {
		resource += "." + kind.Group
	}
	return resource + "/" + name
}

// PrintLeftovers prints which objects remain, and how to remove them, on standard error.
func PrintLeftovers(streams *cli.Streams, leftovers []registration.Leftover) {
	var commands, advice []string
	for _, l := range leftovers {
		where := fmt.Sprintf("%s on cluster %s", l.Object, l.Cluster)
		if l.Command == "" {
			advice = append(advice, "  "+where+": "+l.Advice)
			continue
		}
		commands = append(commands, "  # "+where, "  "+l.Command)
	}
	if len(commands) > 0 {
		streams.Block("Left behind; remove with:\n%s", strings.Join(commands, "\n"))
	}
	if len(advice) > 0 {
		streams.Block("Left behind:\n%s", strings.Join(advice, "\n"))
	}
}

// ReportLeftovers prints the leftovers of an error and returns the error without them.
func ReportLeftovers(streams *cli.Streams, err error) error {
	var incomplete *registration.IncompleteError
	if !errors.As(err, &incomplete) {
		return err
	}
	PrintLeftovers(streams, incomplete.Leftovers)
	return incomplete.Err
}
