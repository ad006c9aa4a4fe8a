package cmdutil

import (
	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// ReportOmissions prints what is not rendered, and why, on standard error: the first few, or
// all.
func ReportOmissions(streams *cli.Streams, omissions []istio.Omission, all bool) {
	shown := min(len(omissions), ReportedProblems)
	if all {
		shown = len(omissions)
	}
	for _, o := range omissions[:shown] {
		streams.Warn("not rendered: %s", omissionText(o))
	}
	if more := len(omissions) - shown; more > 0 {
		streams.Say("... %s; -v shows all", text.More(more))
	}
}

// shownTargets is the maximum number of Destinations in a line.
const shownTargets = 3

// omissionText describes an omission.
func omissionText(o istio.Omission) string {
	object := o.Object.String()
	switch {
	case len(o.Targets) > 0:
		object += " for " + text.Bounded(o.Targets, shownTargets)
	case o.Cluster != "":
		object += " in " + o.Cluster
	}
	return object + ": " + o.Reason
}
