package describe_test

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
)

// TestPoliciesAndWorkloadsAgree asks in random worlds both ways: which policies
// affect a workload, and which workloads a policy affects.
func TestPoliciesAndWorkloadsAgree(t *testing.T) {
	t.Parallel()
	for seed := range uint64(200) {
		w := world.New(randomworld.Objects(rand.New(rand.NewPCG(seed, 1))))
		result := policy.Evaluate(w)
		if diff := gocmp.Diff(effectsOfWorkloads(result), effectsOfPolicies(result)); diff != "" {
			t.Fatalf("world of seed %d: what workloads and policies say about each other (-workloads +policies):\n%s", seed, diff)
		}
	}
}

func positions(count int) []int {
	all := make([]int, count)
	for i := range all {
		all[i] = i
	}
	return all
}

// effect is a workload that a policy affects.
type effect struct{ Policy, Role, Workload string }

// effectsOfWorkloads asks the workloads.
func effectsOfWorkloads(result *policy.Result) []effect {
	var effects []effect
	list := describe.Workloads(result, result.World.WorkloadPointers(), describe.WorkloadOptions{Details: true})
	for i := range list.Items {
		for _, p := range list.Items[i].Policies {
			if len(p.Destinations) > 0 {
				effects = append(effects, effect{p.Kind + " " + p.Namespace + "/" + p.Name, string(p.Role), list.Items[i].Key()})
			}
		}
	}
	return sortedEffects(effects)
}

// effectsOfPolicies asks the policies.
func effectsOfPolicies(result *policy.Result) []effect {
	var effects []effect
	add := func(kind string, p *describe.PolicyApplication) {
		for _, w := range p.Sources {
			effects = append(effects, effect{kind + " " + p.Namespace + "/" + p.Name, string(policy.RoleSource), w})
		}
		for _, w := range p.Targets {
			effects = append(effects, effect{kind + " " + p.Namespace + "/" + p.Name, string(policy.RoleDestination), w})
		}
	}
	opts := describe.Options{Details: true}
	for _, p := range describe.TrafficPolicies(result, positions(len(result.TrafficPolicies)), opts).Items {
		add("TrafficPolicy", &p.PolicyApplication)
	}
	for _, p := range describe.AccessPolicies(result, positions(len(result.AccessPolicies)), opts).Items {
		add("AccessPolicy", &p.PolicyApplication)
	}
	return sortedEffects(effects)
}

func sortedEffects(effects []effect) []effect {
	slices.SortFunc(effects, func(a, b effect) int {
		return cmp.Or(strings.Compare(a.Policy, b.Policy), strings.Compare(a.Role, b.Role), strings.Compare(a.Workload, b.Workload))
	})
	return slices.Compact(effects)
}
