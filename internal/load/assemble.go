package load

import (
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
)

// assembler combines outcomes in the order of the input.
type assembler struct {
	// decoder decodes the few pieces again that could not be decoded on their own.
	decoder *decoder
	objects world.Objects
	secrets []*kube.Secret
	// items are the items of the current List. They are added when the List has ended: only then
	// is it certain that the document is a List.
	items []outcome

	// count is how many objects there were, also of other kinds, or in a List that has
	// not ended.
	count      int
	origins    map[objectID]world.Origin
	duplicates []string
}

func (a *assembler) add(o outcome) {
	switch {
	case o.role == roleItem:
		a.items = append(a.items, o)
		a.count++
	case o.role == roleRest:
		items := a.items
		a.items, a.count = nil, a.count-len(a.items)
		a.addList(o, items)
	default:
		a.addOutcome(o)
	}
}

// addList adds a List, given its items and the outcome of the document without them. If the
// split into items may have been wrong, it decodes the document as a whole.
func (a *assembler) addList(rest outcome, items []outcome) {
	intact := rest.isList
	for _, item := range items {
		intact = intact && item.problem == nil
	}
	if !intact && rest.again != nil {
		for _, item := range items {
			rest.again.itemLines = append(rest.again.itemLines, item.origin.Line)
		}
		whole := a.decoder.decode(*rest.again)
		if whole.problem == nil {
			a.addOutcome(whole)
			return
		}
		// The split did not cause the problem. Use the problem of the whole document: its line
		// number is right.
		if !rest.isList {
			rest.problem = whole.problem
		}
	}
	switch {
	case rest.isList:
		a.addItems(items, rest.list)
	case rest.problem != nil:
		a.addOutcome(rest)
		a.addUsable(items)
	default:
		a.addOutcome(rest)
	}
}

// addItems adds the items of a List. An unreadable item does not prevent the others from being
// used.
func (a *assembler) addItems(items []outcome, list listType) {
	for _, item := range items {
		if item.again != nil {
			item.again.list = list
			item = a.decoder.decode(*item.again)
		}
		a.addOutcome(item)
	}
}

// addUsable adds the items of a broken document that could be decoded.
func (a *assembler) addUsable(items []outcome) {
	for _, item := range items {
		for _, e := range item.entries {
			if e.store != nil || e.secret != nil {
				a.addEntry(e)
			}
		}
	}
}

func (a *assembler) addOutcome(o outcome) {
	if o.problem != nil {
		a.objects.Problems = append(a.objects.Problems, *o.problem)
		return
	}
	for _, e := range o.entries {
		a.addEntry(e)
	}
}

func (a *assembler) addEntry(e entry) {
	a.count++
	a.objects.Problems = append(a.objects.Problems, e.problems...)
	if e.ignored {
		a.objects.Ignored++
	}
	if e.secret != nil {
		a.secrets = append(a.secrets, e.secret)
	}
	if e.store == nil {
		return
	}
	if first, taken := a.origins[e.id]; taken {
		a.duplicates = append(a.duplicates, fmt.Sprintf("%s: %s and %s", e.id, first, e.origin))
		return
	}
	a.origins[e.id] = e.origin
	e.store(&a.objects)
}

// duplicateError returns an error that names every object which occurs more than once, or nil.
func (a *assembler) duplicateError() error {
	switch len(a.duplicates) {
	case 0:
		return nil
	case 1:
		return fmt.Errorf("an object is defined twice; remove one of %s", a.duplicates[0])
	default:
		return fmt.Errorf("%d objects are defined twice; remove one of each:\n  %s",
			len(a.duplicates), strings.Join(a.duplicates, "\n  "))
	}
}
