package wizard

import (
	"cmp"
	"fmt"
	"slices"
)

// section is a part of a resource that is asked for together.
type section struct {
	title string
	// basic sections are asked of everyone who did not give them by flags; the
	// others are in the menu only.
	basic bool
	// flags set parts of the section.
	flags []string
	// set says that the input has the section already.
	set func() bool
	// shown says whether the menu has it; nil is always.
	shown func() bool
	// now says in a few words what the section is set to.
	now func() string
	ask func() error
}

// flow is the questions about one resource.
type flow struct {
	*conversation
	known    Catalogue
	given    func(flags ...string) bool
	sections []section
}

// newFlow returns a flow without sections that fills the draft.
func newFlow[I any](p Prompter, c Catalogue, d *Draft[I]) *flow {
	if d.Input == nil {
		d.Input = new(I)
	}
	save := func() func() {
		name, namespace, input := d.Name, d.Namespace, *d.Input
		return func() { d.Name, d.Namespace, *d.Input = name, namespace, input }
	}
	return &flow{conversation: &conversation{prompter: p, save: save}, known: c, given: d.given}
}

// run asks for the basics, then offers the rest.
func (f *flow) run() error {
	return f.hold(func() error {
		for _, s := range f.sections {
			if !f.isOpen(s) {
				continue
			}
			if err := s.ask(); err != nil {
				return err
			}
			f.completed()
		}
		return f.menu("Anything else?", "No, review it")
	}, f.open)
}

// revisit offers every section again. Going back from the menu leaves the draft
// as it is.
func (f *flow) revisit() error {
	f.leave = true
	return f.hold(func() error { return f.menu("What do you want to change?", "Done, review it") }, f.open)
}

// isOpen says whether everyone is asked about a section and nobody was yet.
func (f *flow) isOpen(s section) bool {
	return s.basic && !f.given(s.flags...) && (s.set == nil || !s.set())
}

// open returns the titles of the open sections.
func (f *flow) open() []string {
	var titles []string
	for _, s := range f.sections {
		if f.isOpen(s) {
			titles = append(titles, s.title)
		}
	}
	return titles
}

// menu lets the user visit any section, any number of times.
func (f *flow) menu(text, leave string) error {
	for {
		options := []Option{{Label: leave}}
		var shown []section
		for _, s := range f.sections {
			if s.shown == nil || s.shown() {
				options, shown = append(options, Option{Label: s.title, Detail: s.now()}), append(shown, s)
			}
		}
		chosen, err := f.Select(Question{
			Text: text,
			Help: "Choose a part of the resource to change it. The first line returns to the review.",
		}, options, 0)
		if err != nil || chosen == 0 {
			return err
		}
		if err := shown[chosen-1].ask(); err != nil {
			return err
		}
		f.completed()
	}
}

// setting is a value that a resource may do without.
type setting struct {
	label string
	// about says what it is for; shown while it is not set.
	about string
	// now is the value for people; empty if it is not set.
	now   func() string
	ask   func() error
	clear func()
	// without asks whether the resource may do without a setting that restricts
	// it; empty for other settings.
	without string
}

// settings asks which of the settings the resource has, then for the value of
// each.
func (f *flow) settings(q Question, list []setting) error {
	chosen, _, err := f.choose(q, list)
	if err != nil {
		return err
	}
	return f.askAll(list, chosen)
}

// additions is settings without questions about what is set already and stays.
func (f *flow) additions(q Question, list []setting) error {
	chosen, before, err := f.choose(q, list)
	if err != nil {
		return err
	}
	return f.askAll(list, slices.DeleteFunc(chosen, func(i int) bool { return slices.Contains(before, i) }))
}

// choose asks which of the settings the resource has, and clears the others. It
// returns the indices of those it has, and of those it had before.
func (f *flow) choose(q Question, list []setting) (chosen, before []int, err error) {
	var options []Option
	for i, s := range list {
		now := s.now()
		if now != "" {
			before = append(before, i)
		}
		options = append(options, Option{Label: s.label, Detail: cmp.Or(now, s.about)})
	}
	chosen, err = f.MultiSelect(q, options, before)
	if err != nil {
		return nil, nil, err
	}
	for i, s := range list {
		if slices.Contains(chosen, i) {
			continue
		}
		if now := s.now(); s.without != "" && now != "" {
			sure, err := f.Confirm(Question{Text: s.without, Help: "No keeps the restriction: " + now + "."}, false)
			if err != nil {
				return nil, nil, err
			}
			if !sure {
				continue
			}
		}
		s.clear()
	}
	return chosen, before, nil
}

func (f *flow) askAll(list []setting, chosen []int) error {
	for _, i := range chosen {
		if err := list[i].ask(); err != nil {
			return err
		}
		f.completed()
	}
	return nil
}

// choice is one value to choose.
type choice[T any] struct {
	value         T
	label, detail string
}

func optionsOf[T any](choices []choice[T]) []Option {
	options := make([]Option, len(choices))
	for i, c := range choices {
		options[i] = Option{Label: c.label, Detail: c.detail}
	}
	return options
}

// pick asks for one value; the cursor starts at the current one.
func pick[T comparable](f *flow, q Question, choices []choice[T], current T) (T, error) {
	at := slices.IndexFunc(choices, func(c choice[T]) bool { return c.value == current })
	chosen, err := f.Select(q, optionsOf(choices), max(at, 0))
	if err != nil {
		return current, err
	}
	return choices[chosen].value, nil
}

// withCurrent adds the current value to choices that do not have it, so that it
// can stay. The zero value is none.
func withCurrent[T comparable](choices []choice[T], current T, text func(T) string) []choice[T] {
	var none T
	if current == none || slices.ContainsFunc(choices, func(c choice[T]) bool { return c.value == current }) {
		return choices
	}
	return append(slices.Clip(choices), choice[T]{current, text(current), "not known"})
}

// pickMany asks for some values; the current ones are marked, and offered even
// if they are not among the choices.
func pickMany[T comparable](f *flow, q Question, choices []choice[T], current []T) ([]T, error) {
	var marked []int
	for _, value := range current {
		at := slices.IndexFunc(choices, func(c choice[T]) bool { return c.value == value })
		if at < 0 {
			at = len(choices)
			choices = append(slices.Clip(choices), choice[T]{value, fmt.Sprint(value), "not known"})
		}
		marked = append(marked, at)
	}
	chosen, err := f.MultiSelect(q, optionsOf(choices), marked)
	if err != nil {
		return nil, err
	}
	values := make([]T, len(chosen))
	for i, at := range chosen {
		values[i] = choices[at].value
	}
	return values, nil
}

// pickSome is pickMany for a list that means something else once it has lost its
// last value, which is never assumed.
func pickSome[T comparable](f *flow, noun string, q Question, choices []choice[T], current []T, without Option) ([]T, error) {
	for {
		values, err := pickMany(f, q, choices, current)
		if err != nil || len(values) > 0 || len(current) == 0 {
			return values, err
		}
		had := listText(current, func(value T) string {
			for _, c := range choices {
				if c.value == value {
					return c.label
				}
			}
			return fmt.Sprint(value)
		})
		switch way, err := f.emptied(noun, had, without); {
		case err != nil:
			return nil, err
		case way == keepAll:
			return current, nil
		case way == goWithout:
			return values, nil
		}
	}
}

// editList asks which elements of a list stay, then for more. Without, a list that
// loses its last element means something else, which is never assumed; an empty
// Without says that it means nothing. The result is not nil.
func editList[T any](f *flow, noun string, list []T, without Option, text func(T) string, more func() ([]T, error)) ([]T, error) {
	kept := []T{}
	if len(list) > 0 {
		var options []Option
		var all []int
		for i, element := range list {
			options, all = append(options, Option{Label: text(element)}), append(all, i)
		}
		chosen, err := f.MultiSelect(Question{
			Text: fmt.Sprintf("Which %s do you want to keep?", noun),
			Help: "Deselect items to remove them; you can add more afterwards.",
		}, options, all)
		if err != nil {
			return nil, err
		}
		for _, i := range chosen {
			kept = append(kept, list[i])
		}
	}
	for first := true; ; first = false {
		switch {
		case len(kept) == 0 && len(list) > 0 && without != Option{}:
			way, err := f.emptied(noun, listText(list, text), without)
			switch {
			case err != nil:
				return nil, err
			case way == keepAll:
				return list, nil
			case way == goWithout:
				return kept, nil
			}
		case len(list) > 0 || !first:
			another, err := f.Confirm(Question{Text: fmt.Sprintf("Add more %s?", noun), Help: "Each addition is an alternative (OR)."}, false)
			if err != nil || !another {
				return kept, err
			}
		}
		added, err := more()
		if err != nil {
			return nil, err
		}
		kept = append(kept, added...)
	}
}

// emptying is what to do about a list that has lost its last element.
type emptying string

const (
	keepAll      emptying = "keep"
	chooseOthers emptying = "others"
	goWithout    emptying = "without"
)

// emptied asks what to do about a list that has lost its last element. current is
// what it had, without what the resource means without it.
func (f *flow) emptied(noun, current string, without Option) (emptying, error) {
	return pick(f, Question{
		Text: fmt.Sprintf("No %s left. What do you want to do?", noun),
		Help: "A list without an element restricts nothing, so this is asked.",
	}, []choice[emptying]{
		{keepAll, "Keep the current " + noun, current},
		{chooseOthers, "Choose other " + noun, ""},
		{goWithout, without.Label, without.Detail},
	}, keepAll)
}
