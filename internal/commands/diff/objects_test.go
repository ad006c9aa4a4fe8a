package diff

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/genworld"
	"github.com/meshctl/meshctl/internal/world"
)

// The differences between two random worlds are those between their manifests.
func TestDifferencesOfRandomWorlds(t *testing.T) {
	t.Parallel()
	kinds := map[kube.ChangeKind]int{}
	for seed := range uint64(8) {
		objects := genworld.Objects(genworld.Size{Clusters: 3, Services: 6, Traffic: 30, Access: 12, Seed: seed + 1})
		fewer := objects
		fewer.TrafficPolicies = fewer.TrafficPolicies[len(fewer.TrafficPolicies)/4:]
		more := objects
		more.TrafficPolicies = more.TrafficPolicies[:len(more.TrafficPolicies)*3/4]
		was, is := rendererOf(fewer), rendererOf(more)
		for _, cluster := range is.Clusters() {
			before, _ := was.Cluster(cluster)
			after, _ := is.Cluster(cluster)
			if seed%2 == 1 {
				before, after = after, before
			}
			var got []string
			for _, d := range differences(cluster, before, after) {
				kinds[d.kind()]++
				got = append(got, cmdutil.ChangeSign(d.kind())+identity(d.object()))
			}
			slices.Sort(got)
			if diff := cmp.Diff(manifestDifferences(t, before, after), got); diff != "" {
				t.Fatalf("seed %d, %s (-want +got):\n%s", seed, cluster, diff)
			}
			if same := differences(cluster, before, before); len(same) > 0 {
				t.Fatalf("a cluster differs from itself: %v", same[0].object().ID())
			}
		}
	}
	if len(kinds) != 3 {
		t.Errorf("the worlds show only %v", kinds)
	}
}

func rendererOf(objects world.Objects) *istio.Renderer {
	return istio.New(policy.Evaluate(world.New(objects)), istio.Options{})
}

// manifestDifferences compares the text of all manifests.
func manifestDifferences(t *testing.T, before, after []istio.Object) []string {
	t.Helper()
	texts := func(objects []istio.Object) map[string]string {
		all := map[string]string{}
		for i := range objects {
			text, err := istio.NewEncoder().YAML(&objects[i])
			if err != nil {
				t.Fatal(err)
			}
			all[identity(&objects[i])] = string(text)
		}
		return all
	}
	was, is := texts(before), texts(after)
	var found []string
	for name, text := range was {
		if other, both := is[name]; !both {
			found = append(found, "-"+name)
		} else if other != text {
			found = append(found, "~"+name)
		}
	}
	for name := range is {
		if _, both := was[name]; !both {
			found = append(found, "+"+name)
		}
	}
	slices.Sort(found)
	return found
}
