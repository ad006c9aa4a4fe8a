package commands

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// tellOmissions says on standard error what is not rendered and why: the first
// few, or all of them.
func tellOmissions(streams *cli.Streams, omissions []istio.Omission, all bool) {
	shown := min(len(omissions), reportedProblems)
	if all {
		shown = len(omissions)
	}
	for _, o := range omissions[:shown] {
		fmt.Fprintf(streams.Err, "warning: not rendered: %s\n", printable(omissionText(o)))
	}
	if more := len(omissions) - shown; more > 0 {
		fmt.Fprintf(streams.Err, "... and %d more; -v shows all\n", more)
	}
}

// shownTargets bounds the Destinations that one line names.
const shownTargets = 3

// omissionText says what is left out, where and why.
func omissionText(o istio.Omission) string {
	text := o.Object.String()
	switch {
	case len(o.Targets) > shownTargets:
		text += fmt.Sprintf(" for %s and %d more", strings.Join(o.Targets[:shownTargets], ", "), len(o.Targets)-shownTargets)
	case len(o.Targets) > 0:
		text += " for " + strings.Join(o.Targets, ", ")
	case o.Cluster != "":
		text += " in " + o.Cluster
	}
	return text + ": " + o.Reason
}
