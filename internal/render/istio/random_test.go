package istio_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	networking "istio.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// FuzzRender holds what is rendered of any world against what must be true of
// it. A failing world is named by its seed.
func FuzzRender(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(seed)
	}
	validator := validation.New()
	f.Fuzz(func(t *testing.T, seed uint64) { checkWorld(t, validator, seed) })
}

// TestRandomWorlds is a short run of FuzzRender that is the same every time.
func TestRandomWorlds(t *testing.T) {
	t.Parallel()
	validator := validation.New()
	for seed := range uint64(100) {
		checkWorld(t, validator, seed)
		if t.Failed() {
			t.Fatalf("in the world of seed %d", seed)
		}
	}
}

func checkWorld(t *testing.T, validator *validation.Validator, seed uint64) {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 1))
	objects := randomworld.Objects(random)
	randomworld.AddPods(random, objects)
	if seed%2 == 0 {
		randomworld.Federate(random, &objects)
	}
	validate(t, validator, &objects)

	all := render(objects)
	text := all.text(t, everything)
	mixed := randomworld.Shuffled(random, objects)
	if shuffled := render(mixed).text(t, everything); shuffled != text {
		t.Errorf("the order of the objects changes what is rendered (-given +shuffled)\n%s", cmp.Diff(text, shuffled))
	}
	checkIdentities(t, all)
	checkReferences(t, all)
	checkParents(t, all)
	checkRules(t, all.objects)
	checkTLSModes(t, all)
	if seed%8 == 0 {
		checkSchemas(t, all.objects)
	}
	checkUnrelatedPolicy(t, objects, all)
}

// checkTLSModes finds the rules for Services in their own cluster without a TLS
// mode: exactly those for Services with pods that have no proxy, unless Settings or
// a policy set one.
func checkTLSModes(t *testing.T, all rendered) {
	t.Helper()
	w := all.result.World
	for _, o := range all.objects {
		rule, ok := o.Spec.(*networking.DestinationRule)
		if !ok || o.Federates != "" || rule.TrafficPolicy == nil {
			continue
		}
		sets := w.Settings != nil
		for _, p := range o.Parents {
			sets = sets || p.Kind == "TrafficPolicy"
		}
		bare := slices.ContainsFunc(w.Destinations, func(d world.Destination) bool {
			return d.IsService() && d.Ref.ClusterName == o.Cluster && d.Hostname == rule.Host && w.HasBarePods(&d)
		})
		switch {
		case rule.TrafficPolicy.Tls == nil && !bare:
			t.Errorf("%s has no TLS mode", o.ID())
		case rule.TrafficPolicy.Tls != nil && bare && !sets:
			t.Errorf("%s has a TLS mode, but nothing sets one, and some pods have no proxy", o.ID())
		}
	}
}

func everything(*istio.Object) bool { return true }

// validate gives every object of the user the errors that its schema would.
func validate(t *testing.T, validator *validation.Validator, objects *world.Objects) {
	t.Helper()
	validateKind(t, validator, "TrafficPolicy", objects.TrafficPolicies)
	validateKind(t, validator, "AccessPolicy", objects.AccessPolicies)
	validateKind(t, validator, "VirtualMesh", objects.VirtualMeshes)
}

func validateKind[T any](t *testing.T, validator *validation.Validator, kind string, objects []world.Object[T]) {
	t.Helper()
	gvk := schema.GroupVersionKind{Group: networkingv1.GroupName, Version: "v1", Kind: kind}
	for i := range objects {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(objects[i].Resource)
		if err != nil {
			t.Fatal(err)
		}
		report, err := validator.Check(gvk, fields)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range report.Errors {
			objects[i].Errors = append(slices.Clip(objects[i].Errors), e.String())
		}
	}
}

func checkIdentities(t *testing.T, all rendered) {
	t.Helper()
	seen := map[world.ObjectID]bool{}
	for i := range all.objects {
		id := all.objects[i].ID()
		if seen[id] {
			t.Errorf("%s is rendered twice", id)
		}
		seen[id] = true
	}
}

// checkReferences holds that every host and subset that is named is known in
// the cluster.
func checkReferences(t *testing.T, all rendered) {
	t.Helper()
	hosts, subsets := map[string]bool{}, map[string]bool{}
	world := all.result.World
	for i := range world.Destinations {
		if d := &world.Destinations[i]; d.IsService() {
			hosts[d.Ref.ClusterName+" "+d.Hostname] = true
		}
	}
	for i := range all.objects {
		o := &all.objects[i]
		switch spec := o.Spec.(type) {
		case *networking.ServiceEntry:
			hosts[o.Cluster+" "+spec.Hosts[0]] = true
		case *networking.DestinationRule:
			for _, s := range spec.Subsets {
				subsets[o.Cluster+" "+spec.Host+" "+s.Name] = true
			}
		}
	}
	for i := range all.objects {
		o := &all.objects[i]
		check := func(host, subset string) {
			if !hosts[o.Cluster+" "+host] {
				t.Errorf("%s names host %s, which is not known in %s", o.ID(), host, o.Cluster)
			}
			if subset != "" && !subsets[o.Cluster+" "+host+" "+subset] {
				t.Errorf("%s names subset %s of host %s, which is not known in %s", o.ID(), subset, host, o.Cluster)
			}
		}
		switch spec := o.Spec.(type) {
		case *networking.DestinationRule:
			check(spec.Host, "")
		case *networking.VirtualService:
			check(spec.Hosts[0], "")
			for _, route := range spec.Http {
				for _, to := range route.Route {
					check(to.Destination.Host, to.Destination.Subset)
				}
				if route.Mirror != nil {
					check(route.Mirror.Host, route.Mirror.Subset)
				}
			}
		}
	}
}

// checkParents holds that nothing comes from what is not in force.
func checkParents(t *testing.T, all rendered) {
	t.Helper()
	invalid := map[world.ObjectID]bool{}
	for i := range all.result.TrafficPolicies {
		p := &all.result.TrafficPolicies[i]
		invalid[p.ID()] = len(p.EffectiveDestinations()) == 0
	}
	for i := range all.result.AccessPolicies {
		p := &all.result.AccessPolicies[i]
		invalid[p.ID()] = len(p.EffectiveDestinations()) == 0
	}
	for i := range all.result.VirtualMeshes {
		vm := &all.result.VirtualMeshes[i]
		invalid[vm.ID()] = !vm.Effective
	}
	for i := range all.objects {
		o := &all.objects[i]
		if len(o.Parents) == 0 {
			t.Errorf("%s comes from nothing", o.ID())
		}
		for _, parent := range o.Parents {
			if invalid[parent] {
				t.Errorf("%s comes from %s, which is not in force", o.ID(), parent)
			}
		}
	}
}

// checkUnrelatedPolicy adds a policy about one Service, and one that is
// INVALID: no object of another Service may change.
func checkUnrelatedPolicy(t *testing.T, objects world.Objects, before rendered) {
	t.Helper()
	w := before.result.World
	if len(w.Destinations) == 0 || !w.Destinations[0].IsService() {
		return
	}
	d := &w.Destinations[0]
	about := &networkingv1.TrafficPolicy{}
	about.Name, about.Namespace = "zz-about-one", world.DefaultNamespace
	about.Spec.DestinationSelector = selecting(d.Ref)
	about.Spec.Policy = &networkingv1.TrafficPolicyPolicy{Retries: &networkingv1.RetryPolicy{Attempts: 9}}
	invalid := about.DeepCopy()
	invalid.Name, invalid.Spec.DestinationSelector = "zz-invalid", nil
	objects.TrafficPolicies = append(slices.Clip(objects.TrafficPolicies),
		world.Object[networkingv1.TrafficPolicy]{Resource: about},
		world.Object[networkingv1.TrafficPolicy]{Resource: invalid, Errors: []string{"it is broken"}})
	after := render(objects)
	others := func(o *istio.Object) bool {
		return o.Federates != d.Key() && (o.Namespace != d.Ref.Namespace || o.Name != d.Ref.Name || o.Cluster != d.Ref.ClusterName)
	}
	before.omissions, after.omissions = nil, nil
	if diff := cmp.Diff(before.text(t, others), after.text(t, others)); diff != "" {
		t.Errorf("a policy about %s changes other objects (-without +with)\n%s", d.Key(), diff)
	}
}
