// Package randomworld generates small worlds that contain every kind of error sooner or later:
// dangling references, meshes in two virtual meshes, Services that share pods, conflicting
// policies, and settings that violate the schema. The same source of randomness always gives
// the same world.
package randomworld

import (
	"math/rand/v2"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Objects returns the objects of a random world.
func Objects(random *rand.Rand) world.Objects {
	g := generator{random: random}
	g.clusters = 1 + g.below(4)
	for c := range g.clusters {
		g.addMeshes(c)
		g.addServices(c)
	}
	g.addSettings()
	for i := range g.below(4) {
		g.addVirtualMesh(i)
	}
	policies := g.below(14)
	if g.chance(50) {
		policies = 101 // more than anyone would resolve by hand
	}
	for i := range policies {
		g.addTrafficPolicy(i)
	}
	for i := range g.below(6) {
		g.addAccessPolicy(i)
	}
	g.addProxies()
	return g.objects
}

// Shuffled returns the same objects in another order.
func Shuffled(random *rand.Rand, o world.Objects) world.Objects {
	o.VirtualMeshes = shuffled(random, o.VirtualMeshes)
	o.TrafficPolicies = shuffled(random, o.TrafficPolicies)
	o.AccessPolicies = shuffled(random, o.AccessPolicies)
	o.Meshes = shuffled(random, o.Meshes)
	o.Workloads = shuffled(random, o.Workloads)
	o.Destinations = shuffled(random, o.Destinations)
	o.Settings = shuffled(random, o.Settings)
	o.KubernetesClusters = shuffled(random, o.KubernetesClusters)
	return o
}

func shuffled[T any](random *rand.Rand, objects []world.Object[T]) []world.Object[T] {
	mixed := make([]world.Object[T], len(objects))
	for to, from := range random.Perm(len(objects)) {
		mixed[to] = objects[from]
	}
	return mixed
}

type generator struct {
	random   *rand.Rand
	clusters int
	objects  world.Objects
}

func (g *generator) below(n int) int { return g.random.IntN(n) }

// chance is true once in n times.
func (g *generator) chance(n int) bool { return g.random.IntN(n) == 0 }

func pick[T any](g *generator, values ...T) T { return values[g.random.IntN(len(values))] }

// some returns up to three of the values, in any order and perhaps repeated.
func some[T any](g *generator, values ...T) []T {
	var picked []T
	for range g.below(4) {
		picked = append(picked, pick(g, values...))
	}
	return picked
}

func ptr[T any](value T) *T { return &value }

// maybe returns the value once in n times, else nil.
func maybe[T any](g *generator, n int, value T) *T {
	if g.chance(n) {
		return &value
	}
	return nil
}

// Names of objects and references. The last ones do not exist.
func clusterNames() []string { return []string{"east", "west", "north", "south", "nowhere"} }

func namespaces() []string { return []string{"shop", "bank", "void"} }

func serviceNames() []string { return []string{"cart", "pay", "stock", "mail", "ghost"} }

func (g *generator) cluster() string { return pick(g, clusterNames()...) }

// anyNamespace sometimes returns a wildcard, which selects nothing.
func (g *generator) anyNamespace() string {
	if g.chance(30) {
		return "*"
	}
	return pick(g, namespaces()...)
}

func (g *generator) service() core.ClusterObjectRef {
	if g.chance(25) {
		return core.ClusterObjectRef{Name: pick(g, serviceNames()...)}
	}
	return core.ClusterObjectRef{
		Name: pick(g, serviceNames()[:4]...), Namespace: pick(g, namespaces()[:2]...),
		ClusterName: pick(g, clusterNames()[:g.clusters]...),
	}
}

func (g *generator) labels() map[string]string {
	labels := map[string]string{}
	if g.chance(2) {
		labels["app"] = pick(g, serviceNames()...)
	}
	if g.chance(2) {
		labels["version"] = pick(g, "v1", "v2", "v3")
	}
	if g.chance(30) {
		labels["app"] = "*"
	}
	return labels
}

func (g *generator) mesh() core.ObjectRef {
	return core.ObjectRef{Name: "mesh-" + g.cluster() + pick(g, "", "", "", "-2"), Namespace: world.DefaultNamespace}
}

// meta returns the metadata of a policy. Some policies have the same creation time, and some
// have none.
func (g *generator) meta(name string) metav1.ObjectMeta {
	meta := metav1.ObjectMeta{Name: name, Namespace: pick(g, world.DefaultNamespace, "other")}
	if g.chance(3) {
		meta.CreationTimestamp = metav1.NewTime(time.Date(2026, 1, 1, 0, g.below(4), 0, 0, time.UTC))
	}
	return meta
}

// errors returns schema violations of an object, usually none.
func (g *generator) errors() []string {
	if g.chance(25) {
		return []string{"spec.made: up"}
	}
	return nil
}
