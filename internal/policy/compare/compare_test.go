package compare_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
)

// FuzzResults compares a random world with the same world after some of its
// objects were taken out and others of another random world were applied.
func FuzzResults(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	f.Fuzz(checkComparison)
}

// TestRandomResults is a short run of FuzzResults that is the same every
// time.
func TestRandomResults(t *testing.T) {
	t.Parallel()
	for seed := range uint64(150) {
		checkComparison(t, seed)
		if t.Failed() {
			t.Fatalf("in the worlds of seed %d", seed)
		}
	}
}

func checkComparison(t *testing.T, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	objects := randomworld.Objects(random)
	fewer := objects
	fewer.VirtualMeshes = without(random, objects.VirtualMeshes)
	fewer.TrafficPolicies = without(random, objects.TrafficPolicies)
	fewer.AccessPolicies = without(random, objects.AccessPolicies)
	other := randomworld.Objects(random)
	add := world.Objects{
		VirtualMeshes: without(random, other.VirtualMeshes), TrafficPolicies: without(random, other.TrafficPolicies),
		AccessPolicies: without(random, other.AccessPolicies),
	}
	before := policy.Evaluate(world.New(objects))
	after := policy.Evaluate(world.New(fewer).With(add))
	c := compare.Results(before, after)
	checkVerdictChanges(t, c)
	checkSettingChanges(t, c)
	checkRejections(t, c)
	checkObjects(t, c)
	if same := compare.Results(after, policy.Evaluate(after.World)); !same.IsEmpty() || len(same.Objects) > 0 {
		t.Errorf("a world differs from itself: %+v", same)
	}
}

// without returns the objects without some of them.
func without[T any](random *rand.Rand, objects []world.Object[T]) []world.Object[T] {
	return slices.DeleteFunc(slices.Clone(objects), func(world.Object[T]) bool { return random.IntN(4) == 0 })
}

// checkVerdictChanges asks both results about every call.
func checkVerdictChanges(t *testing.T, c *compare.Differences) {
	t.Helper()
	world := c.After.World
	var want, got []string
	for id := range world.Destinations {
		for _, w := range world.WorkloadPointers() {
			was, is := verdictOf(c.Before, w, id), verdictOf(c.After, w, id)
			possible := func(v reach.Verdict) bool {
				return v.Decision == reach.Allowed || v.Decision == reach.Conditional || v.Decision == reach.Unknown
			}
			differ := was.Decision != is.Decision
			if was.Decision == reach.Conditional && is.Decision == reach.Conditional {
				differ = !slices.Equal(termsOf(was), termsOf(is))
			}
			if differ && (possible(was) || possible(is)) {
				want = append(want, fmt.Sprintf("%d to %d: %s, then %s", w.ID, id, was.Decision, is.Decision))
			}
		}
	}
	for _, v := range c.Verdicts {
		for _, w := range v.Sources.Positions() {
			got = append(got, fmt.Sprintf("%d to %d: %s, then %s", w, v.Destination, v.Before, v.After))
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("verdicts that differ (-asked one by one +compared)\n%s", diff)
	}
}

func verdictOf(r *policy.Result, w *world.Workload, destination int) reach.Verdict {
	d := &r.World.Destinations[destination]
	if _, _, ok := r.Reach(w, d); !ok {
		return reach.Verdict{Decision: compare.NotFederated}
	}
	return reach.In(r).Verdict(w, d)
}

func termsOf(v reach.Verdict) []string {
	var terms []string
	for _, c := range v.Conditions {
		terms = append(terms, fmt.Sprintf("%q", fmt.Sprint(c)))
	}
	slices.Sort(terms)
	return terms
}

// checkSettingChanges follows every call that no match is about in both
// results, port by port.
func checkSettingChanges(t *testing.T, c *compare.Differences) {
	t.Helper()
	told, differs := map[string]bool{}, map[string]bool{}
	for _, s := range c.Settings {
		if s.Before == nil && s.After == nil {
			t.Errorf("%s differs on %v, but is set nowhere", s.Field, s.Destinations)
		}
		for _, d := range s.Destinations {
			for _, w := range s.Sources.Positions() {
				told[fmt.Sprintf("%s of %d on %d", s.Field, w, d)] = true
			}
		}
	}
	for id := range c.After.World.Destinations {
		for _, w := range c.After.World.WorkloadPointers() {
			_, _, was := c.Before.Reach(w, &c.Before.World.Destinations[id])
			_, _, is := c.After.Reach(w, &c.After.World.Destinations[id])
			if !was || !is {
				continue
			}
			before, after := settingsOf(c.Before, w, id), settingsOf(c.After, w, id)
			for _, at := range slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after))) {
				if before[at] == after[at] {
					continue
				}
				change := fmt.Sprintf("%s of %d on %d", at.field, w.ID, id)
				differs[change] = true
				if !told[change] {
					t.Errorf("workload %d to Destination %d: %v is %q, then %q, and nothing says so", w.ID, id, at, before[at], after[at])
				}
			}
		}
	}
	for _, s := range c.Settings {
		for _, d := range s.Destinations {
			for _, w := range s.Sources.Positions() {
				if saysForAll(s) && !differs[fmt.Sprintf("%s of %d on %d", s.Field, w, d)] {
					t.Errorf("workload %d to Destination %d: %s is said to differ, but does not", w, d, s.Field)
				}
			}
		}
	}
}

// saysForAll reports whether a change is about all requests that no match is
// about, to Destinations that all of its sources can call.
func saysForAll(s compare.SettingChange) bool {
	return s.Match == nil && !s.Everyone && !slices.Contains([]string{"outlierDetection", "mtls", "connectionPoolSettings", "tcpKeepalive"}, s.Field)
}

type fieldOfPort struct {
	field string
	port  uint32
}

// settingsOf returns what requests get that no match is about, except one that
// matches them all.
func settingsOf(r *policy.Result, w *world.Workload, destination int) map[fieldOfPort]string {
	settings := map[fieldOfPort]string{}
	for _, route := range r.RoutesFor(w, destination) {
		if !route.Match.Contains(nil) {
			continue
		}
		for _, s := range route.Settings {
			for _, port := range route.Ports {
				settings[fieldOfPort{s.Field, port}] = effectOf(s.Value)
			}
		}
	}
	return settings
}

// checkRejections compares what is said about policies that are not effective
// any more, or are again, with the state of each on every Destination.
func checkRejections(t *testing.T, c *compare.Differences) {
	t.Helper()
	was, is := rejectedIn(c.Before), rejectedIn(c.After)
	var want, got []string
	for at := range is {
		if !was[at] {
			want = append(want, "rejected: "+at)
		}
	}
	for at := range was {
		if policyOf, _, _ := strings.Cut(at, " "); !is[at] && exists(c.After, policyOf) {
			want = append(want, "restored: "+at)
		}
	}
	for name, changes := range map[string][]compare.RejectionChange{"rejected: ": c.Rejected, "restored: ": c.Restored} {
		for _, change := range changes {
			for _, d := range change.Destinations {
				got = append(got, fmt.Sprintf("%s%s on %d", name, change.Policy, d))
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, slices.Compact(got)); diff != "" {
		t.Errorf("policies (-one by one +compared)\n%s", diff)
	}
}

func rejectedIn(r *policy.Result) map[string]bool {
	rejected := map[string]bool{}
	for i := range r.TrafficPolicies {
		for d := range r.TrafficPolicies[i].Rejected {
			rejected[fmt.Sprintf("%s on %d", r.TrafficPolicies[i].ID(), d)] = true
		}
	}
	for i := range r.AccessPolicies {
		for d := range r.AccessPolicies[i].Rejected {
			rejected[fmt.Sprintf("%s on %d", r.AccessPolicies[i].ID(), d)] = true
		}
	}
	return rejected
}

func exists(r *policy.Result, id string) bool {
	return slices.ContainsFunc(r.TrafficPolicies, func(p policy.TrafficPolicy) bool { return p.ID().String() == id }) ||
		slices.ContainsFunc(r.AccessPolicies, func(p policy.AccessPolicy) bool { return p.ID().String() == id })
}

func checkObjects(t *testing.T, c *compare.Differences) {
	t.Helper()
	for _, o := range c.Objects {
		impact := compare.ImpactOf(c.Before, c.After, o.Object.Kind, o.Object.Namespace, o.Object.Name)
		if (impact == nil) != (o.Presence == compare.PresenceRemoved) {
			t.Errorf("%s is %s, and its impact is %v", o.Object, o.Presence, impact)
		}
		if impact != nil && impact.Presence != o.Presence {
			t.Errorf("%s is %s, its impact says %s", o.Object, o.Presence, impact.Presence)
		}
	}
}

// effectOf returns the text of a value.
func effectOf(value any) string {
	text, err := json.Marshal(value)
	if err != nil {
		return err.Error()
	}
	return string(text)
}
