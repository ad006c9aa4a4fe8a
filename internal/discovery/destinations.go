package discovery

import (
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// discoverDestinations finds one destination per Service that is backed by a
// workload, or that is annotated to be one (D4).
func (d *discoverer) discoverDestinations() {
	for _, service := range d.services {
		backing := d.backing(service)
		mesh := d.meshOfService(service, backing)
		if mesh == nil {
			continue
		}
		destination := &discoveryv1.Destination{
			TypeMeta:   metav1.TypeMeta{APIVersion: discoveryv1.GroupVersion().String(), Kind: "Destination"},
			ObjectMeta: d.metadata(d.nameFor(d.destinationNames, "Service", service.Namespace, service.Name, "")),
			Spec:       discoveryv1.DestinationSpec{KubeService: d.kubeService(service), Mesh: mesh},
		}
		destination.Spec.Meshctl = d.destinationFacts(service, destination.Spec.KubeService.Ports, backing)
		if len(backing) > 0 {
			destination.Spec.KubeService.Subsets = subsets(backing)
			destination.Spec.KubeService.EndpointSubsets = d.endpointSubsets(service)
		}
		d.destinations = append(d.destinations, destination)
	}
}

// backing returns the workloads that a Service selects by the labels of their
// pod templates, in key order. A Service without selector has none.
func (d *discoverer) backing(service *corev1.Service) []*discoveryv1.Workload {
	var found []*discoveryv1.Workload
	for _, i := range d.workloadLabels.candidates(service.Namespace, service.Spec.Selector) {
		if w := d.workloads[i]; world.HasLabels(w.Spec.Kubernetes.PodLabels, service.Spec.Selector) {
			found = append(found, w)
		}
	}
	return found
}

// meshOfService returns the mesh of the first workload behind a Service. An
// annotated Service without workloads belongs to the Istio mesh of the revision
// in its label, else to the default revision, else to Open Service Mesh
// (D3). Nil means that the Service is not a destination.
func (d *discoverer) meshOfService(service *corev1.Service, backing []*discoveryv1.Workload) *core.ObjectRef {
	if len(backing) > 0 {
		mesh := *backing[0].Spec.Mesh
		return &mesh
	}
	if service.Annotations[discoveryEnabledKey] != "true" {
		return nil
	}
	if meshes := d.meshesOfRevision(service.Labels[revisionLabel]); len(meshes) > 0 {
		return meshes[0].ref()
	}
	if mesh := d.defaultMesh(); mesh != nil {
		return mesh.ref()
	}
	if len(d.osm) > 0 {
		return d.osm[0].ref()
	}
	d.note(Note{
		Object:  d.object("Service", service.Namespace, service.Name),
		Message: "is annotated to be a destination, but there is no mesh in its cluster",
		Hint:    "Install a mesh, or remove the annotation " + discoveryEnabledKey + ".",
		Skipped: true,
	})
	return nil
}

func (d *discoverer) kubeService(service *corev1.Service) *discoveryv1.KubeService {
	return &discoveryv1.KubeService{
		Ref:                    &core.ClusterObjectRef{Name: service.Name, Namespace: service.Namespace, ClusterName: d.cluster},
		WorkloadSelectorLabels: copyLabels(service.Spec.Selector),
		Labels:                 copyLabels(service.Labels),
		Ports:                  servicePorts(service),
		Region:                 d.regionOfService(service),
		ExternalAddresses:      d.externalAddresses(service),
		ServiceType:            wireServiceType(service.Spec.Type),
	}
}

// wireServiceType returns a Service type in the API's spelling. CLUSTER_IP is the
// API's default and therefore omitted.
func wireServiceType(serviceType corev1.ServiceType) discoveryv1.ServiceType {
	switch serviceType {
	case corev1.ServiceTypeNodePort:
		return discoveryv1.ServiceTypeNodePort
	case corev1.ServiceTypeLoadBalancer:
		return discoveryv1.ServiceTypeLoadBalancer
	case corev1.ServiceTypeExternalName:
		return discoveryv1.ServiceTypeExternalName
	default:
		return ""
	}
}

// servicePorts returns the ports in the order of the Service. A target port keeps
// its form, name or number; a missing number is 0.
func servicePorts(service *corev1.Service) []discoveryv1.KubeServicePort {
	var ports []discoveryv1.KubeServicePort
	for _, p := range service.Spec.Ports {
		port := discoveryv1.KubeServicePort{
			Port: portNumber(p.Port), Name: p.Name, Protocol: string(p.Protocol), NodePort: portNumber(p.NodePort),
		}
		if p.AppProtocol != nil {
			port.AppProtocol = *p.AppProtocol
		}
		if p.TargetPort.Type == intstr.String && p.TargetPort.StrVal != "" {
			port.TargetPortName = &p.TargetPort.StrVal
		} else {
			number := portNumber(p.TargetPort.IntVal)
			port.TargetPortNumber = &number
		}
		ports = append(ports, port)
	}
	return ports
}

// subsets returns the pod labels whose values differ between the workloads behind
// a Service; nil if there are none.
func subsets(backing []*discoveryv1.Workload) map[string]discoveryv1.Subset {
	values := map[string][]string{}
	for _, w := range backing {
		for k, v := range w.Spec.Kubernetes.PodLabels {
			if k != podTemplateHash && k != canonicalRevision && !slices.Contains(values[k], v) {
				values[k] = append(values[k], v)
			}
		}
	}
	var found map[string]discoveryv1.Subset
	for k, distinct := range values {
		if len(distinct) < 2 {
			continue
		}
		if found == nil {
			found = map[string]discoveryv1.Subset{}
		}
		slices.Sort(distinct)
		found[k] = discoveryv1.Subset{Values: distinct}
	}
	return found
}

// regionOfService returns the region of the node of the first scheduled pod
// behind the Service; empty if it is not known.
func (d *discoverer) regionOfService(service *corev1.Service) string {
	for pod := range d.podsMatching(service.Namespace, service.Spec.Selector) {
		if pod.Spec.NodeName != "" {
			return regionOf(d.nodeByName[pod.Spec.NodeName])
		}
	}
	return ""
}

// sortByKey sorts workloads in the order used for sets of objects (key).
func sortByKey(workloads []*discoveryv1.Workload) {
	slices.SortFunc(workloads, func(a, b *discoveryv1.Workload) int {
		return strings.Compare(key(a.Name, a.Namespace, ""), key(b.Name, b.Namespace, ""))
	})
}
