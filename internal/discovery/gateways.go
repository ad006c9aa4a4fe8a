package discovery

import (
	"cmp"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// defaultTLSPort is the name of the gateway port that accepts mutual TLS.
const defaultTLSPort = "tls"

// detector returns the rule that recognises ingress gateways of this cluster.
// Labels and port name each come from the settings of the cluster, else from
// those of `*`, else from the default.
func (d *discoverer) detector() settingsv1.IngressGatewayDetector {
	found := settingsv1.IngressGatewayDetector{}
	var byCluster map[string]settingsv1.IngressGatewayDetector
	if s := d.settings; s != nil && s.Spec.Discovery != nil && s.Spec.Discovery.Istio != nil {
		byCluster = s.Spec.Discovery.Istio.IngressGatewayDetectors
	}
	defaults := settingsv1.IngressGatewayDetector{
		GatewayWorkloadLabels: map[string]string{"istio": "ingressgateway"}, GatewayTLSPortName: defaultTLSPort,
	}
	for _, candidate := range []settingsv1.IngressGatewayDetector{byCluster[d.cluster], byCluster["*"], defaults} {
		if len(found.GatewayWorkloadLabels) == 0 {
			found.GatewayWorkloadLabels = candidate.GatewayWorkloadLabels
		}
		if found.GatewayTLSPortName == "" {
			found.GatewayTLSPortName = candidate.GatewayTLSPortName
		}
	}
	return found
}

// ingressGateways returns the gateways in the namespace of an istiod. This list
// in the Mesh is deprecated: gateways are looked up among the Destinations, and
// the list is the fallback.
func (d *discoverer) ingressGateways(namespace string) []discoveryv1.IngressGatewayInfo {
	detector := d.detector()
	var found []discoveryv1.IngressGatewayInfo
	for _, service := range d.services {
		if service.Namespace != namespace || !world.HasLabels(service.Spec.Selector, detector.GatewayWorkloadLabels) {
			continue
		}
		gateway, err := d.ingressGateway(service, detector)
		if err != nil {
			d.note(Note{
				Object:  d.object("Service", service.Namespace, service.Name),
				Message: fmt.Sprintf("is left out of its mesh's ingressGateways: %s", err),
				Hint:    "Nothing to do if no traffic from other clusters enters through it.",
			})
			continue
		}
		found = append(found, gateway)
	}
	return found
}

func (d *discoverer) ingressGateway(
	service *corev1.Service, detector settingsv1.IngressGatewayDetector,
) (discoveryv1.IngressGatewayInfo, error) {
	gateway := discoveryv1.IngressGatewayInfo{
		Name: service.Name, Namespace: service.Namespace, WorkloadLabels: copyLabels(service.Spec.Selector),
	}
	port, found := portNamed(service, detector.GatewayTLSPortName)
	if !found {
		return gateway, fmt.Errorf("it has no port named %q", detector.GatewayTLSPortName)
	}
	switch service.Spec.Type {
	case corev1.ServiceTypeNodePort:
		gateway.ExternalTLSPort = portNumber(port.NodePort)
		gateway.IP = pointer(d.nodePortAddress(service, detector.GatewayWorkloadLabels))
	case corev1.ServiceTypeLoadBalancer:
		gateway.ExternalTLSPort = portNumber(port.Port)
		gateway.IP, gateway.DNSName = loadBalancerAddress(service)
	default:
		return gateway, fmt.Errorf("a Service of type %s has no address outside of its cluster", serviceType(service))
	}
	switch {
	case gateway.IP != nil:
		gateway.ExternalAddress = *gateway.IP
	case gateway.DNSName != nil:
		gateway.ExternalAddress = *gateway.DNSName
	default:
		return gateway, errors.New("its address is not known yet")
	}
	if gateway.ExternalTLSPort == 0 {
		return gateway, fmt.Errorf("its port %q has no number outside of the cluster yet", port.Name)
	}
	if port.TargetPort.Type == intstr.String && port.TargetPort.StrVal != "" {
		return gateway, fmt.Errorf("the target port of its port %q is a name, which is not supported here", port.Name)
	}
	gateway.TLSContainerPort = portNumber(port.TargetPort.IntVal)
	if gateway.TLSContainerPort == 0 {
		gateway.TLSContainerPort = portNumber(port.Port)
	}
	return gateway, nil
}

// nodePortAddress returns the address of a gateway with a node port: that of the
// node of the first gateway pod, else the first external address of the Service.
// It may be a host name.
func (d *discoverer) nodePortAddress(service *corev1.Service, labels map[string]string) string {
	for pod := range d.podsMatching(service.Namespace, labels) {
		node := d.nodeByName[pod.Spec.NodeName]
		if node == nil {
			continue
		}
		if address := externalAddressOf(node); address != "" {
			return address
		}
		break
	}
	return firstText(service.Spec.ExternalIPs)
}

// externalAddressOf returns the address at which other clusters reach a node; an
// IP is preferred over a host name (D5).
func externalAddressOf(node *corev1.Node) string {
	if isKindNode(node) {
		return firstAddress(node, corev1.NodeInternalIP)
	}
	return cmp.Or(
		firstAddress(node, corev1.NodeExternalIP),
		firstAddress(node, corev1.NodeHostName, corev1.NodeExternalDNS),
	)
}

// loadBalancerAddress returns the IP or the host name of a load balancer; both
// are nil if none has been assigned.
func loadBalancerAddress(service *corev1.Service) (ip, dnsName *string) {
	if ingress := service.Status.LoadBalancer.Ingress; len(ingress) > 0 {
		if ip, dnsName = pointer(ingress[0].IP), pointer(ingress[0].Hostname); ip != nil {
			return ip, nil
		}
		if dnsName != nil {
			return nil, dnsName
		}
	}
	return pointer(firstText(service.Spec.ExternalIPs)), nil
}

func portNamed(service *corev1.Service, name string) (corev1.ServicePort, bool) {
	for _, port := range service.Spec.Ports {
		if port.Name == name {
			return port, true
		}
	}
	return corev1.ServicePort{}, false
}

// serviceType returns the type of a Service, with the default filled in.
func serviceType(service *corev1.Service) corev1.ServiceType {
	if service.Spec.Type == "" {
		return corev1.ServiceTypeClusterIP
	}
	return service.Spec.Type
}

// portNumber converts a port number; an invalid one becomes 0, which means unset.
func portNumber(port int32) uint32 {
	if port < 0 || port > 65535 {
		return 0
	}
	return uint32(port)
}

// pointer returns a pointer to the text, or nil if it is empty.
func pointer(text string) *string {
	if text == "" {
		return nil
	}
	return &text
}

// firstText returns the first non-empty text.
func firstText(texts []string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}
