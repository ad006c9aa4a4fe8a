package wizard

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/AlecAivazis/survey/v2/terminal"
)

// list is a list of options on a terminal: what is shown of it, where the cursor
// is and what is selected. An answer is always an option that the user sees.
type list struct {
	options []Option
	// many says that any number of options can be selected.
	many, atLeastOne bool
	// selected are the selected options of a list with many.
	selected map[int]bool

	filter string
	// matches are the indices of the options that match the filter, cursor is a
	// place in matches.
	matches []int
	cursor  int
	// at is the option that the cursor was at when there was one.
	at int
	// help says that the help of the question was asked for.
	help bool
	// problem is why the last key was refused, nil if it was not.
	problem error
}

func newList(options []Option) *list {
	l := &list{options: options, selected: map[int]bool{}}
	l.find()
	return l
}

// outcome is what a key does to a question.
type outcome int

const (
	waits outcome = iota
	answers
	goesBack
)

// press handles a key.
func (l *list) press(key rune) outcome {
	l.problem = nil
	switch key {
	case terminal.KeyEnter, '\n':
		return l.enter()
	case terminal.KeyEscape:
		if l.filter == "" {
			return goesBack
		}
		l.setFilter("")
	case terminal.KeyArrowUp:
		l.move(l.cursor - 1)
	case terminal.KeyArrowDown, terminal.KeyTab:
		l.move(l.cursor + 1)
	case terminal.SpecialKeyHome:
		l.move(0)
	case terminal.SpecialKeyEnd:
		l.move(len(l.matches) - 1)
	case terminal.KeyArrowRight, terminal.KeyArrowLeft:
		if l.many {
			for _, i := range l.matches {
				l.selected[i] = key == terminal.KeyArrowRight
			}
			l.setFilter("")
		}
	case terminal.KeyBackspace, terminal.KeyDelete:
		_, size := utf8.DecodeLastRuneInString(l.filter)
		l.setFilter(l.filter[:len(l.filter)-size])
	case terminal.KeyDeleteWord, terminal.KeyDeleteLine:
		l.setFilter("")
	case '?':
		l.help = true
	case ' ':
		switch {
		case !l.many:
			l.setFilter(l.filter + " ")
		case len(l.matches) > 0:
			l.selected[l.at] = !l.selected[l.at]
			l.setFilter("")
		}
	default:
		if key > ' ' {
			l.setFilter(l.filter + string(key))
		}
	}
	return waits
}

// enter answers the question, if nothing of the answer is hidden.
func (l *list) enter() outcome {
	switch {
	case len(l.matches) == 0:
		l.problem = errors.New("no option matches: press esc to clear the filter")
	case !l.many:
		return answers
	case l.filter != "":
		l.setFilter("")
		l.problem = errors.New("press space to select an option, enter to confirm the selection")
	case l.atLeastOne && len(l.chosen()) == 0:
		l.problem = errors.New("select at least one (press space)")
	default:
		return answers
	}
	return waits
}

// move moves the cursor to a place in matches; before the first is the last, and
// after the last the first.
func (l *list) move(to int) {
	if n := len(l.matches); n > 0 {
		l.cursor = (to + n) % n
		l.at = l.matches[l.cursor]
	}
}

// moveTo moves the cursor to an option, or to the first if that is not shown.
func (l *list) moveTo(option int) { l.move(max(slices.Index(l.matches, option), 0)) }

// setFilter shows the options that match a text. The cursor goes to the first of
// them when the text grows, and stays at its option when the text shrinks.
func (l *list) setFilter(filter string) {
	grows := len(filter) > len(l.filter)
	l.filter = filter
	l.find()
	if grows {
		l.move(0)
	} else {
		l.moveTo(l.at)
	}
}

// find looks for the options with every word of the filter in their label or
// detail.
func (l *list) find() {
	words := strings.Fields(strings.ToLower(l.filter))
	l.matches = l.matches[:0]
	for i, o := range l.options {
		text := strings.ToLower(o.Label + " " + o.Detail)
		if !slices.ContainsFunc(words, func(word string) bool { return !strings.Contains(text, word) }) {
			l.matches = append(l.matches, i)
		}
	}
}

// chosen returns the answer, in ascending order.
func (l *list) chosen() []int {
	if !l.many {
		return []int{l.matches[l.cursor]}
	}
	chosen := []int{}
	for i := range l.options {
		if l.selected[i] {
			chosen = append(chosen, i)
		}
	}
	return chosen
}

// page returns the part of matches that is shown on so many lines.
func (l *list) page(lines int) (from, to int) {
	from = min(max(l.cursor-lines/2, 0), max(len(l.matches)-lines, 0))
	return from, min(from+lines, len(l.matches))
}

// keysHelp says which keys answer the question.
func (l *list) keysHelp(back bool) []string {
	help := []string{"arrows to move", "type to filter"}
	if l.many {
		help = []string{"space to select", "right for all", "left for none", "type to filter"}
	}
	switch {
	case l.filter != "":
		help = append(help, "esc to clear the filter")
	case back:
		help = append(help, "esc to go back")
	}
	return help
}

// rows returns the lines below the question: a page of options, each laid out
// in lines, or a word about there being none.
func (l *list) rows(lines []string, page int) []string {
	if len(l.matches) == 0 {
		return []string{fmt.Sprintf("  no match for %q", l.filter)}
	}
	from, to := l.page(page)
	var rows []string
	for at, option := range l.matches[from:to] {
		row := "  "
		if from+at == l.cursor {
			row = focused("> ")
		}
		switch {
		case !l.many:
		case l.selected[option]:
			row += marked("[x]") + "  "
		default:
			row += "[ ]  "
		}
		row += lines[option]
		rows = append(rows, row)
	}
	return rows
}
