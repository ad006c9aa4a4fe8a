package wizard

import (
	"errors"
	"strings"

	"github.com/AlecAivazis/survey/v2"
	"github.com/AlecAivazis/survey/v2/terminal"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// drawing is a question on the terminal. Whatever is shown of it replaces what
// was shown before.
type drawing struct {
	survey.Renderer
	question      Question
	width, height int
}

// show replaces what was shown.
func (d *drawing) show(content string) error { return d.Render("{{.}}", content) }

// head returns the question with what belongs to it: why the last answer was
// refused, the help, what was typed to filter, and the keys.
func (d *drawing) head(problem error, help bool, filter string, keys []string) string {
	var head strings.Builder
	if problem != nil {
		head.WriteString(failed(text.Wrap("error: "+text.Printable(problem.Error()), max(d.width-1, 1), "  ")) + "\n")
	}
	switch {
	case d.question.Help == "":
	case help:
		head.WriteString(hint(text.Wrap("? "+text.PrintableLines(d.question.Help), max(d.width-1, 1), "  ")) + "\n")
	default:
		keys = append(keys, "? for help")
	}
	head.WriteString(d.asked())
	if strings.TrimSpace(filter) != "" {
		head.WriteString(strong(text.Printable(filter)))
	}
	if len(keys) > 0 {
		column := len("? ") + text.Width(text.Printable(d.question.Text))
		if strings.TrimSpace(filter) != "" {
			column += text.Width(text.Printable(filter))
		}
		for i, line := range layoutKeys(keys, column, d.width) {
			if i > 0 {
				head.WriteString("\n ")
			}
			if line != "" {
				head.WriteString(" " + hint(line))
			}
		}
	}
	return head.String()
}

// asked returns the question alone.
func (d *drawing) asked() string {
	return "\x1b[1;32m?\x1b[0m " + strong(text.Printable(d.question.Text))
}

// answered leaves the question with its answer on the screen.
func (d *drawing) answered(answer string) error {
	room := max(d.width-len("? ")-text.Width(text.Printable(d.question.Text))-2, len(cutMark)+1)
	return d.show(d.asked() + " " + hint(text.Cut(text.Printable(answer), room)) + "\n")
}

// linesOf returns how many lines of the terminal a text takes.
func (d *drawing) linesOf(content string) int {
	lines := 0
	for line := range strings.SplitSeq(content, "\n") {
		lines += max((terminal.StringWidth(line)+d.width-1)/d.width, 1)
	}
	return lines
}

// errEscape says that the user pressed Esc.
var errEscape = errors.New("escape")

// readLine reads a line behind what is shown. With errEscape it returns what was
// typed so far.
func (d *drawing) readLine() (string, error) {
	line, err := d.NewRuneReader().ReadLine(0, func(key rune, line []rune) ([]rune, bool, error) {
		if key == terminal.KeyEscape {
			return line, true, errEscape
		}
		return line, false, nil
	})
	if err == nil {
		_ = d.NewCursor().Up(1) // Enter moved it to the next line
	}
	d.AppendRenderedText(string(line))
	return string(line), err
}

// How parts of a question look. The console removes it all from a terminal
// without colours.

func strong(s string) string  { return "\x1b[1m" + s + "\x1b[0m" }
func hint(s string) string    { return "\x1b[36m" + s + "\x1b[0m" }
func faint(s string) string   { return "\x1b[37m" + s + "\x1b[0m" }
func focused(s string) string { return "\x1b[1;36m" + s + "\x1b[0m" }
func marked(s string) string  { return "\x1b[32m" + s + "\x1b[0m" }
func failed(s string) string  { return "\x1b[31m" + s + "\x1b[0m" }
