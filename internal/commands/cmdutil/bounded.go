package cmdutil

import (
	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/text"
)

// ReportLines prints lines on standard error, at most ReportedProblems of them, and how
// many more there are.
func ReportLines(streams *cli.Streams, lines []string) { reportLines(streams, lines, false, "") }

// ReportLinesOrAll is ReportLines for commands that print all lines with -v.
func ReportLinesOrAll(streams *cli.Streams, lines []string) {
	reportLines(streams, lines, streams.Verbosity > 0, "; -v shows all")
}

func reportLines(streams *cli.Streams, lines []string, all bool, hint string) {
	shown := lines
	if !all {
		shown = lines[:min(len(lines), ReportedProblems)]
	}
	for _, line := range shown {
		streams.Say("%s", line)
	}
	if more := len(lines) - len(shown); more > 0 {
		streams.Say("... %s%s", text.More(more), hint)
	}
}
