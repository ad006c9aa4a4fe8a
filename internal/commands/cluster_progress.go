package commands

import (
	"errors"
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/registration"
)

// progress prints the phases of an operation on standard error, one line each.
// On a terminal a line begins when the phase does, so that one sees what is
// waited for.
type progress struct {
	streams *cli.Streams
	// open says that a line has begun.
	open bool
}

func newProgress(streams *cli.Streams) *progress { return &progress{streams: streams} }

// observe is a kube.Observer.
func (p *progress) observe(event registration.Event) {
	label := string(event.Phase)
	if event.Cluster != "" {
		label = event.Cluster + ": " + label
	}
	switch event.State {
	case registration.PhaseStarted:
		p.begin(label)
	case registration.PhaseDone:
		p.end(label, "done", event.Detail)
	case registration.PhaseFailed:
		p.end(label, "failed", event.Detail)
	case registration.PhaseWarning:
		p.breakLine()
		fmt.Fprintf(p.streams.Err, "warning: %s\n", printable(event.Detail))
	}
}

func (p *progress) begin(label string) {
	if p.streams.ErrTerminal {
		fmt.Fprintf(p.streams.Err, "%s ... ", label)
		p.open = true
	}
}

func (p *progress) end(label, outcome, detail string) {
	if !p.open {
		fmt.Fprintf(p.streams.Err, "%s ... ", label)
	}
	p.open = false
	if detail != "" {
		outcome += " (" + printable(detail) + ")"
	}
	fmt.Fprintln(p.streams.Err, outcome)
}

// breakLine ends a line that has begun.
func (p *progress) breakLine() {
	if p.open {
		fmt.Fprintln(p.streams.Err)
		p.open = false
	}
}

// objectName names an object as kubectl does: virtualmesh.GROUP/NAME.
func objectName(kind schema.GroupKind, name string) string {
	resource := strings.ToLower(kind.Kind)
	if kind.Group != "" {
		resource += "." + kind.Group
	}
	return resource + "/" + name
}

// printLeftovers says on standard error what stays behind, and how to remove it.
func printLeftovers(streams *cli.Streams, leftovers []registration.Leftover) {
	if len(leftovers) == 0 {
		return
	}
	fmt.Fprintln(streams.Err, "Left behind; to remove it:")
	for _, l := range leftovers {
		fmt.Fprintf(streams.Err, "  # %s on cluster %s\n  %s\n", l.Object, l.Cluster, l.Command)
	}
}

// tellLeftovers prints the leftovers that an error is about, and returns the
// error without them.
func tellLeftovers(streams *cli.Streams, err error) error {
	var incomplete *registration.IncompleteError
	if !errors.As(err, &incomplete) {
		return err
	}
	printLeftovers(streams, incomplete.Leftovers)
	return incomplete.Err
}
