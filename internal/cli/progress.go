package cli

import (
	"fmt"
	"slices"
	"sync"
)

// Progress reports the progress of operations on Err: one line for each that ends
// and, on a terminal, a status line for the oldest running one. Several
// goroutines may use it.
type Progress struct {
	streams *Streams

	mu sync.Mutex
	// running lists the operations that have not ended, in the order in which
	// they began.
	running []operation
}

type operation struct{ name, detail string }

// NewProgress returns a Progress without any operations.
func NewProgress(streams *Streams) *Progress { return &Progress{streams: streams} }

// Begin starts an operation; detail describes its current step.
func (p *Progress) Begin(name, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.running = append(p.running, operation{name, detail})
	p.show()
}

// Update sets the current step of a running operation.
func (p *Progress) Update(name, detail string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if i := p.find(name); i >= 0 {
		p.running[i].detail = detail
		p.show()
	}
}

// End ends an operation and prints a line with its result.
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

// Close drops the operations that have not ended.
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
