package cli

import (
	"fmt"
	"slices"
	"sync"
)

// Progress tells on Err how operations are getting on: a line for each that
// ends and, on a terminal, a status line with the first that has not. Several
// goroutines may use it.
type Progress struct {
	streams *Streams

	mu sync.Mutex
	// running is what has begun and not ended, in the order of beginning.
	running []operation
}

type operation struct{ name, detail string }

// NewProgress returns a Progress without any operations.
func NewProgress(streams *Streams) *Progress { return &Progress{streams: streams} }

// Begin starts an operation; the detail says what it does just now.
func (p *Progress) Begin(name, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, operation{name, detail})
	p.show()
}

// Update says what a running operation does just now.
func (p *Progress) Update(name, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.find(name); i >= 0 {
		p.running[i].detail = detail
		p.show()
	}
}

// End ends an operation and prints a line about what became of it.
func (p *Progress) End(name, format string, args ...any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.find(name); i >= 0 {
		p.running = slices.Delete(p.running, i, i+1)
	}
	p.streams.setProgress("")
	p.streams.Say(format, args...)
	p.show()
}

// Close forgets the operations that have not ended.
func (p *Progress) Close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = nil
	p.show()
}

func (p *Progress) find(name string) int {
	return slices.IndexFunc(p.running, func(o operation) bool { return o.name == name })
}

func (p *Progress) show() {
	if len(p.running) == 0 {
		p.streams.setProgress("")
		return
	}
	status := p.running[0].name
	if detail := p.running[0].detail; detail != "" {
		status += ": " + detail
	}
	if more := len(p.running) - 1; more > 0 {
		status += fmt.Sprintf(" (and %d more)", more)
	}
	p.streams.setProgress(status)
}
