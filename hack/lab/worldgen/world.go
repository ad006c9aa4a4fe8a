// Package worldgen makes worlds that can be deployed: the raw objects of every
// cluster, and the meshctl resources that group and configure its meshes. One
// world is the bundled bookinfo, all others are random, and the same seed always
// makes the same one.
package worldgen

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// The names that every world uses.
const (
	// ManagementNamespace holds the meshctl resources.
	ManagementNamespace = "gloo-mesh"
	// IstioNamespace holds istiod, which is not part of a world, and the ingress
	// gateway.
	IstioNamespace = "istio-system"
	// GatewayName is the name of the ingress gateway's Deployment and Service.
	GatewayName = "istio-ingressgateway"
	// defaultDomain is both the usual domain of a cluster and the trust domain
	// of a mesh that sets none.
	defaultDomain = "cluster.local"
)

// World is everything that has to be deployed.
type World struct {
	// Name identifies the world in reports.
	Name string
	// Seed is what the world was made from, 0 for the bundled one.
	Seed int64
	// Flat says that pods of different clusters reach each other.
	Flat     bool
	Clusters []Cluster
	// Management are the meshctl resources and Settings, for the namespace
	// ManagementNamespace of the management cluster. Clusters still have to be
	// registered, and meshes discovered.
	Management []unstructured.Unstructured
	// Foreign counts the objects that somebody other than meshctl wrote into
	// Istio's configuration. They stand at the end of each cluster's objects.
	Foreign int
}

// Cluster is one cluster with a mesh.
type Cluster struct {
	Name string
	// Domain is the domain of the cluster's DNS names.
	Domain string
	// TrustDomain is that of the mesh.
	TrustDomain string
	// MeshConfig has what the mesh's configuration holds beyond the trust domain,
	// DNS capture among it.
	MeshConfig map[string]any
	// Objects are in an order in which they can be created: namespaces first.
	Objects []unstructured.Unstructured
}

// Mesh returns the name that discovery gives to the mesh of a cluster, whose
// istiod is called istiod.
func (c Cluster) Mesh() string { return "istiod-" + IstioNamespace + "-" + c.Name }

// DNSCapture reports whether the proxies of the mesh answer DNS queries.
func (c Cluster) DNSCapture() bool {
	value, _, _ := unstructured.NestedString(c.MeshConfig, "defaultConfig", "proxyMetadata", "ISTIO_META_DNS_CAPTURE")
	return value == "true"
}

// Cluster returns the cluster of a name, nil if there is none.
func (w World) Cluster(name string) *Cluster {
	for i := range w.Clusters {
		if w.Clusters[i].Name == name {
			return &w.Clusters[i]
		}
	}
	return nil
}

// String says what the world is, in one line.
func (w World) String() string {
	names := make([]string, 0, len(w.Clusters))
	for _, c := range w.Clusters {
		names = append(names, c.Name)
	}
	network := "gateways"
	if w.Flat {
		network = "flat network"
	}
	return fmt.Sprintf("%s: clusters %s, %s, %d management resources, %d foreign objects",
		w.Name, strings.Join(names, ", "), network, len(w.Management), w.Foreign)
}
