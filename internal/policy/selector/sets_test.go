package selector_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// TestMatchSetFindsWhatComparingAllFinds holds the short cut to the long way.
func TestMatchSetFindsWhatComparingAllFinds(t *testing.T) {
	t.Parallel()
	found := 0
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 1))
		var matchers []core.HTTPMatcher
		for range 60 {
			matchers = append(matchers, randomMatcher(random))
		}
		matches := selector.RequestMatches(matchers)
		random.Shuffle(len(matches), func(i, k int) { matches[i], matches[k] = matches[k], matches[i] })
		half := matches[:len(matches)/2]
		set := selector.NewMatchSet(half)
		for _, m := range append(matches, nil) {
			want := slices.IndexFunc(half, func(other *selector.RequestMatch) bool { return other.Contains(m) })
			if got := set.First(m); got != want {
				t.Fatalf("seed %d, %s: got %d, want %d", seed, m.Key(), got, want)
			}
			if want >= 0 && half[want].Key() != m.Key() {
				found++
			}
		}
	}
	if found < 100 {
		t.Errorf("only %d matches are contained in others, which shows little", found)
	}
}

func randomMatcher(random *rand.Rand) core.HTTPMatcher {
	path := [...]string{"/", "/a", "/A", "/a/b", "/a/b.html", "b.html", "html", "/a/.*"}[random.IntN(8)]
	var m core.HTTPMatcher
	switch random.IntN(6) {
	case 0:
		m.URI = &core.StringMatch{Exact: &path, IgnoreCase: random.IntN(3) == 0}
	case 1, 2:
		m.URI = &core.StringMatch{Prefix: &path, IgnoreCase: random.IntN(3) == 0}
	case 3:
		m.URI = &core.StringMatch{Suffix: &path}
	case 4:
		m.URI = &core.StringMatch{Regex: &path}
	}
	if random.IntN(3) == 0 {
		m.Method = [...]string{"GET", "POST"}[random.IntN(2)]
	}
	for i := range random.IntN(3) {
		m.Headers = append(m.Headers, core.HeaderMatcher{Name: fmt.Sprint("h", i), Value: fmt.Sprint(random.IntN(2))})
	}
	if random.IntN(4) == 0 {
		m.QueryParameters = append(m.QueryParameters, core.QueryParameterMatcher{Name: "q", Value: fmt.Sprint(random.IntN(2))})
	}
	return m
}

// TestSourceSetFindsWhatComparingAllFinds holds the short cut to the long way.
func TestSourceSetFindsWhatComparingAllFinds(t *testing.T) {
	t.Parallel()
	for seed := range uint64(60) {
		random := rand.New(rand.NewPCG(seed, 2))
		var sources []selector.SourceMatch
		for range 40 {
			sources = append(sources, randomSource(random))
		}
		set := selector.NewSourceSet(sources)
		for _, s := range append(sources, randomSource(random)) {
			var want []int
			for i, other := range sources {
				if other.Contains(s) {
					want = append(want, i)
				}
			}
			if diff := cmp.Diff(want, set.Containing(s)); diff != "" {
				t.Fatalf("seed %d, %q (-want +got):\n%s", seed, s.Key(), diff)
			}
			if diff := cmp.Diff(want, set.Including(&world.Workload{Namespace: s.Namespace, Labels: s.Labels})); diff != "" {
				t.Fatalf("seed %d, workload %q (-want +got):\n%s", seed, s.Key(), diff)
			}
		}
	}
}

func randomSource(random *rand.Rand) selector.SourceMatch {
	var s selector.SourceMatch
	if random.IntN(2) == 0 {
		s.Namespace = fmt.Sprint("n", random.IntN(3))
	}
	for i := range random.IntN(4) {
		if s.Labels == nil {
			s.Labels = map[string]string{}
		}
		s.Labels[fmt.Sprint("l", i)] = fmt.Sprint(random.IntN(2))
	}
	return s
}
