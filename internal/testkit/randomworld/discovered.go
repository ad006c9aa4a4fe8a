package randomworld

import (
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	multiclusterv1alpha1 "github.com/meshctl/meshctl/pkg/api/multicluster/v1alpha1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

func discoveredMeta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: world.DefaultNamespace}
}

func (g *generator) addSettings() {
	if g.chance(2) {
		return
	}
	g.objects.Settings = append(g.objects.Settings, world.Object[settingsv1.Settings]{
		Resource: &settingsv1.Settings{
			ObjectMeta: discoveredMeta("settings"),
			Spec:       settingsv1.SettingsSpec{MTLS: maybe(g, 2, networkingv1.MTLS{Istio: &networkingv1.IstioMTLS{TLSMode: g.tlsMode()}})},
		},
		Errors: g.errors(),
	})
}

func (g *generator) tlsMode() networkingv1.TLSMode {
	return pick(g, "", networkingv1.TLSModeDisable, networkingv1.TLSModeSimple, networkingv1.TLSModeIstioMutual)
}

// addMeshes adds the cluster and, usually, a mesh in it.
func (g *generator) addMeshes(number int) {
	cluster := clusterNames()[number]
	if g.chance(2) {
		g.objects.KubernetesClusters = append(g.objects.KubernetesClusters, world.Object[multiclusterv1alpha1.KubernetesCluster]{
			Resource: &multiclusterv1alpha1.KubernetesCluster{
				ObjectMeta: discoveredMeta(cluster),
				Spec:       multiclusterv1alpha1.KubernetesClusterSpec{ClusterDomain: pick(g, "", "cluster.local", "corp.local")},
			},
		})
	}
	for i := range pick(g, 1, 1, 1, 1, 0, 2) {
		name := "mesh-" + cluster
		if i > 0 {
			name += "-2"
		}
		installation := &discoveryv1.MeshInstallation{Cluster: cluster, Namespace: "istio-system"}
		mesh := &discoveryv1.Mesh{ObjectMeta: discoveredMeta(name)}
		switch g.below(12) {
		case 0:
			mesh.Spec.OSM = &discoveryv1.OSM{Installation: installation}
		case 1:
			mesh.Spec.AWSAppMesh = &discoveryv1.AWSAppMesh{Clusters: some(g, clusterNames()...)}
		case 2: // of no known type
		case 3:
			mesh.Spec.Istio = &discoveryv1.IstioMesh{}
		default:
			mesh.Spec.Istio = &discoveryv1.IstioMesh{
				Installation: installation, TrustDomain: pick(g, "", cluster+".example", cluster+".example", "shared.example"),
				SmartDNSProxyingEnabled: g.chance(2), IngressGateways: g.listedGateways(),
			}
			mesh.Spec.Meshctl = g.meshFacts()
		}
		g.objects.Meshes = append(g.objects.Meshes, world.Object[discoveryv1.Mesh]{Resource: mesh, Errors: g.errors()})
	}
}

func (g *generator) listedGateways() []discoveryv1.IngressGatewayInfo {
	if !g.chance(5) {
		return nil
	}
	return []discoveryv1.IngressGatewayInfo{{
		Name: pick(g, "gateway", "cart"), Namespace: pick(g, "istio-system", "shop"),
		ExternalTLSPort: 15443, TLSContainerPort: 15443,
	}}
}

// addServices adds the Services and workloads of a cluster.
func (g *generator) addServices(number int) {
	cluster := clusterNames()[number]
	for i := range 1 + g.below(5) {
		namespace := pick(g, namespaces()[:2]...)
		name := serviceNames()[i%4]
		selector := map[string]string{"app": pick(g, name, name, name, serviceNames()[0])}
		if g.chance(12) {
			selector = nil
		}
		service := &discoveryv1.KubeService{
			Ref:                    &core.ClusterObjectRef{Name: name, Namespace: namespace, ClusterName: cluster},
			WorkloadSelectorLabels: selector, Labels: g.labels(), Ports: g.ports(), ServiceType: pick(g, "", "", "", "", "", "", "", discoveryv1.ServiceTypeExternalName),
		}
		if g.chance(40) {
			service.Ref = nil
		}
		g.addDestination(fmt.Sprintf("%s-%s-%s-%d", name, namespace, cluster, i), cluster, discoveryv1.DestinationSpec{KubeService: service, Meshctl: g.serviceFacts()})
		for range g.below(3) {
			g.addWorkload(name, namespace, cluster, map[string]string{"app": name, "version": pick(g, "v1", "v2")})
		}
	}
	if !g.chance(4) {
		g.addGateway(cluster)
	}
	if g.chance(6) {
		g.addDestination("external-"+cluster, cluster, discoveryv1.DestinationSpec{ExternalService: &discoveryv1.ExternalService{Name: "external", Hosts: []string{"example.com"}}})
	}
	if g.chance(20) {
		g.addDestination("nothing-"+cluster, cluster, discoveryv1.DestinationSpec{})
	}
}

func (g *generator) addGateway(cluster string) {
	labels := map[string]string{"istio": "ingressgateway"}
	service := &discoveryv1.KubeService{
		Ref:                    &core.ClusterObjectRef{Name: "gateway", Namespace: "istio-system", ClusterName: cluster},
		WorkloadSelectorLabels: labels, Labels: labels,
		Ports: []discoveryv1.KubeServicePort{{
			Port: 15443, Name: pick(g, "tls", "tls", "other"), NodePort: pick[uint32](g, 0, 31443),
			TargetPortName: maybe(g, 4, "tls"), TargetPortNumber: maybe(g, 2, uint32(15443)),
		}},
		ServiceType: pick(g, discoveryv1.ServiceTypeLoadBalancer, discoveryv1.ServiceTypeNodePort, discoveryv1.ServiceTypeClusterIP, ""),
	}
	if g.chance(2) {
		service.ExternalAddresses = []discoveryv1.ExternalAddress{{IP: ptr("203.0.113.1")}, {DNSName: ptr("gateway.example.com")}, {}}
	}
	g.addDestination("gateway-istio-system-"+cluster, cluster, discoveryv1.DestinationSpec{KubeService: service})
	if g.chance(2) {
		g.addWorkload("gateway", "istio-system", cluster, labels)
	}
}

func (g *generator) ports() []discoveryv1.KubeServicePort {
	http := discoveryv1.KubeServicePort{Port: 8080, Name: "http", Protocol: "TCP"}
	tcp := discoveryv1.KubeServicePort{Port: 9090, Name: "tcp-metrics", Protocol: "TCP"}
	unnamed := discoveryv1.KubeServicePort{Port: 7070}
	udp := discoveryv1.KubeServicePort{Port: 53, Protocol: "UDP"}
	grpc := discoveryv1.KubeServicePort{Port: 8081, Name: "rpc", AppProtocol: "grpc-web"}
	return pick(g,
		[]discoveryv1.KubeServicePort{http}, []discoveryv1.KubeServicePort{http}, []discoveryv1.KubeServicePort{http, tcp},
		[]discoveryv1.KubeServicePort{unnamed, http, grpc}, []discoveryv1.KubeServicePort{udp}, []discoveryv1.KubeServicePort{http, http}, nil,
	)
}

// home returns the mesh of an object in a cluster; rarely a wrong one or none.
func (g *generator) home(cluster string) *core.ObjectRef {
	switch g.below(20) {
	case 0:
		return nil
	case 1:
		return ptr(g.mesh())
	default:
		return &core.ObjectRef{Name: "mesh-" + cluster, Namespace: world.DefaultNamespace}
	}
}

func (g *generator) addDestination(name, cluster string, spec discoveryv1.DestinationSpec) {
	spec.Mesh = g.home(cluster)
	g.objects.Destinations = append(g.objects.Destinations, world.Object[discoveryv1.Destination]{
		Resource: &discoveryv1.Destination{ObjectMeta: discoveredMeta(name), Spec: spec}, Errors: g.errors(),
	})
}

func (g *generator) addWorkload(name, namespace, cluster string, labels map[string]string) {
	number := len(g.objects.Workloads)
	workload := &discoveryv1.Workload{
		ObjectMeta: discoveredMeta(fmt.Sprintf("%s-%d-%s", name, number, pick(g, "deployment", "statefulset", "thing"))),
		Spec:       discoveryv1.WorkloadSpec{Mesh: g.home(cluster), Meshctl: g.podFacts()},
	}
	if !g.chance(40) {
		workload.Spec.Kubernetes = &discoveryv1.KubernetesWorkload{
			Controller: &core.ClusterObjectRef{Name: fmt.Sprintf("%s-%d", name, number), Namespace: namespace, ClusterName: cluster},
			PodLabels:  labels, ServiceAccountName: pick(g, "", name, "robot"),
		}
		if g.chance(40) {
			workload.Spec.Kubernetes.Controller = nil
		}
	}
	g.objects.Workloads = append(g.objects.Workloads, world.Object[discoveryv1.Workload]{Resource: workload, Errors: g.errors()})
}
