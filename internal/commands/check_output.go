package commands

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/check"
	"github.com/meshctl/meshctl/internal/cli"
)

// checkStyle says what marks look like.
type checkStyle struct {
	// symbols says that the terminal can show more than ASCII.
	symbols, color bool
}

func checkStyleFor(streams *cli.Streams) checkStyle {
	return checkStyle{symbols: streams.OutTerminal && showsUTF8(streams.Getenv), color: streams.OutColor()}
}

// showsUTF8 reports whether the locale says that the terminal shows UTF-8; the
// first variable that is set decides, as for other programs.
func showsUTF8(getenv func(string) string) bool {
	if getenv("TERM") == "dumb" {
		return false
	}
	for _, name := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if locale := getenv(name); locale != "" {
			locale = strings.ToLower(locale)
			return strings.Contains(locale, "utf-8") || strings.Contains(locale, "utf8")
		}
	}
	return false
}

// mark returns the mark of a result. All are equally wide.
func (s checkStyle) mark(result check.Result) string {
	text, symbol, code := "ok  ", "√", "32"
	switch result {
	case check.OK:
	case check.Warning:
		text, symbol, code = "WARN", "‼", "33"
	case check.Failed:
		text, symbol, code = "FAIL", "×", "31"
	case check.Skipped:
		text, symbol, code = "skip", "-", "2"
	}
	if s.symbols {
		text = symbol
	}
	if s.color {
		text = "\x1b[" + code + "m" + text + "\x1b[0m"
	}
	return text
}

// indent is as wide as a mark and the gap after it.
func (s checkStyle) indent() string {
	if s.symbols {
		return "  "
	}
	return "     "
}

// reportText returns a report for people; short leaves out what is in order.
func reportText(report *check.Report, style checkStyle, short bool) string {
	var text strings.Builder
	for _, c := range report.Categories {
		var lines strings.Builder
		for i := range c.Checks {
			if l := &c.Checks[i]; !short || l.Problem() {
				writeLine(&lines, l, style)
			}
		}
		if c.Skipped != "" && !short {
			fmt.Fprintf(&lines, "%s %s\n", style.mark(check.Skipped), printable(c.Skipped))
		}
		if lines.Len() > 0 {
			fmt.Fprintf(&text, "%s (%s)\n%s\n", c.Title, c.ID, lines.String())
		}
	}
	if short && report.Success && report.Count(check.Warning) == 0 {
		return "Everything that could be checked is in order.\n"
	}
	warnings := "warnings"
	if report.Count(check.Warning) == 1 {
		warnings = "warning"
	}
	fmt.Fprintf(&text, "%d failed, %d %s, %d ok, %d skipped\n",
		report.Count(check.Failed), report.Count(check.Warning), warnings, report.Count(check.OK), report.Count(check.Skipped))
	return text.String()
}

// writeLine writes what came of one check: one line, and if it is a problem, why,
// what to do, and where to read more.
func writeLine(text *strings.Builder, l *check.Line, style checkStyle) {
	fmt.Fprintf(text, "%s ", style.mark(l.Result))
	if subject := l.Subject(); subject != "" {
		text.WriteString(printable(subject) + ": ")
	}
	text.WriteString(l.Description)
	switch {
	case l.Result == check.Skipped:
		text.WriteString(" (skipped: " + printable(l.Message) + ")\n")
	case !l.Problem() && l.Message != "":
		text.WriteString(" (" + printable(l.Message) + ")\n")
	case !l.Problem():
		text.WriteString("\n")
	default:
		text.WriteString("\n")
		for _, part := range []struct{ label, value string }{{"", l.Message}, {"hint: ", l.Hint}, {"see ", l.Anchor}} {
			if part.value != "" {
				text.WriteString(style.indent() + part.label + printable(part.value) + "\n")
			}
		}
	}
}

// daysValue is the pflag.Value of a duration that may be in days.
type daysValue struct{ duration time.Duration }

const day = 24 * time.Hour

// String implements pflag.Value.
func (v *daysValue) String() string {
	if v.duration%day == 0 && v.duration != 0 {
		return fmt.Sprintf("%dd", v.duration/day)
	}
	return v.duration.String()
}

// Set implements pflag.Value.
func (v *daysValue) Set(text string) error {
	if number, isDays := strings.CutSuffix(text, "d"); isDays {
		hours, err := time.ParseDuration(number + "h")
		const longest = 100 * 365 * day / 24
		if err != nil || hours < 0 || hours > longest {
			return errNoDuration()
		}
		v.duration = hours * 24
		return nil
	}
	duration, err := time.ParseDuration(text)
	if err != nil || duration < 0 {
		return errNoDuration()
	}
	v.duration = duration
	return nil
}

// Type implements pflag.Value.
func (v *daysValue) Type() string { return "duration" }

func errNoDuration() error { return errors.New("it must be a duration such as 30d or 12h") }
