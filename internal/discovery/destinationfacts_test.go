package discovery_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/testkit/cputime"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// workloadsBehind is a cluster with one DaemonSet for each list of container ports;
// the DaemonSets have one pod each, all with the label app=web.
func workloadsBehind(ports ...[]corev1.ContainerPort) discovery.Input {
	in := meshWith(map[string]string{"mesh": "{}"}, corev1.Container{})
	labels := map[string]string{"app": "web"}
	for i, list := range ports {
		name := fmt.Sprintf("web-%d", i)
		set := appsv1.DaemonSet{ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "shop"}}
		set.Spec.Template.Labels, set.Spec.Template.Spec.ServiceAccountName = labels, name
		set.Spec.Template.Spec.Containers = []corev1.Container{{Name: "app", Image: "app:1", Ports: list}}
		in.DaemonSets = append(in.DaemonSets, set)
		pod := pod(app(), proxy())
		pod.ObjectMeta = metav1.ObjectMeta{
			Name: name + "-x", Namespace: "shop", Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "DaemonSet", Name: name, Controller: new(true)}},
		}
		pod.Spec.ServiceAccountName = name
		in.Pods = append(in.Pods, pod)
	}
	return in
}

// webService selects the pods of workloadsBehind.
func webService(change func(*corev1.Service)) corev1.Service {
	service := corev1.Service{
		ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"},
		Spec:       corev1.ServiceSpec{ClusterIP: "10.0.0.1", Selector: map[string]string{"app": "web"}},
	}
	change(&service)
	return service
}

// destinationFactsOf returns the facts of the only destination.
func destinationFactsOf(t *testing.T, in discovery.Input, service corev1.Service) *discoveryv1.DestinationFacts {
	t.Helper()
	in.Services = []corev1.Service{service}
	out := discovery.Discover(in)
	if len(out.Destinations) != 1 {
		t.Fatalf("%d destinations", len(out.Destinations))
	}
	checkValid(t, validation.New(), out)
	return out.Destinations[0].Spec.Meshctl
}

func TestDestinationFacts(t *testing.T) {
	t.Parallel()
	type facts = discoveryv1.DestinationFacts
	annotated := func(exportTo string) func(*corev1.Service) {
		return func(s *corev1.Service) { s.Annotations = map[string]string{"networking.istio.io/exportTo": exportTo} }
	}
	tests := []struct {
		name   string
		change func(*corev1.Service)
		want   facts
	}{
		{name: "with an address", change: func(*corev1.Service) {}, want: facts{}},
		{name: "headless", change: func(s *corev1.Service) { s.Spec.ClusterIP = "None" }, want: facts{Headless: new(true)}},
		{
			name: "external", change: func(s *corev1.Service) {
				s.Spec = corev1.ServiceSpec{Type: corev1.ServiceTypeExternalName, ExternalName: "example.com"}
				s.Annotations = map[string]string{"discovery.mesh.gloo.solo.io/enabled": "true"}
			},
			want: facts{ExternalName: "example.com", Proxy: "-", ServiceAccounts: []string{"-"}},
		},
		{name: "exported to two", change: annotated(" shop , . ,shop"), want: facts{ExportTo: []string{".", "shop"}}},
		{name: "exported to nobody", change: annotated("~"), want: facts{ExportTo: []string{"~"}}},
		{name: "exported to no name", change: annotated(" ,"), want: facts{ExportTo: []string{"~"}}},
		{name: "exported by default", change: annotated(""), want: facts{}},
	}
	for _, test := range tests {
		want := &test.want
		if want.Headless == nil {
			want.Headless = new(false)
		}
		if want.ExportTo == nil {
			want.ExportTo = []string{}
		}
		switch want.Proxy {
		case "-":
			want.Proxy, want.ServiceAccounts = "", nil
		default:
			want.Proxy, want.ServiceAccounts = "ALL", []string{"web-0"}
		}
		got := destinationFactsOf(t, workloadsBehind(nil), webService(test.change))
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: facts (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestPodsBehindDestination(t *testing.T) {
	t.Parallel()
	in := workloadsBehind(nil)
	in.Services = []corev1.Service{webService(func(*corev1.Service) {})}
	// A pod of nobody, without a proxy.
	alone := pod(app())
	alone.Name, alone.Namespace, alone.Labels = "alone", "shop", map[string]string{"app": "web"}
	in.Pods = append(in.Pods, alone)
	// A workload without pods keeps its service account behind the Service.
	tests := []struct {
		name     string
		change   func(*discovery.Input)
		proxy    discoveryv1.Presence
		accounts []string
	}{
		{name: "one without a proxy", change: func(*discovery.Input) {}, proxy: "SOME", accounts: []string{"default", "web-0"}},
		{
			name: "one that has ended", proxy: "ALL", accounts: []string{"default", "web-0"},
			change: func(in *discovery.Input) { in.Pods[1].Status.Phase = corev1.PodFailed },
		},
		{
			name: "the sidecar's labels differ from its template's", proxy: "NONE", accounts: []string{"default", "web-0"},
			change: func(in *discovery.Input) { in.Pods[0].Labels = nil },
		},
	}
	for _, test := range tests {
		changed := in
		changed.Pods = slices.Clone(in.Pods)
		test.change(&changed)
		got := destinationFactsOf(t, changed, in.Services[0])
		if got.Proxy != test.proxy {
			t.Errorf("%s: proxy %s, want %s", test.name, got.Proxy, test.proxy)
		}
		if diff := cmp.Diff(test.accounts, got.ServiceAccounts); diff != "" {
			t.Errorf("%s: service accounts (-want +got):\n%s", test.name, diff)
		}
	}
}

func TestPortFacts(t *testing.T) {
	t.Parallel()
	named := intstr.FromString
	container := func(name string, number int32, protocol corev1.Protocol) corev1.ContainerPort {
		return corev1.ContainerPort{Name: name, ContainerPort: number, Protocol: protocol}
	}
	in := workloadsBehind(
		[]corev1.ContainerPort{container("web", 8080, ""), container("web", 8081, ""), container("same", 9000, "TCP"), container("dns", 53, "UDP")},
		[]corev1.ContainerPort{container("web", 9090, "TCP"), container("same", 9000, ""), container("one", 7000, ""), container("dns", 5353, "UDP")},
	)
	ports := []corev1.ServicePort{
		{Name: "http", Port: 80, TargetPort: named("web")},
		{Name: "tcp-same", Port: 81, TargetPort: named("same")},
		{Name: "one", Port: 82, TargetPort: named("one")},
		{Name: "gone", Port: 83, TargetPort: named("gone")},
		{Name: "dns", Port: 53, Protocol: corev1.ProtocolUDP, TargetPort: named("dns")},
		{Name: "dns-tcp", Port: 54, TargetPort: named("dns")},
		{Name: "number", Port: 84, TargetPort: intstr.FromInt32(8080), AppProtocol: new("kubernetes.io/h2c")},
		{Name: "grpc-web-x", Port: 85},
		{Name: "x", Port: 3306},
		{Name: "redis", Port: 86},
		{Name: "sctp", Port: 87, Protocol: corev1.ProtocolSCTP},
	}
	want := []discoveryv1.PortFacts{
		{Port: 80, Protocol: "HTTP", PodPorts: []discoveryv1.PodPort{
			{Workload: "web-0-shop-east-daemonset", Port: 8080}, {Workload: "web-1-shop-east-daemonset", Port: 9090},
		}},
		{Port: 81, Protocol: "TCP"},
		{Port: 82, Protocol: "AUTO", PodPorts: []discoveryv1.PodPort{{Workload: "web-1-shop-east-daemonset", Port: 7000}}},
		{Port: 83, Protocol: "AUTO"},
		{Port: 53, Protocol: "UDP", PodPorts: []discoveryv1.PodPort{
			{Workload: "web-0-shop-east-daemonset", Port: 53}, {Workload: "web-1-shop-east-daemonset", Port: 5353},
		}},
		{Port: 54, Protocol: "AUTO"},
		{Port: 84, Protocol: "HTTP2"},
		{Port: 85, Protocol: "GRPC-Web"},
		{Port: 3306, Protocol: "TCP"},
		{Port: 86, Protocol: "Redis"},
		{Port: 87, Protocol: "SCTP"},
	}
	got := destinationFactsOf(t, in, webService(func(s *corev1.Service) { s.Spec.Ports = ports }))
	if diff := cmp.Diff(want, got.Ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}

	// A protocol that Kubernetes does not have.
	got = destinationFactsOf(t, in, webService(func(s *corev1.Service) {
		s.Spec.Ports = []corev1.ServicePort{{Name: "http", Port: 80, Protocol: "QUIC"}}
	}))
	if diff := cmp.Diff([]discoveryv1.PortFacts{{Port: 80}}, got.Ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
}

// TestManyPorts: a Service with 1,000 named target ports in front of several
// workloads costs no more for each port than one with 250.
func TestManyPorts(t *testing.T) {
	t.Parallel()
	input := func(ports int) discovery.Input {
		var containerPorts []corev1.ContainerPort
		service := webService(func(*corev1.Service) {})
		for i := range ports {
			name := fmt.Sprintf("p-%d", i)
			containerPorts = append(containerPorts, corev1.ContainerPort{Name: name, ContainerPort: int32(10000 + i)})
			service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: name, Port: int32(1 + i), TargetPort: intstr.FromString(name)})
		}
		lists := make([][]corev1.ContainerPort, 20)
		for i := range lists {
			lists[i] = containerPorts
		}
		lists[19] = slices.Clone(containerPorts)
		lists[19][0].ContainerPort = 9999
		in := workloadsBehind(lists...)
		in.Services = []corev1.Service{service}
		return in
	}
	cost := func(ports int) float64 {
		in, best := input(ports), 0.0
		for range 5 {
			start := cputime.Used()
			for range 4000 / ports {
				discovery.Discover(in)
			}
			if used := (cputime.Used() - start).Seconds(); best == 0 || used < best {
				best = used
			}
		}
		return best
	}
	out := discovery.Discover(input(1000))
	facts := out.Destinations[0].Spec.Meshctl
	if len(facts.Ports) != 1000 || len(facts.Ports[0].PodPorts) != 20 || len(facts.Ports[1].PodPorts) != 0 {
		t.Fatalf("%d ports", len(facts.Ports))
	}
	if few, many := cost(250), cost(1000); many > 3*few {
		t.Errorf("a port costs %.1f times as much among 1,000 as among 250", many/few)
	}
}
