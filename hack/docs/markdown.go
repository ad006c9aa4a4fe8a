package main

import (
	"regexp"
	"strings"
)

// paragraphs turns a help text into Markdown: lines that are indented stay as
// they are.
func paragraphs(text string) string {
	var out strings.Builder
	shown := false
	for line := range strings.SplitSeq(text, "\n") {
		indented := strings.HasPrefix(line, " ")
		switch {
		case line == "":
		case indented:
			line = "    " + line
		default:
			line = inText(line)
		}
		if line != "" && indented != shown {
			// Such text starts and ends at an empty line.
			if out.Len() > 0 {
				out.WriteString("\n")
			}
			shown = indented
		}
		out.WriteString(line + "\n")
	}
	return strings.TrimRight(emptyLines().ReplaceAllString(out.String(), "\n\n"), "\n")
}

func emptyLines() *regexp.Regexp { return regexp.MustCompile(`\n{3,}`) }

// block returns text that is shown as it is.
func block(text string) string { return "```\n" + text + "\n```\n" }

// inText keeps Markdown from reading what only looks like markup, outside of
// what is in backquotes.
func inText(text string) string {
	parts := strings.Split(text, "`")
	for i := 0; i < len(parts); i += 2 {
		parts[i] = strings.NewReplacer("<", "\\<", "*", "\\*", "_", "\\_").Replace(parts[i])
	}
	return strings.Join(parts, "`")
}

// inCell is inText for a cell of a table.
func inCell(text string) string { return strings.ReplaceAll(inText(text), "|", "\\|") }
