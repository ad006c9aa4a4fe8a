package selector_test

import (
	"fmt"
	"testing"

	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// TestLongListsAdmitWhatShortOnesDo asks one element with many references what
// elements with one reference each say.
func TestLongListsAdmitWhatShortOnesDo(t *testing.T) {
	t.Parallel()
	east, west := &world.Mesh{Type: world.MeshIstio, Cluster: "east", TrustDomain: "east.example"}, &world.Mesh{Type: world.MeshIstio, Cluster: "west", TrustDomain: "west.example"}
	w := &world.World{Meshes: []world.Mesh{*east, *west}}
	for _, m := range []*world.Mesh{east, west} {
		for n := range 6 {
			for a := range 6 {
				w.Workloads = append(w.Workloads, world.Workload{Mesh: m, Namespace: fmt.Sprint("n", n), ServiceAccount: fmt.Sprint("a", a)})
			}
		}
	}
	refs := []core.ClusterObjectRef{{Namespace: "n5", ClusterName: "west"}, {Name: "a5", ClusterName: "east"}, {Name: "a4", Namespace: "n4"}}
	for i := range 12 {
		refs = append(refs, core.ClusterObjectRef{Name: fmt.Sprint("a", i%4), Namespace: fmt.Sprint("n", i%3), ClusterName: "east"})
	}
	trust := selector.NewTrustDomains(w)
	grants := func(refs []core.ClusterObjectRef) []selector.Grant {
		found, problems := selector.Grants(trust, []core.IdentitySelector{{KubeServiceAccountRefs: &core.KubeServiceAccountRefs{ServiceAccounts: refs}}})
		if len(problems) > 0 {
			t.Fatal(problems)
		}
		return found
	}
	long, admitted := grants(refs)[0], 0
	for i := range w.Workloads {
		id, _ := selector.IdentityOf(&w.Workloads[i])
		want := false
		for _, ref := range refs {
			want = want || grants([]core.ClusterObjectRef{ref})[0].Admits(id, true)
		}
		if got := long.Admits(id, true); got != want {
			t.Errorf("%s: got %v, want %v", id, got, want)
		}
		if want {
			admitted++
		}
	}
	if admitted == 0 || admitted == len(w.Workloads) {
		t.Errorf("%d of %d are admitted, which shows nothing", admitted, len(w.Workloads))
	}
}
