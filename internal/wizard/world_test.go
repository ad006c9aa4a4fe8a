package wizard_test

import (
	"github.com/meshctl/meshctl/internal/wizard"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

func mesh(name string) core.ObjectRef { return core.ObjectRef{Name: name, Namespace: "gloo-mesh"} }

func service(name, cluster string) core.ClusterObjectRef {
	return core.ClusterObjectRef{Name: name, Namespace: "bookinfo", ClusterName: cluster}
}

// bookinfo is what exists in most tests.
func bookinfo() wizard.Catalogue {
	http := []wizard.PortChoice{{Number: 9080, Name: "http"}}
	return wizard.Catalogue{
		Meshes: []wizard.MeshChoice{
			{Ref: mesh("istiod-east"), Cluster: "east", Type: "istio", Version: "1.31.1", TrustDomain: "east.local"},
			{Ref: mesh("istiod-north"), Cluster: "north", VirtualMesh: "other.gloo-mesh"},
			{Ref: mesh("istiod-west"), Cluster: "west", Type: "istio", Version: "1.30.0"},
		},
		Services: []wizard.ServiceChoice{
			{Ref: service("ratings", "east"), Ports: http},
			{Ref: service("reviews", "east"), Ports: http, Subsets: map[string][]string{"version": {"v1", "v2"}}, Labels: map[string]string{"app": "reviews"}},
			{Ref: service("reviews", "west"), Ports: append(http[:1:1], wizard.PortChoice{Number: 9090}), Subsets: map[string][]string{"version": {"v3"}}},
			{Ref: core.ClusterObjectRef{Name: "gateway", Namespace: "istio-system", ClusterName: "east"}, Gateway: true, Ports: []wizard.PortChoice{{Number: 15443, Name: "tls"}, {Number: 16443, Name: "mtls"}}},
			{Ref: core.ClusterObjectRef{Name: "payments", Namespace: "shop"}, External: true, Labels: map[string]string{"team": "money"}},
		},
		ServiceAccounts: []core.ClusterObjectRef{service("productpage", "east"), service("reviews", "west")},
		Namespaces:      []string{"bookinfo", "istio-system"},
		Clusters:        []string{"east", "north", "west"},
		WorkloadLabels:  []wizard.LabelChoice{{Key: "app", Value: "ratings", Workloads: 2}, {Key: "app", Value: "reviews", Workloads: 3}, {Key: "version", Value: "v1", Workloads: 4}},
		ServiceLabels:   []wizard.LabelChoice{{Key: "app", Value: "ratings", Workloads: 1}, {Key: "app", Value: "reviews", Workloads: 2}},
		Taken:           []string{"virtual-mesh.gloo-mesh", "taken.gloo-mesh", "taken.elsewhere"},
	}
}

// to returns a pointer to a value.
func to[T any](value T) *T { return &value }
