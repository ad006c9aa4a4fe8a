package wizard

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/AlecAivazis/survey/v2/terminal"
	"github.com/google/go-cmp/cmp"
)

// The keys of a list, as runes that a test can write.
const (
	pressUp, pressDown, pressLeft, pressRight = terminal.KeyArrowUp, terminal.KeyArrowDown, terminal.KeyArrowLeft, terminal.KeyArrowRight
	pressEsc, pressEnter, pressBack           = terminal.KeyEscape, terminal.KeyEnter, terminal.KeyBackspace
)

func fruit() []Option {
	return []Option{{Label: "apple", Detail: "red"}, {Label: "cherry", Detail: "red"}, {Label: "lemon", Detail: "yellow"}, {Label: "lime", Detail: "green"}, {Label: "melon", Detail: "yellow"}}
}

// lines returns what a list of fruit shows.
func lines(l *list, page int) []string {
	names := make([]string, len(l.options))
	for i, o := range l.options {
		names[i] = o.Label
	}
	rows := l.rows(names, page)
	for i := range rows {
		rows[i] = uncoloured(rows[i])
	}
	return rows
}

func TestListFilter(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		start   int
		keys    string
		want    []string
		outcome outcome
		chosen  int // if the outcome is an answer
	}{
		{"nothing is typed", 2, "", []string{"  apple", "  cherry", "> lemon", "  lime", "  melon"}, waits, 0},
		{"the first match is selected", 3, "yellow", []string{"> lemon", "  melon"}, waits, 0},
		{"the first match is chosen", 4, "l\r", []string{"> apple", "  lemon", "  lime", "  melon"}, answers, 0},
		{"every word must match", 0, "MEL yel\r", []string{"> melon"}, answers, 4},
		{"no match is said and is no answer", 1, "kiwi\r", []string{`  no match for "kiwi"`}, waits, 0},
		{"no match cannot be moved in", 1, "kiwi" + string([]rune{pressUp, pressDown, pressDown}) + "\r", []string{`  no match for "kiwi"`}, waits, 0},
		{"a filter with a longer tail has no match", 0, "lemonx\r", []string{`  no match for "lemonx"`}, waits, 0},
		{"what is taken back matches again", 0, "lemonx" + string(rune(pressBack)) + "\r", []string{"> lemon"}, answers, 2},
		{"esc clears the filter and the cursor stays", 0, "yellow" + string([]rune{pressDown, pressEsc}), []string{"  apple", "  cherry", "  lemon", "  lime", "> melon"}, waits, 0},
		{"esc after no match goes back to where the cursor was", 3, "kiwi" + string(rune(pressEsc)) + "\r", []string{"  apple", "  cherry", "  lemon", "> lime", "  melon"}, answers, 3},
		{"esc without a filter goes back", 1, string(rune(pressEsc)), []string{"  apple", "> cherry", "  lemon", "  lime", "  melon"}, goesBack, 0},
		{"moving wraps around within the matches", 0, "red" + string(rune(pressUp)) + "\r", []string{"  apple", "> cherry"}, answers, 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newList(fruit())
			l.moveTo(tt.start)
			got := waits
			for _, key := range tt.keys {
				got = l.press(key)
			}
			if diff := cmp.Diff(tt.want, lines(l, maxPage)); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
			if got != tt.outcome {
				t.Errorf("outcome %v, want %v (%v)", got, tt.outcome, l.problem)
			}
			if got == answers && !cmp.Equal(l.chosen(), []int{tt.chosen}) {
				t.Errorf("chose %v, want %d", l.chosen(), tt.chosen)
			}
		})
	}
}

func TestListOfMany(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		keys    string
		want    []string
		outcome outcome
		problem string
	}{
		{"what was selected is confirmed", "\r", []string{"> [ ]  apple", "  [x]  cherry", "  [ ]  lemon", "  [ ]  lime", "  [ ]  melon"}, answers, ""},
		{"space selects the match and shows everything", "lim \r", []string{"  [ ]  apple", "  [x]  cherry", "  [ ]  lemon", "> [x]  lime", "  [ ]  melon"}, answers, ""},
		{"a selection that the filter hides is not confirmed", "lim\r", []string{"  [ ]  apple", "  [x]  cherry", "  [ ]  lemon", "> [ ]  lime", "  [ ]  melon"}, waits, "press space to select an option, enter to confirm the selection"},
		{"space without a match selects nothing", "kiwi ", []string{`  no match for "kiwi"`}, waits, ""},
		{"no match is not confirmed", "kiwi\r", []string{`  no match for "kiwi"`}, waits, "no option matches: press esc to clear the filter"},
		{"right selects all matches only", "yellow" + string(rune(pressRight)), []string{"  [ ]  apple", "  [x]  cherry", "> [x]  lemon", "  [ ]  lime", "  [x]  melon"}, waits, ""},
		{"left selects none of the matches", "red" + string(rune(pressLeft)), []string{"> [ ]  apple", "  [ ]  cherry", "  [ ]  lemon", "  [ ]  lime", "  [ ]  melon"}, waits, ""},
		{"nothing is refused and stays as it is", string(rune(pressLeft)) + "\r", []string{"> [ ]  apple", "  [ ]  cherry", "  [ ]  lemon", "  [ ]  lime", "  [ ]  melon"}, waits, "select at least one (press space)"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newList(fruit())
			l.many, l.atLeastOne, l.selected[1] = true, true, true
			got := waits
			for _, key := range tt.keys {
				got = l.press(key)
			}
			if diff := cmp.Diff(tt.want, lines(l, maxPage)); diff != "" {
				t.Errorf("shown (-want +got):\n%s", diff)
			}
			problem := ""
			if l.problem != nil {
				problem = l.problem.Error()
			}
			if got != tt.outcome || problem != tt.problem {
				t.Errorf("outcome %v with %q, want %v with %q", got, problem, tt.outcome, tt.problem)
			}
		})
	}
}

// TestListShowsItsAnswer presses keys at random: what Enter takes is on the
// screen, with the cursor or a mark, and no key is too much.
func TestListShowsItsAnswer(t *testing.T) {
	t.Parallel()
	options := fruit()
	for i := range 30 {
		options = append(options, Option{Label: fmt.Sprintf("plum %d", i), Detail: "blue"})
	}
	keys := []rune{pressUp, pressDown, pressLeft, pressRight, pressEsc, pressEnter, pressBack, terminal.SpecialKeyHome, terminal.SpecialKeyEnd, terminal.KeyDeleteWord, '?', ' ', 'l', 'e', 'm', 'x', 'ü', '1'}
	random := rand.New(rand.NewPCG(1, 2))
	for range 20000 {
		l := newList(options)
		l.many = random.IntN(2) == 0
		page := 1 + random.IntN(8)
		for range 1 + random.IntN(12) {
			before := lines(l, page)
			key := keys[random.IntN(len(keys))]
			if l.press(key) != answers {
				continue
			}
			for _, option := range l.chosen() {
				label := options[option].Label
				switch {
				case l.many && l.filter != "":
					t.Fatalf("%q is chosen behind the filter %q", label, l.filter)
				case !l.many && !slices.Contains(before, "> "+label):
					t.Fatalf("%q is chosen, but shown is:\n%q", label, before)
				}
			}
		}
		if from, to := l.page(page); to-from > page || len(l.matches) > 0 && (l.cursor < from || l.cursor >= to) {
			t.Fatalf("the cursor %d of %d is not on the page from %d to %d", l.cursor, len(l.matches), from, to)
		}
	}
}

// uncoloured removes colours.
func uncoloured(s string) string {
	out, skipping := []rune{}, false
	for _, r := range s {
		switch {
		case r == '\x1b':
			skipping = true
		case skipping:
			skipping = r != 'm'
		default:
			out = append(out, r)
		}
	}
	return string(out)
}
