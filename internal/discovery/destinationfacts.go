package discovery

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// namedPort is a port that a container gives a name to.
type namedPort struct {
	name     string
	protocol corev1.Protocol
}

// destinationFacts returns what a Service and the pods behind it show (D50, D51, D53, D62).
func (d *discoverer) destinationFacts(
	service *corev1.Service, ports []discoveryv1.KubeServicePort, backing []*discoveryv1.Workload,
) *discoveryv1.DestinationFacts {
	headless := service.Spec.ClusterIP == corev1.ClusterIPNone
	facts := &discoveryv1.DestinationFacts{
		Headless: &headless, ExportTo: exportTo(service.Annotations[exportToKey]),
	}
	if service.Spec.Type == corev1.ServiceTypeExternalName {
		facts.ExternalName = service.Spec.ExternalName
	}
	pods := slices.Collect(d.podsMatching(service.Namespace, service.Spec.Selector))
	facts.Proxy = d.presence(running(pods))
	facts.ServiceAccounts = serviceAccounts(pods, backing)
	for _, port := range ports {
		facts.Ports = append(facts.Ports, discoveryv1.PortFacts{
			Port: port.Port, Protocol: portProtocol(port), PodPorts: d.podPorts(port, backing),
		})
	}
	return facts
}

// exportTo reads an annotation the way Istio does. Nil never means that it is not
// known: a Service without it has the mesh's default.
func exportTo(annotation string) []string {
	namespaces := []string{}
	if annotation == "" {
		return namespaces
	}
	for namespace := range strings.SplitSeq(annotation, ",") {
		if namespace = strings.TrimSpace(namespace); namespace != "" {
			namespaces = append(namespaces, namespace)
		}
	}
	if len(namespaces) == 0 {
		return []string{"~"} // an annotation that names nobody hides the Service
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// serviceAccounts returns those of the workloads behind a Service and of its other
// pods. Workloads count without pods, too: what is rendered must not change while
// pods come and go (D60).
func serviceAccounts(pods []*corev1.Pod, backing []*discoveryv1.Workload) []string {
	distinct := map[string]bool{}
	for _, pod := range pods {
		distinct[cmp.Or(serviceAccount(&pod.Spec), defaultServiceAccount)] = true
	}
	for _, workload := range backing {
		distinct[cmp.Or(workload.Spec.Kubernetes.ServiceAccountName, defaultServiceAccount)] = true
	}
	return slices.Sorted(maps.Keys(distinct))
}

// defaultServiceAccount is that of pods that name none.
const defaultServiceAccount = "default"

// portProtocol returns the protocol as Istio resolves it; empty for one that
// Kubernetes does not have.
func portProtocol(port discoveryv1.KubeServicePort) discoveryv1.PortProtocol {
	protocol := world.ProtocolOf(port)
	switch strings.ToUpper(port.Protocol) {
	case "", "TCP", "UDP", "SCTP":
	default:
		return ""
	}
	if protocol == world.ProtocolUnknown {
		return discoveryv1.ProtocolAuto
	}
	return discoveryv1.PortProtocol(protocol)
}

// podPorts returns the ports that a named target port means in each workload, if
// they are not all the same.
func (d *discoverer) podPorts(port discoveryv1.KubeServicePort, backing []*discoveryv1.Workload) []discoveryv1.PodPort {
	if port.TargetPortName == nil || len(backing) < 2 {
		return nil
	}
	var found []discoveryv1.PodPort
	target := namedPort{*port.TargetPortName, cmp.Or(corev1.Protocol(port.Protocol), corev1.ProtocolTCP)}
	for _, workload := range backing {
		if number := d.controllerOf[workload].portNamed(target); number != 0 {
			found = append(found, discoveryv1.PodPort{Workload: workload.Name, Port: number})
		}
	}
	differs := func(p discoveryv1.PodPort) bool { return p.Port != found[0].Port }
	if len(found) == len(backing) && !slices.ContainsFunc(found, differs) {
		return nil
	}
	return found
}

// portNamed returns the number of a container port; 0 if there is none.
func (c *controller) portNamed(target namedPort) uint32 {
	if c.namedPorts == nil {
		c.namedPorts = map[namedPort]uint32{}
		spec := &c.template.Spec
		for i := range spec.Containers {
			c.addPorts(&spec.Containers[i])
		}
		for i := range spec.InitContainers {
			if isNativeSidecar(&spec.InitContainers[i]) {
				c.addPorts(&spec.InitContainers[i])
			}
		}
	}
	return c.namedPorts[target]
}

// addPorts adds the named ports of a container. Of two with one name, Kubernetes
// uses the first.
func (c *controller) addPorts(container *corev1.Container) {
	for _, port := range container.Ports {
		named := namedPort{port.Name, cmp.Or(port.Protocol, corev1.ProtocolTCP)}
		if _, known := c.namedPorts[named]; !known && port.Name != "" {
			c.namedPorts[named] = portNumber(port.ContainerPort)
		}
	}
}
