package istiocheck

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// services returns the Kubernetes Services of a cluster, by Destination.
func services(w *world.World, cluster string) map[int]*corev1.Service {
	found := map[int]*corev1.Service{}
	for i := range w.Destinations {
		d := &w.Destinations[i]
		if !d.IsService() || d.Ref.ClusterName != cluster {
			continue
		}
		s := &corev1.Service{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
			ObjectMeta: metav1.ObjectMeta{Name: d.Ref.Name, Namespace: d.Ref.Namespace, Labels: d.Labels},
			Spec: corev1.ServiceSpec{
				Type: corev1.ServiceTypeClusterIP, Selector: d.Selector, ClusterIP: fmt.Sprintf("10.96.%d.%d", i/250, i%250+1),
			},
		}
		seen := map[string]bool{}
		for _, p := range d.Resource.Spec.KubeService.Ports {
			key := fmt.Sprint(p.Port, cmp.Or(p.Protocol, "TCP"))
			if seen[key] {
				continue
			}
			seen[key] = true
			port := corev1.ServicePort{
				Name: p.Name, Port: int32(p.Port), Protocol: corev1.Protocol(p.Protocol), TargetPort: intstr.FromInt32(int32(podPort(d, p.Port))),
			}
			if port.Protocol == "" {
				port.Protocol = corev1.ProtocolTCP
			}
			if p.AppProtocol != "" {
				port.AppProtocol = &p.AppProtocol
			}
			s.Spec.Ports = append(s.Spec.Ports, port)
		}
		found[i] = s
	}
	return found
}

// podPort is where the pods behind a Destination listen for a port of it.
func podPort(d *world.Destination, number uint32) uint32 {
	service := d.Resource.Spec.KubeService
	k := slices.IndexFunc(service.Ports, func(p discoveryv1.KubeServicePort) bool { return p.Port == number })
	switch p := service.Ports[k]; {
	case p.TargetPortName != nil:
		for _, group := range service.EndpointSubsets {
			for _, e := range group.Ports {
				if e.Name == p.Name || e.Name == *p.TargetPortName {
					return e.Port
				}
			}
		}
		return number + 20000 // a number that nobody knows
	case p.TargetPortNumber != nil && *p.TargetPortNumber != 0:
		return *p.TargetPortNumber
	default:
		return number
	}
}

// podAddress is the address of the one pod that each workload has.
func podAddress(w *world.Workload) string { return fmt.Sprintf("10.1.%d.%d", w.ID/250, w.ID%250+1) }

// kubernetes writes the namespaces, Services and Deployments of a cluster.
func kubernetes(t *testing.T, w *world.World, cluster string) string {
	var out strings.Builder
	write := func(object any) {
		manifest, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "---\n%s", manifest)
	}
	namespaces := map[string]bool{}
	namespace := func(name string) {
		if name != "" && !namespaces[name] {
			namespaces[name] = true
			write(&corev1.Namespace{
				TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Namespace"},
				ObjectMeta: metav1.ObjectMeta{Name: name, Labels: map[string]string{"istio-injection": "enabled"}},
			})
		}
	}
	all := services(w, cluster)
	for i := range w.Destinations {
		if s := all[i]; s != nil {
			namespace(s.Namespace)
			write(s)
			if d := &w.Destinations[i]; len(d.Backing) == 0 && len(s.Spec.Selector) > 0 { // of no workload that is known
				write(pod(s.Name+"-pod", s.Namespace, s.Spec.Selector, podSpec("default", containerPorts(s)), "10.2.0.1"))
			}
		}
	}
	for i := range w.Meshes {
		if m := &w.Meshes[i]; m.Cluster == cluster {
			namespace(m.Namespace)
		}
	}
	for i := range w.Workloads {
		wl := &w.Workloads[i]
		if wl.Cluster != cluster || wl.Namespace == "" {
			continue
		}
		namespace(wl.Namespace)
		var ports []corev1.ContainerPort
		for _, id := range wl.Backs {
			ports = append(ports, containerPorts(all[id])...)
		}
		spec := podSpec(wl.ServiceAccount, ports)
		write(map[string]any{
			"apiVersion": "apps/v1", "kind": "Deployment",
			"metadata": map[string]any{"name": wl.Name, "namespace": wl.Namespace},
			"spec": map[string]any{
				"selector": map[string]any{"matchLabels": wl.Labels},
				"template": corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: wl.Labels}, Spec: spec},
			},
		})
		write(pod(fmt.Sprintf("%s-%d", wl.Name, i), wl.Namespace, wl.Labels, spec, podAddress(wl)))
	}
	return out.String()
}

func containerPorts(s *corev1.Service) []corev1.ContainerPort {
	var ports []corev1.ContainerPort
	for _, p := range s.Spec.Ports {
		ports = append(ports, corev1.ContainerPort{ContainerPort: p.TargetPort.IntVal})
	}
	return ports
}

func podSpec(serviceAccount string, ports []corev1.ContainerPort) corev1.PodSpec {
	return corev1.PodSpec{
		ServiceAccountName: serviceAccount,
		Containers:         []corev1.Container{{Name: "app", Image: "app:1", Ports: ports}, {Name: "istio-proxy", Image: "istio/proxyv2:1.31.0"}},
	}
}

func pod(name, namespace string, labels map[string]string, spec corev1.PodSpec, address string) *corev1.Pod {
	return &corev1.Pod{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Pod"},
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: namespace, Labels: labels},
		Spec:       spec, Status: corev1.PodStatus{PodIP: address, Phase: corev1.PodRunning},
	}
}
