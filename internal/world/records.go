package world

import (
	"cmp"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// MeshType names a service mesh product the way describe prints it.
type MeshType string

// The mesh types of the discovery API. Only Istio is configured; the others
// are shown (semantics 1.3).
const (
	MeshIstio         MeshType = "istio"
	MeshOSM           MeshType = "osm"
	MeshLinkerd       MeshType = "linkerd"
	MeshConsulConnect MeshType = "consulconnect"
	MeshAppMesh       MeshType = "appmesh"
	MeshUnknown       MeshType = "unknown"
)

// defaultTrustDomain is the trust domain of a mesh that does not name one
// (semantics D30).
const defaultTrustDomain = "cluster.local"

// Mesh is one discovered service mesh.
type Mesh struct {
	Resource *discoveryv1.Mesh
	// ID is the position in World.Meshes.
	ID  int
	Ref core.ObjectRef

	Type    MeshType
	Version string
	// Cluster is the cluster the control plane runs in, the first one for an
	// App Mesh; Clusters are all that the mesh spans.
	Cluster  string
	Clusters []string
	// Namespace is where the control plane is installed.
	Namespace string
	// TrustDomain is never empty (semantics D30).
	TrustDomain string
}

// Workload is one discovered controller whose pods take part in a mesh.
type Workload struct {
	Resource *discoveryv1.Workload
	// ID is the position in World.Workloads.
	ID int

	// Name, Namespace and Cluster are those of the controller, Kind its kind
	// (Deployment, DaemonSet, StatefulSet).
	Name, Namespace, Cluster, Kind string
	// Labels are the pod template's labels.
	Labels         map[string]string
	ServiceAccount string
	// Mesh is nil if the workload names none, or one that does not exist.
	Mesh *Mesh
	// Backs lists the positions of the Destinations that this workload serves.
	Backs []int
}

// Destination is one discovered Service, or an external service.
type Destination struct {
	Resource *discoveryv1.Destination
	// ID is the position in World.Destinations.
	ID int

	// Ref names the Kubernetes Service; for an external service, the resource
	// itself without a cluster.
	Ref core.ClusterObjectRef
	// Labels are the Service's own labels.
	Labels map[string]string
	// Selector is what the Service selects its pods by.
	Selector map[string]string
	// Hostname is the name inside the own cluster (semantics 3.1 step 2).
	Hostname string
	// Mesh is nil if the Destination names none, or one that does not exist.
	Mesh *Mesh
	// Backing lists the positions of the workloads behind it.
	Backing []int

	origin Origin
}

// Key returns NAME.NAMESPACE.CLUSTER, the form that users type and that status
// maps are keyed by.
func (d *Destination) Key() string {
	return d.Ref.Name + "." + d.Ref.Namespace + "." + d.Ref.ClusterName
}

// IsService reports whether the Destination is a Kubernetes Service, the only
// kind that policies act on (semantics 2.1).
func (d *Destination) IsService() bool { return d.Resource.Spec.KubeService != nil }

func (w *World) addMeshes(objects []Object[discoveryv1.Mesh]) {
	w.meshes = map[core.ObjectRef]int{}
	for _, o := range sortedObjects(objects, metaOfMesh) {
		if len(o.Errors) > 0 {
			continue
		}
		m := Mesh{
			Resource: o.Resource, ID: len(w.Meshes), Type: MeshUnknown, TrustDomain: defaultTrustDomain,
			Ref: core.ObjectRef{Name: o.Resource.Name, Namespace: o.Resource.Namespace},
		}
		describeMesh(&m, o.Resource.Spec)
		if w.refuse("Mesh", m.Ref.Name, m.Ref.Namespace, o.Origin, wrongInMesh(o.Resource.Spec)) {
			continue
		}
		if m.Cluster != "" {
			w.clusters[m.Cluster] = true
		}
		w.meshes[m.Ref] = m.ID
		w.Meshes = append(w.Meshes, m)
	}
}

// MeshCluster returns the cluster that the control plane of a mesh runs in, the
// first one for an App Mesh, "" if it is not known.
func MeshCluster(spec discoveryv1.MeshSpec) string {
	var m Mesh
	describeMesh(&m, spec)
	return m.Cluster
}

func describeMesh(m *Mesh, spec discoveryv1.MeshSpec) {
	var installation *discoveryv1.MeshInstallation
	switch {
	case spec.Istio != nil:
		m.Type, installation = MeshIstio, spec.Istio.Installation
		m.TrustDomain = cmp.Or(spec.Istio.TrustDomain, defaultTrustDomain)
	case spec.OSM != nil:
		m.Type, installation = MeshOSM, spec.OSM.Installation
	case spec.Linkerd != nil:
		m.Type, installation = MeshLinkerd, spec.Linkerd.Installation
	case spec.ConsulConnect != nil:
		m.Type, installation = MeshConsulConnect, spec.ConsulConnect.Installation
	case spec.AWSAppMesh != nil:
		m.Type = MeshAppMesh
		if clusters := spec.AWSAppMesh.Clusters; len(clusters) > 0 {
			m.Clusters = slices.Compact(slices.Sorted(slices.Values(clusters)))
			m.Cluster = m.Clusters[0]
		}
	}
	if installation != nil {
		m.Cluster, m.Namespace, m.Version = installation.Cluster, installation.Namespace, installation.Version
		m.Clusters = []string{m.Cluster}
	}
}

func (w *World) addWorkloads(objects []Object[discoveryv1.Workload]) {
	for _, o := range objects {
		if len(o.Errors) > 0 {
			continue
		}
		wl := Workload{
			Resource: o.Resource, Name: o.Resource.Name, Namespace: o.Resource.Namespace,
			Cluster: clusterLabel(o.Resource.ObjectMeta), Kind: "Workload",
		}
		if k := o.Resource.Spec.Kubernetes; k != nil {
			wl.Labels, wl.ServiceAccount = k.PodLabels, cmp.Or(k.ServiceAccountName, "default")
			if c := k.Controller; c != nil {
				wl.Name, wl.Namespace = cmp.Or(c.Name, wl.Name), cmp.Or(c.Namespace, wl.Namespace)
				wl.Cluster = cmp.Or(c.ClusterName, wl.Cluster)
				wl.Kind = controllerKind(o.Resource.Name)
			}
		}
		if ref := o.Resource.Spec.Mesh; ref != nil {
			wl.Mesh = w.MeshByRef(*ref)
		}
		if w.refuse("Workload", o.Resource.Name, o.Resource.Namespace, o.Origin, wrongInWorkload(&wl)) {
			continue
		}
		w.Workloads = append(w.Workloads, wl)
	}
	slices.SortFunc(w.Workloads, func(a, b Workload) int {
		return cmp.Or(
			strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name),
			strings.Compare(a.Cluster, b.Cluster), strings.Compare(a.Kind, b.Kind),
			compareMeta(&a.Resource.ObjectMeta, &b.Resource.ObjectMeta),
		)
	})
	w.workloads = newIndex()
	for i := range w.Workloads {
		wl := &w.Workloads[i]
		wl.ID = i
		w.workloads.add(i, wl.Cluster, wl.Namespace, wl.Labels)
		if wl.Cluster != "" {
			w.clusters[wl.Cluster] = true
		}
	}
}

// controllerKind reads the controller's kind off the resource name, which
// discovery ends with it (semantics 1.1): the API has no field for it.
func controllerKind(resourceName string) string {
	for _, kind := range []string{"Deployment", "DaemonSet", "StatefulSet", "ReplicaSet", "Job", "CronJob", "Pod"} {
		if strings.HasSuffix(resourceName, "-"+strings.ToLower(kind)) {
			return kind
		}
	}
	return "Deployment"
}

func (w *World) addDestinations(objects []Object[discoveryv1.Destination]) {
	for _, o := range objects {
		if len(o.Errors) > 0 {
			continue
		}
		d := Destination{
			Resource: o.Resource, origin: o.Origin,
			Ref: core.ClusterObjectRef{Name: o.Resource.Name, Namespace: o.Resource.Namespace},
		}
		if s := o.Resource.Spec.KubeService; s != nil {
			if s.Ref != nil {
				d.Ref = *s.Ref
			}
			d.Ref.ClusterName = cmp.Or(d.Ref.ClusterName, clusterLabel(o.Resource.ObjectMeta))
			d.Labels, d.Selector = s.Labels, s.WorkloadSelectorLabels
			d.Hostname = d.Ref.Name + "." + d.Ref.Namespace + ".svc." + w.ClusterDomain(d.Ref.ClusterName)
		}
		if ref := o.Resource.Spec.Mesh; ref != nil {
			d.Mesh = w.MeshByRef(*ref)
		}
		if w.refuse("Destination", o.Resource.Name, o.Resource.Namespace, o.Origin, wrongInDestination(&d)) {
			continue
		}
		w.Destinations = append(w.Destinations, d)
	}
	slices.SortFunc(w.Destinations, func(a, b Destination) int {
		return cmp.Or(
			strings.Compare(a.Ref.Namespace, b.Ref.Namespace), strings.Compare(a.Ref.Name, b.Ref.Name),
			strings.Compare(a.Ref.ClusterName, b.Ref.ClusterName),
			compareMeta(&a.Resource.ObjectMeta, &b.Resource.ObjectMeta),
		)
	})
	w.dropDuplicateServices()
	w.indexDestinations()
}

// dropDuplicateServices keeps the first of several Destinations for one
// Service; they are sorted.
func (w *World) dropDuplicateServices() {
	var last *Destination
	kept := make([]Destination, 0, len(w.Destinations))
	for i := range w.Destinations {
		d := &w.Destinations[i]
		if last != nil && d.IsService() && last.IsService() && d.Ref == last.Ref {
			w.Problems = append(w.Problems, Problem{
				Kind: DuplicateService, Origin: d.origin, Object: "Destination/" + d.Resource.Name + "." + d.Resource.Namespace,
				Message: "Service " + d.Key() + " has a Destination already: " + last.Resource.Name + "." + last.Resource.Namespace,
			})
			continue
		}
		kept, last = append(kept, *d), d
	}
	w.Destinations = kept
}

func (w *World) indexDestinations() {
	w.services = make(map[core.ClusterObjectRef]int, len(w.Destinations))
	w.destinations = newIndex()
	for i := range w.Destinations {
		d := &w.Destinations[i]
		d.ID = i
		if !d.IsService() {
			continue
		}
		if _, taken := w.services[d.Ref]; !taken {
			w.services[d.Ref] = i
		}
		w.destinations.add(i, d.Ref.ClusterName, d.Ref.Namespace, d.Labels)
		w.clusters[d.Ref.ClusterName] = true
	}
}

// clusterLabel is where discovery notes the cluster of what it found
// (semantics section 0).
func clusterLabel(meta metav1.ObjectMeta) string {
	return meta.Labels["cluster.discovery.mesh.gloo.solo.io"]
}

func metaOfVirtualMesh(r *networkingv1.VirtualMesh) *metav1.ObjectMeta     { return &r.ObjectMeta }
func metaOfTrafficPolicy(r *networkingv1.TrafficPolicy) *metav1.ObjectMeta { return &r.ObjectMeta }
func metaOfAccessPolicy(r *networkingv1.AccessPolicy) *metav1.ObjectMeta   { return &r.ObjectMeta }
func metaOfMesh(r *discoveryv1.Mesh) *metav1.ObjectMeta                    { return &r.ObjectMeta }
func metaOfSettings(r *settingsv1.Settings) *metav1.ObjectMeta             { return &r.ObjectMeta }
func metaOfCluster(r *multiclusterv1alpha1.KubernetesCluster) *metav1.ObjectMeta {
	return &r.ObjectMeta
}

// sortedObjects returns a copy of objects in the order of namespace and name.
func sortedObjects[T any](objects []Object[T], meta func(*T) *metav1.ObjectMeta) []Object[T] {
	sorted := slices.Clone(objects)
	slices.SortStableFunc(sorted, func(a, b Object[T]) int { return compareMeta(meta(a.Resource), meta(b.Resource)) })
	return sorted
}

func compareMeta(a, b *metav1.ObjectMeta) int {
	return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
}
