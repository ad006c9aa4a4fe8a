package genworld

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

const (
	istioNamespace = "istio-system"
	gatewayName    = "istio-ingressgateway"
)

func meshRef(cluster string) core.ObjectRef {
	return core.ObjectRef{Name: "istiod-" + istioNamespace + "-" + cluster, Namespace: world.DefaultNamespace}
}

func discoveryType(kind string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: discoveryv1.GroupVersion().String(), Kind: kind}
}

func discoveredMeta(name, cluster string) metav1.ObjectMeta {
	return metav1.ObjectMeta{
		Name: name, Namespace: world.DefaultNamespace,
		Labels: map[string]string{
			"cluster.discovery.mesh.gloo.solo.io": cluster,
			"owner.discovery.mesh.gloo.solo.io":   world.DefaultNamespace,
		},
	}
}

func (g *generator) addSettings() {
	g.objects.Settings = append(g.objects.Settings, object(&settingsv1.Settings{
		TypeMeta:   metav1.TypeMeta{APIVersion: settingsv1.GroupVersion().String(), Kind: "Settings"},
		ObjectMeta: metav1.ObjectMeta{Name: "settings", Namespace: world.DefaultNamespace},
		Spec: settingsv1.SettingsSpec{
			MTLS: &networkingv1.MTLS{Istio: &networkingv1.IstioMTLS{TLSMode: networkingv1.TLSModeIstioMutual}},
		},
	}))
}

// addCluster adds a cluster, its mesh, the gateway and all services.
func (g *generator) addCluster(number int) {
	cluster := clusterName(number)
	g.objects.KubernetesClusters = append(g.objects.KubernetesClusters, object(&multiclusterv1alpha1.KubernetesCluster{
		TypeMeta:   metav1.TypeMeta{APIVersion: multiclusterv1alpha1.GroupVersion().String(), Kind: "KubernetesCluster"},
		ObjectMeta: metav1.ObjectMeta{Name: cluster, Namespace: world.DefaultNamespace},
		Spec:       multiclusterv1alpha1.KubernetesClusterSpec{SecretName: cluster, ClusterDomain: "cluster.local"},
	}))
	g.objects.Meshes = append(g.objects.Meshes, object(&discoveryv1.Mesh{
		TypeMeta:   discoveryType("Mesh"),
		ObjectMeta: discoveredMeta(meshRef(cluster).Name, cluster),
		Spec: discoveryv1.MeshSpec{Istio: &discoveryv1.IstioMesh{
			Installation: &discoveryv1.MeshInstallation{
				Namespace: istioNamespace, Cluster: cluster, Version: "1.24.2", PodLabels: map[string]string{"app": "istiod"},
			},
			TrustDomain: cluster + ".example.com", IstiodServiceAccount: "istiod", SmartDNSProxyingEnabled: true,
		}},
	}))
	g.addGateway(number)
	for s := range g.Services {
		g.addService(service{cluster: number, number: s})
	}
}

// addGateway adds the Service and the workload of the ingress gateway.
func (g *generator) addGateway(number int) {
	cluster := clusterName(number)
	labels := map[string]string{"app": gatewayName, "istio": "ingressgateway"}
	g.addWorkload(gatewayName, istioNamespace, cluster, gatewayName, labels)
	g.addDestination(gatewayName, istioNamespace, cluster, &discoveryv1.KubeService{
		WorkloadSelectorLabels: labels, Labels: labels,
		Ports: []discoveryv1.KubeServicePort{
			{Port: 80, Name: "http2", Protocol: "TCP", TargetPortNumber: ptr(uint32(8080))},
			{Port: 15443, Name: "tls", Protocol: "TCP", TargetPortNumber: ptr(uint32(15443))},
		},
		ServiceType:       discoveryv1.ServiceTypeLoadBalancer,
		ExternalAddresses: []discoveryv1.ExternalAddress{{IP: ptr(fmt.Sprintf("203.0.113.%d", number%250+1))}},
	})
}

// addService adds a Service and two workloads behind it, versions v1 and v2.
func (g *generator) addService(s service) {
	var endpoints []discoveryv1.Endpoint
	for i, version := range []string{"v1", "v2"} {
		labels := map[string]string{"app": s.name(), "version": version, "tier": s.tier()}
		g.addWorkload(s.name()+"-"+version, s.namespace(), s.clusterName(), s.name(), labels)
		address := fmt.Sprintf("10.%d.%d.%d", s.cluster%250, s.number/100, s.number%100*2+i+1)
		endpoints = append(endpoints, discoveryv1.Endpoint{IPAddress: address, Labels: labels})
	}
	g.addDestination(s.name(), s.namespace(), s.clusterName(), &discoveryv1.KubeService{
		WorkloadSelectorLabels: map[string]string{"app": s.name()},
		Labels:                 map[string]string{"app": s.name(), "tier": s.tier()},
		Ports: []discoveryv1.KubeServicePort{
			{Port: 8080, Name: "http", Protocol: "TCP", TargetPortNumber: ptr(uint32(8080))},
		},
		Subsets: map[string]discoveryv1.Subset{"version": {Values: []string{"v1", "v2"}}},
		EndpointSubsets: []discoveryv1.EndpointsSubset{{
			Endpoints: endpoints, Ports: []discoveryv1.EndpointPort{{Port: 8080, Name: "http", Protocol: "TCP"}},
		}},
	})
}

func (g *generator) addWorkload(name, namespace, cluster, account string, labels map[string]string) {
	g.objects.Workloads = append(g.objects.Workloads, object(&discoveryv1.Workload{
		TypeMeta:   discoveryType("Workload"),
		ObjectMeta: discoveredMeta(name+"-"+namespace+"-"+cluster+"-deployment", cluster),
		Spec: discoveryv1.WorkloadSpec{
			Kubernetes: &discoveryv1.KubernetesWorkload{
				Controller: &core.ClusterObjectRef{Name: name, Namespace: namespace, ClusterName: cluster},
				PodLabels:  labels, ServiceAccountName: account,
			},
			Mesh: ptr(meshRef(cluster)),
		},
	}))
}

func (g *generator) addDestination(name, namespace, cluster string, spec *discoveryv1.KubeService) {
	spec.Ref = &core.ClusterObjectRef{Name: name, Namespace: namespace, ClusterName: cluster}
	g.objects.Destinations = append(g.objects.Destinations, object(&discoveryv1.Destination{
		TypeMeta:   discoveryType("Destination"),
		ObjectMeta: discoveredMeta(name+"-"+namespace+"-"+cluster, cluster),
		Spec:       discoveryv1.DestinationSpec{KubeService: spec, Mesh: ptr(meshRef(cluster))},
	}))
}
