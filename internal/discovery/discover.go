package discovery

import (
	"cmp"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryk8sv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// DefaultManagementNamespace is the default namespace for discovered objects.
const DefaultManagementNamespace = "gloo-mesh"

// The labels of discovered objects. An App Mesh has no cluster
// label, because it may span several.
const (
	OwnerLabel   = "owner.discovery.mesh.gloo.solo.io"
	ClusterLabel = "cluster.discovery.mesh.gloo.solo.io"
)

// Input holds the objects of one cluster in any order; Discover does not modify
// them. No object may occur twice. Kinds lists the resources that the fields
// hold.
type Input struct {
	// Cluster is the name the cluster is registered under.
	Cluster string
	// ManagementNamespace is the namespace and the owner label of the results;
	// DefaultManagementNamespace if empty.
	ManagementNamespace string
	// Settings configures how ingress gateways are recognised; nil means the
	// defaults.
	Settings *settingsv1.Settings

	Deployments    []appsv1.Deployment
	DaemonSets     []appsv1.DaemonSet
	StatefulSets   []appsv1.StatefulSet
	ReplicaSets    []appsv1.ReplicaSet // only their metadata is read
	Pods           []corev1.Pod
	Services       []corev1.Service
	EndpointSlices []discoveryk8sv1.EndpointSlice
	ConfigMaps     []corev1.ConfigMap
	Nodes          []corev1.Node
	Namespaces     []corev1.Namespace // only their metadata is read
	AppMeshes      []unstructured.Unstructured

	// RemoteSecrets are the metadata of Secrets that match RemoteClusterLabels in the
	// RemoteSecretNamespaces; nil if they could not be listed. Their content is no
	// part of discovery.
	RemoteSecrets []metav1.ObjectMeta
}

// Output holds the discovered objects, each list sorted by name.
type Output struct {
	// Cluster is the name of the cluster; empty in a merged Output.
	Cluster      string
	Meshes       []discoveryv1.Mesh
	Workloads    []discoveryv1.Workload
	Destinations []discoveryv1.Destination
	Notes        []Note
}

// Note describes something that discovery omitted or assumed, or that is worth
// knowing.
type Note struct {
	// Object is KIND/NAME.NAMESPACE.CLUSTER.
	Object string
	// Message describes the issue with the object, Hint the next step.
	Message, Hint string
	// Skipped is true if an object is missing from the Output because of this
	// issue: the Output is then incomplete.
	Skipped bool
}

// Discover returns the meshes, workloads and destinations of one cluster. The
// order of the input does not change the result.
func Discover(in Input) Output {
	d := newDiscoverer(in)
	d.noteAmbient()
	d.discoverIstio()
	d.discoverOtherMeshes()
	d.discoverAppMeshes()
	d.discoverWorkloads()
	d.discoverDestinations()
	return d.output()
}

// discoverer is the state of one run: the input, sorted by key and indexed, and
// the results so far.
type discoverer struct {
	cluster             string
	managementNamespace string
	settings            *settingsv1.Settings

	deployments  []*appsv1.Deployment
	daemonSets   []*appsv1.DaemonSet
	statefulSets []*appsv1.StatefulSet
	replicaSets  []*appsv1.ReplicaSet
	pods         []*corev1.Pod
	services     []*corev1.Service
	slices       []*discoveryk8sv1.EndpointSlice
	nodes        []*corev1.Node
	namespaces   []*corev1.Namespace
	appMeshes    []*unstructured.Unstructured
	// remoteSecrets is nil if they are not known.
	remoteSecrets []metav1.ObjectMeta

	configMaps       map[namespaced]*corev1.ConfigMap
	serviceByName    map[namespaced]*corev1.Service
	nodeByName       map[string]*corev1.Node
	podsByLabel      labelIndex
	slicesOf         map[namespaced][]*discoveryk8sv1.EndpointSlice
	workloadByPod    map[namespaced]*discoveryv1.Workload
	revisionByTag    map[string]string
	workloadLabels   labelIndex
	namespaceLabels  map[string]map[string]string
	proxyConfigs     map[string]proxyConfig // keyed by their text
	controllerOf     map[*discoveryv1.Workload]*controller
	proxied          map[*corev1.Pod]bool // pods of controllers with a proxy
	skippedRevisions map[string]bool      // revisions of istiods that were skipped

	meshNames, workloadNames, destinationNames namer

	// The meshes by type, each list in key order.
	istio, osm, linkerd, appMesh []*foundMesh

	workloads    []*discoveryv1.Workload
	destinations []*discoveryv1.Destination
	notes        []Note
	tallies      map[tally]*counted
}

// namespaced names an object of the cluster.
type namespaced struct{ namespace, name string }

func newDiscoverer(in Input) *discoverer {
	d := &discoverer{
		cluster: in.Cluster, settings: in.Settings, remoteSecrets: in.RemoteSecrets,
		managementNamespace: cmp.Or(in.ManagementNamespace, DefaultManagementNamespace),
		configMaps:          map[namespaced]*corev1.ConfigMap{},
		serviceByName:       map[namespaced]*corev1.Service{},
		nodeByName:          map[string]*corev1.Node{},
		slicesOf:            map[namespaced][]*discoveryk8sv1.EndpointSlice{},
		workloadByPod:       map[namespaced]*discoveryv1.Workload{},
		revisionByTag:       map[string]string{},
		namespaceLabels:     map[string]map[string]string{},
		proxyConfigs:        map[string]proxyConfig{},
		controllerOf:        map[*discoveryv1.Workload]*controller{},
		proxied:             map[*corev1.Pod]bool{},
		skippedRevisions:    map[string]bool{},
		podsByLabel:         labelIndex{}, workloadLabels: labelIndex{},
		meshNames: namer{}, workloadNames: namer{}, destinationNames: namer{},
		tallies: map[tally]*counted{},
	}
	d.deployments = inKeyOrder(d, "Deployment", in.Deployments)
	d.daemonSets = inKeyOrder(d, "DaemonSet", in.DaemonSets)
	d.statefulSets = inKeyOrder(d, "StatefulSet", in.StatefulSets)
	d.replicaSets = inKeyOrder(d, "ReplicaSet", in.ReplicaSets)
	d.pods = inKeyOrder(d, "Pod", in.Pods)
	d.services = inKeyOrder(d, "Service", in.Services)
	d.slices = inKeyOrder(d, "EndpointSlice", in.EndpointSlices)
	d.nodes = inKeyOrder(d, "Node", in.Nodes)
	d.namespaces = inKeyOrder(d, "Namespace", in.Namespaces)
	d.appMeshes = inKeyOrder(d, "Mesh", in.AppMeshes)
	for _, c := range inKeyOrder(d, "ConfigMap", in.ConfigMaps) {
		d.configMaps[namespaced{c.Namespace, c.Name}] = c
	}
	d.index()
	return d
}

func (d *discoverer) index() {
	for i, pod := range d.pods {
		d.podsByLabel.add(i, pod.Namespace, pod.Labels)
	}
	for _, namespace := range d.namespaces {
		d.namespaceLabels[namespace.Name] = namespace.Labels
	}
	for _, node := range d.nodes {
		d.nodeByName[node.Name] = node
	}
	for _, slice := range d.slices {
		if service := slice.Labels[discoveryk8sv1.LabelServiceName]; service != "" {
			of := namespaced{slice.Namespace, service}
			d.slicesOf[of] = append(d.slicesOf[of], slice)
		}
	}
	for _, service := range d.services {
		d.serviceByName[namespaced{service.Namespace, service.Name}] = service
		tag, revision := service.Labels[tagLabel], service.Labels[revisionLabel]
		if _, known := d.revisionByTag[tag]; tag != "" && revision != "" && !known {
			d.revisionByTag[tag] = revision
		}
	}
}

// foundMesh is a discovered mesh with the data needed to attach workloads to it.
type foundMesh struct {
	resource *discoveryv1.Mesh
	key      string
	// deployment is the control plane; nil for an App Mesh.
	deployment *appsv1.Deployment
	// revision is the revision of an istiod; defaultRevision if it has none.
	revision string
}

func (m *foundMesh) ref() *core.ObjectRef {
	return &core.ObjectRef{Name: m.resource.Name, Namespace: m.resource.Namespace}
}

// addMesh inserts a mesh into its list, which stays in key order.
func addMesh(list []*foundMesh, m *foundMesh) []*foundMesh {
	m.key = key(m.resource.Name, m.resource.Namespace, "")
	list = append(list, m)
	slices.SortFunc(list, func(a, b *foundMesh) int { return strings.Compare(a.key, b.key) })
	return list
}

func (d *discoverer) output() Output {
	d.noteTallies()
	out := Output{Cluster: d.cluster, Notes: d.notes}
	for _, list := range [][]*foundMesh{d.istio, d.osm, d.linkerd, d.appMesh} {
		for _, m := range list {
			out.Meshes = append(out.Meshes, *m.resource)
		}
	}
	out.Workloads = make([]discoveryv1.Workload, 0, len(d.workloads))
	for _, w := range d.workloads {
		out.Workloads = append(out.Workloads, *w)
	}
	out.Destinations = make([]discoveryv1.Destination, 0, len(d.destinations))
	for _, s := range d.destinations {
		out.Destinations = append(out.Destinations, *s)
	}
	out.sort()
	return out
}

func (o *Output) sort() {
	slices.SortFunc(o.Meshes, func(a, b discoveryv1.Mesh) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(o.Workloads, func(a, b discoveryv1.Workload) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(o.Destinations, func(a, b discoveryv1.Destination) int { return strings.Compare(a.Name, b.Name) })
	slices.SortFunc(o.Notes, func(a, b Note) int {
		return cmp.Or(strings.Compare(a.Object, b.Object), strings.Compare(a.Message, b.Message))
	})
	o.Notes = slices.Compact(o.Notes) // two istiods report the same gateway
}
