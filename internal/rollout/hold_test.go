package rollout

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/load"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// bundledFleet is the fleet of the bundled world of two clusters.
func bundledFleet(t *testing.T) *fleet {
	t.Helper()
	objects, err := load.Files(t.Context(), load.FileOptions{Paths: []string{"../../testdata/worlds/bookinfo-two-clusters"}, Recursive: true}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	return newFleet(objects, "east", "west")
}

// What is held back is new once, stays known while a cluster cannot be compared, and is
// released once, whatever else happens in between.
func TestHeldBackOncePerChange(t *testing.T) {
	t.Parallel()
	f := bundledFleet(t)
	type news struct{ All, New, Released []string }
	lines := func(holds []Hold) []string {
		all := []string{}
		for _, h := range holds {
			all = append(all, h.Cluster+": "+h.Subject)
		}
		slices.Sort(all)
		return all
	}
	var got news
	var repeated bool
	w := f.watcher(t, func(p *Pass) {
		got, repeated = news{lines(p.Held), lines(p.NewlyHeld), lines(p.Released)}, p.Repeated
	})
	pass := func(name string, want news) {
		t.Helper()
		_ = w.pass(t.Context()) // its error says only that not everything was written
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	vm := &f.objects.VirtualMeshes[0]
	timeout := func(seconds int) { // a change that has nothing to do with it
		for _, o := range f.objects.TrafficPolicies {
			if p := o.Resource.Spec.Policy; p != nil && p.RequestTimeout != nil {
				p.RequestTimeout = core.NewDuration(time.Duration(seconds) * time.Second)
			}
		}
	}
	none := []string{}
	var held []string
	for _, cluster := range []string{"east", "west"} {
		for _, object := range []string{
			"AuthorizationPolicy allow-ingress-gateway-istio-ingressgateway", "AuthorizationPolicy global-access-control", "PeerAuthentication default",
		} {
			held = append(held, cluster+": delete "+object+" in istio-system")
		}
	}
	pass("at first", news{none, none, none})
	vm.Errors = []string{"broken"}
	pass("broken", news{held, held, none})
	pass("still broken", news{held, none, none})
	timeout(7)
	pass("still broken, and something else changed", news{held, none, none})
	if repeated {
		t.Error("what was written for the other change is not reported")
	}
	vm.Errors = []string{"broken otherwise"}
	pass("for another reason", news{held, held, none})
	f.failures["west"] = errors.New("no answer")
	pass("west cannot be compared", news{held, none, none})
	delete(f.failures, "west")
	pass("west is back", news{held, none, none})
	vm.Errors = nil
	pass("repaired", news{none, none, held})
	pass("still repaired", news{none, none, none})

	at := slices.IndexFunc(f.objects.Meshes, func(o world.Object[discoveryv1.Mesh]) bool { return o.Resource.Name == "istiod-istio-system-west" })
	f.objects.Meshes[at].Resource.Spec.Istio.TrustDomain = "fresh.example"
	domain := []string{"west: trust domain of mesh istiod-istio-system-west"}
	pass("another trust domain", news{domain, domain, none})
	timeout(8)
	pass("still another trust domain", news{domain, none, none})
	f.failures["west"] = errors.New("no answer")
	pass("west cannot be compared", news{domain, none, none})
	delete(f.failures, "west")
	key := "istiod-istio-system-west.gloo-mesh."
	f.objects.VirtualMeshes[0].Resource.Status.Meshctl.TrustDomains[key] = "fresh.example"
	pass("accepted", news{none, none, domain})
}
