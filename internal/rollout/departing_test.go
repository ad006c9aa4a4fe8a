package rollout

import (
	"encoding/json"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// domainOf is the trust domain of the mesh of a cluster.
func domainOf(cluster string) string { return cluster + ".example" }

// newDepartingFleet returns the fleet of a random world in which members depend on each
// other: they share virtual meshes that deny and enforce, and access policies name
// callers and Services of several of them.
func newDepartingFleet(seed uint64) *fleet {
	random := rand.New(rand.NewPCG(seed, 7))
	var objects world.Objects
	var clusters []string
	for len(clusters) < 2 {
		objects = randomworld.Objects(random)
		clusters = istioClusters(objects)
	}
	if random.IntN(2) == 0 {
		randomworld.Federate(random, &objects)
	}
	for _, o := range objects.Meshes {
		if istio := o.Resource.Spec.Istio; istio != nil && istio.Installation != nil {
			istio.TrustDomain = domainOf(istio.Installation.Cluster)
		}
	}
	objects.TrafficPolicies = objects.TrafficPolicies[:min(len(objects.TrafficPolicies), 8)] // they protect little
	for i := range objects.VirtualMeshes {
		vm := &objects.VirtualMeshes[i].Resource.Spec
		if random.IntN(3) > 0 {
			vm.GlobalAccessPolicy = networkingv1.GlobalAccessPolicyEnabled
		}
		if vm.Federation != nil && random.IntN(3) > 0 {
			vm.Federation.TLSEnforcementSettings = &networkingv1.TLSEnforcementSettings{EnforcementMode: networkingv1.EnforcementModeStrict}
		}
	}
	for _, o := range objects.AccessPolicies {
		shareAccess(random, &o.Resource.Spec, objects)
	}
	return newFleet(objects, clusters...)
}

// istioClusters returns the clusters with an Istio mesh that is installed there, sorted.
func istioClusters(objects world.Objects) []string {
	found := map[string]bool{}
	for _, o := range objects.Meshes {
		if istio := o.Resource.Spec.Istio; istio != nil && istio.Installation != nil && len(o.Errors) == 0 {
			found[istio.Installation.Cluster] = true
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// shareAccess makes some access policies be about Services and callers that exist, of
// several clusters.
func shareAccess(random *rand.Rand, spec *networkingv1.AccessPolicySpec, objects world.Objects) {
	if random.IntN(3) == 0 {
		return // as it is
	}
	services := &core.KubeServiceRefs{}
	for range 1 + random.IntN(3) {
		if ref := serviceRef(objects.Destinations[random.IntN(len(objects.Destinations))].Resource); ref != nil {
			services.Services = append(services.Services, *ref)
		}
	}
	if len(services.Services) > 0 {
		spec.DestinationSelector = []core.DestinationSelector{{KubeServiceRefs: services}}
	}
	if random.IntN(2) == 0 || len(objects.Workloads) == 0 {
		return
	}
	accounts := &core.KubeServiceAccountRefs{}
	for range 1 + random.IntN(3) {
		k := objects.Workloads[random.IntN(len(objects.Workloads))].Resource.Spec.Kubernetes
		if k == nil || k.Controller == nil {
			continue
		}
		accounts.ServiceAccounts = append(accounts.ServiceAccounts, core.ClusterObjectRef{Name: k.ServiceAccountName, Namespace: k.Controller.Namespace, ClusterName: k.Controller.ClusterName})
	}
	if len(accounts.ServiceAccounts) > 0 {
		spec.SourceSelector = []core.IdentitySelector{{KubeServiceAccountRefs: accounts}}
	}
}

func serviceRef(d *discoveryv1.Destination) *core.ClusterObjectRef {
	if d.Spec.KubeService == nil {
		return nil
	}
	return d.Spec.KubeService.Ref
}

// everyKind stands for all discovered kinds.
const everyKind = ""

// forget removes what was discovered in a cluster, of some kinds.
func (f *fleet) forget(cluster string, kinds ...string) {
	f.drop(func(kind, of, _ string) bool {
		return of == cluster && (slices.Contains(kinds, kind) || slices.Contains(kinds, everyKind))
	})
}

// forgetSome removes any part of what was discovered in a cluster.
func (f *fleet) forgetSome(random *rand.Rand, cluster string) {
	f.drop(func(_, of, _ string) bool { return of == cluster && random.IntN(2) == 0 })
}

// forgetService removes one Service of a cluster; its pods stay.
func (f *fleet) forgetService(random *rand.Rand, cluster string) {
	var names []string
	f.drop(func(kind, of, name string) bool {
		if kind == "Destination" && of == cluster {
			names = append(names, name)
		}
		return false
	})
	if len(names) == 0 {
		return
	}
	name := names[random.IntN(len(names))]
	f.drop(func(kind, _, other string) bool { return kind == "Destination" && other == name })
}

// drop removes the discovered objects that are gone, given by kind, cluster and name.
func (f *fleet) drop(gone func(kind, cluster, name string) bool) {
	f.objects.Meshes = dropObjects(f.objects.Meshes, func(m *discoveryv1.Mesh) bool { return gone("Mesh", world.MeshCluster(m.Spec), m.Name) })
	f.objects.Workloads = dropObjects(f.objects.Workloads, func(w *discoveryv1.Workload) bool { return gone("Workload", workloadCluster(w), w.Name) })
	f.objects.Destinations = dropObjects(f.objects.Destinations, func(d *discoveryv1.Destination) bool { return gone("Destination", serviceCluster(d), d.Name) })
}

func dropObjects[T any](objects []world.Object[T], gone func(*T) bool) []world.Object[T] {
	return slices.DeleteFunc(slices.Clone(objects), func(o world.Object[T]) bool { return gone(o.Resource) })
}

func workloadCluster(w *discoveryv1.Workload) string {
	if k := w.Spec.Kubernetes; k != nil && k.Controller != nil {
		return k.Controller.ClusterName
	}
	return ""
}

func serviceCluster(d *discoveryv1.Destination) string {
	if ref := serviceRef(d); ref != nil {
		return ref.ClusterName
	}
	return ""
}

// rename replaces a name in all that was discovered in a cluster, except for trust
// domains, which do not depend on it.
func (f *fleet) rename(cluster, name, by string) {
	renameObjects(f.objects.Meshes, name, by, func(m *discoveryv1.Mesh) bool { return world.MeshCluster(m.Spec) == cluster })
	renameObjects(f.objects.Workloads, name, by, func(w *discoveryv1.Workload) bool { return workloadCluster(w) == cluster })
	renameObjects(f.objects.Destinations, name, by, func(d *discoveryv1.Destination) bool { return serviceCluster(d) == cluster })
	for _, o := range f.objects.Meshes {
		if istio := o.Resource.Spec.Istio; istio != nil && istio.Installation != nil && istio.TrustDomain == domainOf(by) {
			istio.TrustDomain = domainOf(cluster)
		}
	}
}

func renameObjects[T any](objects []world.Object[T], name, by string, concerns func(*T) bool) {
	for i := range objects {
		if !concerns(objects[i].Resource) {
			continue
		}
		text, err := json.Marshal(objects[i].Resource)
		if err != nil {
			panic(err)
		}
		var renamed T
		if err := json.Unmarshal([]byte(strings.ReplaceAll(string(text), name, by)), &renamed); err != nil {
			panic(err)
		}
		objects[i].Resource = &renamed
	}
}

// claim has the mesh of a cluster report another trust domain.
func (f *fleet) claim(cluster, domain string) {
	for _, o := range f.objects.Meshes {
		if istio := o.Resource.Spec.Istio; istio != nil && world.MeshCluster(o.Resource.Spec) == cluster {
			if o.Resource.Annotations == nil {
				o.Resource.Annotations = map[string]string{discoveryv1.TrustDomainAnnotation: istio.TrustDomain}
			}
			istio.TrustDomain = domain
		}
	}
}

// claimAnew is claim by a mesh that was removed and discovered again. Nothing knows the
// trust domain before of one that no VirtualMesh lists.
func (f *fleet) claimAnew(cluster, domain string) {
	listed := map[core.ObjectRef]bool{}
	for _, o := range f.objects.VirtualMeshes {
		for _, ref := range o.Resource.Spec.Meshes {
			listed[ref] = true
		}
	}
	for _, o := range f.objects.Meshes {
		istio, ref := o.Resource.Spec.Istio, core.ObjectRef{Name: o.Resource.Name, Namespace: o.Resource.Namespace}
		if istio != nil && listed[ref] && world.MeshCluster(o.Resource.Spec) == cluster {
			istio.TrustDomain, o.Resource.Status = domain, discoveryv1.MeshStatus{}
			o.Resource.Annotations = map[string]string{discoveryv1.TrustDomainAnnotation: domain}
		}
	}
}

// returnAs has all clusters be members as in another fleet, with what was discovered
// there. What was applied since stays.
func (f *fleet) returnAs(base *fleet) {
	again := base.copy()
	f.objects.Meshes, f.objects.Workloads, f.objects.Destinations = again.objects.Meshes, again.objects.Workloads, again.objects.Destinations
	f.members, f.failures = maps.Clone(f.stores), map[string]error{}
}

// copy returns a fleet that changes without the receiver.
func (f *fleet) copy() *fleet {
	other := &fleet{governedWorld: governedWorld{objects: f.objects}, stores: map[string]*store{}, members: map[string]*store{}, failures: map[string]error{}}
	o := &other.objects
	o.VirtualMeshes = copyObjects(o.VirtualMeshes, (*networkingv1.VirtualMesh).DeepCopy)
	o.TrafficPolicies = copyObjects(o.TrafficPolicies, (*networkingv1.TrafficPolicy).DeepCopy)
	o.AccessPolicies = copyObjects(o.AccessPolicies, (*networkingv1.AccessPolicy).DeepCopy)
	o.Meshes = copyObjects(o.Meshes, (*discoveryv1.Mesh).DeepCopy)
	o.Workloads = copyObjects(o.Workloads, (*discoveryv1.Workload).DeepCopy)
	o.Destinations = copyObjects(o.Destinations, (*discoveryv1.Destination).DeepCopy)
	for name, s := range f.stores {
		duplicate := newStore()
		for path, object := range s.objects {
			duplicate.objects[path] = object.DeepCopy()
		}
		duplicate.version = s.version
		other.stores[name] = duplicate
		for member, registered := range f.members {
			if registered == s {
				other.members[member] = duplicate
			}
		}
	}
	return other
}

func copyObjects[T any](objects []world.Object[T], deepCopy func(*T) *T) []world.Object[T] {
	copied := slices.Clone(objects)
	for i := range copied {
		copied[i].Resource = deepCopy(copied[i].Resource)
	}
	return copied
}

// allProtection returns what protects each member.
func (f *fleet) allProtection(t *testing.T) protections {
	t.Helper()
	all := protections{}
	for name := range f.stores {
		all[name] = f.protectionOf(t, name)
	}
	return all
}

// withoutCallers returns a specification without the identities of a trust domain, and
// without rules that nobody else is named in.
func withoutCallers(spec map[string]any, domain string) map[string]any {
	if domain == "" {
		return spec
	}
	rules, found := spec["rules"].([]any)
	if !found {
		return spec
	}
	var others []any
	for _, rule := range rules {
		fields := maps.Clone(rule.(map[string]any))
		from, restricted := fields["from"].([]any)
		var sources []any
		for _, item := range from {
			source := maps.Clone(item.(map[string]any)["source"].(map[string]any))
			if principals, named := source["principals"].([]any); named {
				principals = slices.DeleteFunc(slices.Clone(principals), func(p any) bool { return strings.HasPrefix(p.(string), domain+"/") })
				if len(principals) == 0 {
					continue
				}
				source["principals"] = principals
			}
			sources = append(sources, map[string]any{"source": source})
		}
		if restricted && len(sources) == 0 {
			continue
		}
		if restricted {
			fields["from"] = sources
		}
		others = append(others, fields)
	}
	without := maps.Clone(spec)
	if delete(without, "rules"); len(others) > 0 {
		without["rules"] = others
	}
	return without
}
