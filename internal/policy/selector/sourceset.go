package selector

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
)

// SourceSet finds the sources that contain others without comparing each with
// all: each is indexed by its rarest condition.
type SourceSet struct {
	sources []SourceMatch
	all     []int
	filed   map[sourceCondition][]int
}

// sourceCondition is one condition of a source: a label, or the namespace if key
// is empty.
type sourceCondition struct{ key, value string }

// NewSourceSet indexes the sources by their positions in the list.
func NewSourceSet(sources []SourceMatch) *SourceSet {
	x := &SourceSet{sources: sources, filed: map[sourceCondition][]int{}}
	frequency := map[sourceCondition]int{}
	for _, s := range sources {
		s.visitConditions(func(c sourceCondition) { frequency[c]++ })
	}
	for i, s := range sources {
		var rarest sourceCondition
		least := 0
		s.visitConditions(func(c sourceCondition) {
			if n := frequency[c]; least == 0 || n < least {
				rarest, least = c, n
			}
		})
		if least == 0 {
			x.all = append(x.all, i)
		} else {
			x.filed[rarest] = append(x.filed[rarest], i)
		}
	}
	return x
}

func (s SourceMatch) visitConditions(visit func(sourceCondition)) {
	if s.Namespace != "" {
		visit(sourceCondition{"", s.Namespace})
	}
	for k, v := range s.Labels {
		visit(sourceCondition{k, v})
	}
}

// Containing returns the positions of the sources that contain s, including s
// itself, ascending.
func (x *SourceSet) Containing(s SourceMatch) []int {
	found := slices.Clone(x.all)
	s.visitConditions(func(c sourceCondition) {
		for _, i := range x.filed[c] {
			if x.sources[i].Contains(s) {
				found = append(found, i)
			}
		}
	})
	slices.Sort(found)
	return found
}

// Including returns the positions of the sources that include a workload,
// ascending.
func (x *SourceSet) Including(w *world.Workload) []int {
	return x.Containing(SourceMatch{Namespace: w.Namespace, Labels: w.Labels})
}
