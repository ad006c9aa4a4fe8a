package istio

import (
	"cmp"
	"slices"

	"google.golang.org/protobuf/proto"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/naming"
)

// The kinds of parent resources.
const (
	kindDestination   = "Destination"
	kindTrafficPolicy = string(policy.KindTrafficPolicy)
	kindAccessPolicy  = string(policy.KindAccessPolicy)
	kindVirtualMesh   = "VirtualMesh"
)

// Options are the inputs of rendering besides the world.
type Options struct {
	// Namespace is the namespace of meshctl's own resources, gloo-mesh if empty.
	// It is the owner of rendered objects.
	Namespace string
	// Foreign are the known AUTO_PASSTHROUGH Gateways that meshctl does not own,
	// by cluster.
	Foreign map[string][]ForeignGateway
}

// Renderer renders the objects of one evaluated world, cluster by cluster.
// Objects that are equal in several clusters are rendered once and shared. It is
// not safe for concurrent use.
type Renderer struct {
	result   *policy.Result
	world    *world.World
	owner    string
	features feature.Features
	// foreign are the Gateways that meshctl does not own, by cluster.
	foreign map[string][]ForeignGateway

	// subsets are the subsets of every Destination to which policies send
	// requests.
	subsets     map[int][]subset
	subsetNames map[subsetKey]string
	// exports are indexed by Destination; nil for those that are not exposed to
	// other clusters.
	exports []*export
	// deciding are the clusters, of callers or of targets, for which a
	// TrafficPolicy has settings of its own; indexed by policy.
	deciding [][]string
	// imported caches the traffic from other clusters to Destinations.
	imported map[importKey]*traffic
	// omissions are the omissions that do not depend on rendering a cluster, by
	// cluster.
	omissions map[string][]Omission
}

// New prepares rendering of an evaluated world.
func New(result *policy.Result, options Options) *Renderer {
	r := &Renderer{
		result: result, world: result.World, owner: cmp.Or(options.Namespace, world.DefaultNamespace), foreign: options.Foreign, features: feature.All(),
		subsets: map[int][]subset{}, subsetNames: map[subsetKey]string{}, exports: make([]*export, len(result.Destinations)),
		deciding: make([][]string, len(result.TrafficPolicies)),
		imported: map[importKey]*traffic{}, omissions: map[string][]Omission{},
	}
	r.collectSubsets()
	r.collectDeciding()
	r.collectExports()
	r.collectOmissions()
	return r
}

// Clusters returns the names of all clusters, ascending. Services without a known
// cluster are skipped.
func (r *Renderer) Clusters() []string {
	return slices.DeleteFunc(r.world.Clusters(), func(cluster string) bool { return cluster == "" })
}

// Cluster returns the objects of one cluster, sorted by kind, namespace and name,
// and its omissions, sorted.
func (r *Renderer) Cluster(name string) ([]Object, []Omission) {
	b := &builder{Renderer: r, cluster: name, places: map[place]bool{}, common: map[place]int{}}
	for i := range r.world.Destinations {
		if d := &r.world.Destinations[i]; d.IsService() && d.Ref.ClusterName == name {
			b.addLocal(d)
		}
	}
	b.addMeshes()
	b.addGateways()
	b.addImports()
	slices.SortFunc(b.objects, compareObjects)
	return b.objects, sortOmissions(append(b.omissions, r.omissions[name]...))
}

// builder collects the objects of one cluster.
type builder struct {
	*Renderer
	cluster   string
	objects   []Object
	omissions []Omission
	places    map[place]bool
	// common holds the positions of objects that several meshes share.
	common map[place]int
}

// place identifies an object in a cluster.
type place struct {
	kind            Kind
	namespace, name string
}

// add adds an object. If its name is already used, which is possible for names
// composed of several parts, a hash of the key is appended.
func (b *builder) add(kind Kind, namespace, name, key string, spec proto.Message, parents []world.ObjectID) *Object {
	at := place{kind, namespace, name}
	for text := key; b.places[at]; text += "+" {
		at.name = distinctName(name, text)
	}
	b.places[at] = true
	b.objects = append(b.objects, Object{
		Cluster: b.cluster, Kind: kind, Namespace: namespace, Name: at.name, Spec: spec, Parents: parents, Owner: b.owner,
	})
	return &b.objects[len(b.objects)-1]
}

// share adds an object that several meshes of the cluster share. If there is
// already one with another spec, it returns that one.
func (b *builder) share(kind Kind, namespace, name string, spec proto.Message, parents []world.ObjectID) (other *Object) {
	at := place{kind, namespace, name}
	i, known := b.common[at]
	if !known {
		b.common[at] = len(b.objects)
		b.add(kind, namespace, name, string(kind), spec, parents)
		return nil
	}
	there := &b.objects[i]
	if !proto.Equal(there.Spec, spec) {
		return there
	}
	there.Parents = sortedIDs(slices.Concat(there.Parents, parents))
	return nil
}

// addLocal adds the objects for requests from a Service's own cluster and for
// access to it.
func (b *builder) addLocal(d *world.Destination) {
	if !isIstio(d.Mesh) {
		b.addBareSubsets(d)
		return
	}
	t := b.traffic(d.Hostname, d, b.cluster, parentOf(kindDestination, &d.Resource.ObjectMeta))
	b.addTraffic(d.Ref.Namespace, d.Ref.Name, d, t)
	b.addAccess(d)
}

// addTraffic adds routes and connection settings.
func (b *builder) addTraffic(namespace, name string, d *world.Destination, t *traffic) {
	if t.routes != nil {
		b.add(KindVirtualService, namespace, name, d.Key(), t.routes, t.routesParents).Federates = t.federates
	}
	if t.rule.TrafficPolicy != nil || len(t.rule.Subsets) > 0 { // else it would say nothing
		b.add(KindDestinationRule, namespace, name, d.Key(), t.rule, t.ruleParents).Federates = t.federates
	}
	b.omissions = append(b.omissions, t.omissions...)
}

// addBareSubsets adds the subsets of a Service outside Istio to which policies of
// its cluster send requests.
func (b *builder) addBareSubsets(d *world.Destination) {
	subsets := b.subsets[d.ID]
	if len(subsets) == 0 {
		return
	}
	parents := append(subsetParents(subsets), parentOf(kindDestination, &d.Resource.ObjectMeta))
	b.add(KindDestinationRule, d.Ref.Namespace, d.Ref.Name, d.Key(), bareRule(d.Hostname, subsets), sortedIDs(parents))
}

func isIstio(m *world.Mesh) bool { return m != nil && m.Type == world.MeshIstio }

// hasConfigNamespace reports whether the cluster and namespace of a mesh's configuration are
// known.
func hasConfigNamespace(m *world.Mesh) bool {
	return isIstio(m) && m.Cluster != "" && m.Namespace != ""
}

func parentOf(kind string, meta *metav1.ObjectMeta) world.ObjectID {
	return world.ObjectID{Kind: kind, Namespace: meta.Namespace, Name: meta.Name}
}

func (r *Renderer) trafficParent(policy int) world.ObjectID {
	return parentOf(kindTrafficPolicy, &r.result.TrafficPolicies[policy].Resource.ObjectMeta)
}

func distinctName(name, key string) string {
	if isDNSLabel(name) {
		return distinct(name, key)
	}
	// Hostnames may be longer than labels, and keep their dots.
	return name + "-" + naming.Digest(key)[:digestLength]
}
