package discovery

import "fmt"

func (d *discoverer) note(n Note) { d.notes = append(d.notes, n) }

// tally groups objects with the same issue into one note, so that a thousand pods
// without an istiod do not make a thousand notes.
type tally struct {
	// scope separates groups, for example by namespace.
	scope         string
	message, hint string
	skipped       bool
}

type counted struct {
	first string
	count int
}

// addToTally adds an object to a tally.
func (d *discoverer) addToTally(t tally, object string) {
	c := d.tallies[t]
	if c == nil {
		c = &counted{first: object}
		d.tallies[t] = c
	}
	c.first = min(c.first, object)
	c.count++
}

// noteTallies turns each tally into one note about the first of its objects. The
// notes are sorted later.
func (d *discoverer) noteTallies() {
	for t, c := range d.tallies {
		message := t.message
		if c.count > 1 {
			message += fmt.Sprintf("; the same holds for %d more", c.count-1)
		}
		d.note(Note{Object: c.first, Message: message, Hint: t.hint, Skipped: t.skipped})
	}
}
