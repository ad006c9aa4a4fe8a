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

// MeshType is the name of a service mesh product as describe prints it.
type MeshType string

// The mesh types of the discovery API. meshctl configures only Istio and shows
// the others.
const (
	MeshIstio         MeshType = "istio"
	MeshOSM           MeshType = "osm"
	MeshLinkerd       MeshType = "linkerd"
	MeshConsulConnect MeshType = "consulconnect"
	MeshAppMesh       MeshType = "appmesh"
	MeshUnknown       MeshType = "unknown"
)

// defaultTrustDomain is the trust domain of a mesh without one in its spec
// (D30).
const defaultTrustDomain = "cluster.local"

// Mesh is one discovered service mesh.
type Mesh struct {
	Resource *discoveryv1.Mesh
	// ID is the position in World.Meshes.
	ID  int
	Ref core.ObjectRef

	Type    MeshType
	Version string
	// Cluster is the cluster of the control plane, the first one for an App Mesh;
	// Clusters are all clusters of the mesh.
	Cluster  string
	Clusters []string
	// Namespace is the namespace of the control plane.
	Namespace string
	// TrustDomain is never empty (D30).
	TrustDomain string
	// AcceptedTrustDomain is the one that the mesh had when it was first discovered,
	// or that was accepted since, by the Mesh and by the VirtualMeshes that list it
	// (D73). It is TrustDomain if nothing says otherwise.
	AcceptedTrustDomain string
	// Facts are those of the resource that can be used; nil if there are none. The
	// methods of Mesh read them.
	Facts *discoveryv1.MeshFacts
}

// Workload is one discovered controller whose pods take part in a mesh.
type Workload struct {
	Resource *discoveryv1.Workload
	// ID is the index in World.Workloads.
	ID int

	// Name, Namespace and Cluster are those of the controller, Kind is its kind
	// (Deployment, DaemonSet, StatefulSet).
	Name, Namespace, Cluster, Kind string
	// Labels are the labels of the pod template.
	Labels         map[string]string
	ServiceAccount string
	// Mesh is nil if the workload names no existing mesh.
	Mesh *Mesh
	// Backs lists the positions of the Destinations that select this workload.
	Backs []int
	// Facts are those of the resource; nil if there are none. The methods of
	// Workload read them.
	Facts *discoveryv1.WorkloadFacts
}

// Destination is one discovered Service or external service.
type Destination struct {
	Resource *discoveryv1.Destination
	// ID is the position in World.Destinations.
	ID int

	// Ref names the Kubernetes Service, or for an external service the resource
	// itself, without a cluster.
	Ref core.ClusterObjectRef
	// Labels are the labels of the Service.
	Labels map[string]string
	// Selector is the pod selector of the Service.
	Selector map[string]string
	// Hostname is the host name in the Service's own cluster.
	Hostname string
	// Mesh is nil if the Destination names no existing mesh.
	Mesh *Mesh
	// Backing lists the positions of the workloads that it selects.
	Backing []int
	// Facts are those of the resource that can be used; nil if there are none. The
	// methods of Destination read them.
	Facts *discoveryv1.DestinationFacts

	origin Origin
}

// Key returns NAME.NAMESPACE.CLUSTER, the form of user input and of the keys of
// status maps.
func (d *Destination) Key() string {
	return d.Ref.Name + "." + d.Ref.Namespace + "." + d.Ref.ClusterName
}

// IsService reports whether the Destination is a Kubernetes Service, the only
// kind to which policies apply.
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
		if w.refuse("Mesh", m.Ref.Name, m.Ref.Namespace, o.Origin, invalidInMesh(o.Resource.Spec)) {
			continue
		}
		var wrong invalidFields
		m.Facts, wrong = usableMeshFacts(o.Resource.Spec.Meshctl)
		w.ignoreFacts("Mesh", m.Ref.Name, m.Ref.Namespace, o.Origin, wrong)
		m.AcceptedTrustDomain = m.TrustDomain
		if noted := o.Resource.Annotations[discoveryv1.TrustDomainAnnotation]; TrustDomainProblem(noted) == "" {
			m.AcceptedTrustDomain = noted
		}
		if m.Cluster != "" {
			w.clusters[m.Cluster] = true
		}
		w.meshes[m.Ref] = m.ID
		w.Meshes = append(w.Meshes, m)
	}
}

// TrustDomainOf returns the trust domain of an Istio mesh, which is never empty.
func TrustDomainOf(istio *discoveryv1.IstioMesh) string {
	return cmp.Or(istio.TrustDomain, defaultTrustDomain)
}

// MeshCluster returns the cluster of a mesh's control plane, the first one for an
// App Mesh, "" if it is not known.
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
		m.TrustDomain = TrustDomainOf(spec.Istio)
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
			Cluster: clusterLabel(o.Resource.ObjectMeta), Kind: "Workload", Facts: o.Resource.Spec.Meshctl,
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
		if w.refuse("Workload", o.Resource.Name, o.Resource.Namespace, o.Origin, invalidInWorkload(&wl)) {
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

// controllerKind returns the controller's kind from the end of the resource name,
// as the API has no field for it.
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
		if w.refuse("Destination", o.Resource.Name, o.Resource.Namespace, o.Origin, invalidInDestination(&d)) {
			continue
		}
		var wrong invalidFields
		d.Facts, wrong = usableDestinationFacts(o.Resource.Spec.Meshctl)
		w.ignoreFacts("Destination", o.Resource.Name, o.Resource.Namespace, o.Origin, wrong)
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

// dropDuplicateServices keeps the first of several Destinations for one Service.
// The input is sorted.
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

// clusterLabel returns the cluster that discovery recorded in the labels.
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

// sortedObjects returns a copy of the objects sorted by namespace and name.
func sortedObjects[T any](objects []Object[T], meta func(*T) *metav1.ObjectMeta) []Object[T] {
	sorted := slices.Clone(objects)
	slices.SortStableFunc(sorted, func(a, b Object[T]) int { return compareMeta(meta(a.Resource), meta(b.Resource)) })
	return sorted
}

func compareMeta(a, b *metav1.ObjectMeta) int {
	return cmp.Or(strings.Compare(a.Namespace, b.Namespace), strings.Compare(a.Name, b.Name))
}
