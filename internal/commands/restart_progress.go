package commands

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/restart"
)

// restartProgress tells on standard error how restarts are getting on: a line
// for everything that ends, and on a terminal one more below them that says what
// is waited for.
type restartProgress struct {
	streams *cli.Streams
	// verbose tells also what begins and what is waited for, without a terminal.
	verbose bool

	mu sync.Mutex
	// waiting is what has begun and not ended, in the order of beginning.
	waiting []waitedFor
	// shown says that the last line is one that will be overwritten.
	shown bool
}

// waitedFor is something that is being restarted.
type waitedFor struct{ name, detail string }

func newRestartProgress(streams *cli.Streams, verbose bool) *restartProgress {
	return &restartProgress{streams: streams, verbose: verbose}
}

// line prints a line.
func (p *restartProgress) line(format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.print(fmt.Sprintf(format, args...))
	p.redraw()
}

func (p *restartProgress) print(text string) {
	p.clear()
	fmt.Fprintln(p.streams.Err, printable(text))
}

// observe is a restart.Observer.
func (p *restartProgress) observe(event restart.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	name := event.Item.String() + "." + event.Cluster
	i := slices.IndexFunc(p.waiting, func(w waitedFor) bool { return w.name == name })
	switch event.State {
	case restart.StateStarted:
		p.waiting = append(p.waiting, waitedFor{name: name})
		if p.verbose || !p.streams.ErrTerminal {
			p.print(name + ": " + beginning(event.Item))
		}
	case restart.StateProgress:
		if i >= 0 {
			p.waiting[i].detail = event.Detail
		}
		if p.verbose {
			p.print(name + ": " + event.Detail)
		}
	case restart.StateEnded:
		if i >= 0 {
			p.waiting = slices.Delete(p.waiting, i, i+1)
		}
		text := name + ": " + string(event.Result.Outcome)
		if event.Result.Outcome == restart.OutcomeRestarted {
			text += " in " + event.Result.Took.Round(100*time.Millisecond).String()
		}
		p.print(text)
	}
	p.redraw()
}

func beginning(item *restart.Item) string {
	if item.Action == restart.ActionWait {
		return "waiting for the restart that is going on"
	}
	return "restarting"
}

// clear takes the line of what is waited for away.
func (p *restartProgress) clear() {
	if p.shown {
		fmt.Fprint(p.streams.Err, "\r\x1b[K")
		p.shown = false
	}
}

// redraw says on a terminal what is waited for.
func (p *restartProgress) redraw() {
	if !p.streams.ErrTerminal || p.streams.Getenv("TERM") == "dumb" || len(p.waiting) == 0 {
		return
	}
	p.clear()
	first := p.waiting[0]
	text := first.name
	if first.detail != "" {
		text += ": " + first.detail
	}
	if more := len(p.waiting) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	text = printable(text)
	if width := p.streams.Width(); width > 1 {
		if runes := []rune(text); len(runes) >= width {
			text = strings.TrimSpace(string(runes[:width-1]))
		}
	}
	fmt.Fprint(p.streams.Err, text)
	p.shown = true
}

// end takes the line of what is waited for away, for good.
func (p *restartProgress) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.clear()
	p.waiting = nil
}
