package worldgen

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// Network says how clusters reach each other.
type Network string

// The networks.
const (
	// AnyNetwork leaves the choice to the seed.
	AnyNetwork  Network = ""
	Gateways    Network = "gateways"
	FlatNetwork Network = "flat"
)

// Options restrict what a seed may choose.
type Options struct {
	// Clusters is the number of clusters, 2 or 3; 0 leaves it to the seed.
	Clusters int
	Network  Network
	// OtherDomains gives every cluster but east a domain other than cluster.local.
	OtherDomains bool
	// OtherTrustDomains gives each mesh a trust domain of its own, which the
	// others accept by caCertificates[].trustDomains.
	OtherTrustDomains bool
	// Foreign adds Istio objects of somebody else.
	Foreign bool
	// Unusual adds what discovery has to find out: meshes and workloads without DNS
	// capture, pods without a proxy, hidden Services, and the like.
	Unusual bool
}

// port is one port of a Service and of the pods behind it.
type port struct {
	// name tells the protocol, as Istio reads it.
	name string
	kind kind
	// number is that of the Service.
	number int
	// container is that of the pods, per version; the last holds for all others.
	container []int
	// byName says that the Service names the container's port.
	byName bool
}

func (p port) containerOf(version int) int { return p.container[min(version, len(p.container)-1)] }

// kind is the protocol that a port serves.
type kind string

const (
	kindHTTP       kind = "http"
	kindHTTP2      kind = "http2"
	kindGRPC       kind = "grpc"
	kindTCP        kind = "tcp"
	kindUndeclared kind = "web"
)

// isHTTP reports whether routes act on such a port.
func (k kind) isHTTP() bool { return k == kindHTTP || k == kindHTTP2 || k == kindGRPC }

// app is one application; every cluster that runs it has the same Services.
type app struct {
	name, namespace, account string
	ports                    []port
	// alias is a second Service over the same pods, with its first port only and
	// another number; "" without one.
	alias      string
	aliasPort  int
	uninjected bool
}

// service is what policies may refer to.
type service struct {
	name, namespace, cluster string
	labels                   map[string]string
	ports                    []port
	versions                 []string
	// reachable says that a proxy of a mesh stands before the pods.
	injected bool
}

func (s service) ref() object {
	return object{"name": s.name, "namespace": s.namespace, "clusterName": s.cluster}
}

func (s service) httpPorts() []port {
	var ports []port
	for _, p := range s.ports {
		if p.kind.isHTTP() {
			ports = append(ports, p)
		}
	}
	return ports
}

// account is a ServiceAccount that pods use.
type account struct{ name, namespace, cluster string }

// generator makes one world.
type generator struct {
	dice
	options  Options
	world    World
	apps     []app
	services []service
	accounts []account
}

// Generate returns the world of a seed. Worlds are small, since every pod runs a
// proxy: at most 7 pods in each of two clusters, or 5 in each of three.
func Generate(seed int64, options Options) World {
	g := &generator{dice: newDice(seed), options: options}
	g.world.Name, g.world.Seed = fmt.Sprintf("random-%d", seed), seed
	switch options.Network {
	case AnyNetwork:
		g.world.Flat = g.chance(4)
	default:
		g.world.Flat = options.Network == FlatNetwork
	}
	names := []string{"east", "west"}
	if options.Clusters == 3 || options.Clusters == 0 && g.chance(5) {
		names = append(names, "north")
	}
	g.apps = g.chooseApps()
	for _, name := range names {
		g.addCluster(name, len(names))
	}
	if options.OtherTrustDomains {
		AcceptTrustDomains(g.world.Clusters)
	}
	if options.Unusual {
		g.addUnusual(seed)
	}
	g.addVirtualMesh()
	for i := range 2 + g.IntN(5) {
		g.addTrafficPolicy(i + 1)
	}
	for i := range 2 + g.IntN(5) {
		g.addAccessPolicy(i + 1)
	}
	if options.Foreign {
		g.addForeign()
	}
	return g.world
}

// addCluster adds a cluster with its gateway and some of the apps.
func (g *generator) addCluster(name string, clusters int) {
	c := Cluster{Name: name, Domain: defaultDomain, TrustDomain: defaultDomain, MeshConfig: dnsCapture()}
	if g.options.OtherDomains && name != "east" {
		c.Domain = name + ".local"
	}
	if g.options.OtherTrustDomains {
		c.TrustDomain = name + ".example"
	}
	// Pods beside the gateway. A third cluster is paid for by the others.
	room := 6
	if clusters > 2 {
		room = 4
	}
	c.Objects = append(c.Objects, namespaces(g.apps)...)
	c.Objects = append(c.Objects, gateway()...)
	g.services = append(g.services, gatewayService(name))
	g.accounts = append(g.accounts, account{GatewayName + "-service-account", IstioNamespace, name})
	for i, a := range g.apps {
		versions := 1
		switch {
		case a.name == "stock" && clusters > 2:
			versions = 1 + g.IntN(2)
		case a.name == "stock":
			versions = 2 + g.IntN(3)
		case i > 2 && g.chance(4):
			continue
		}
		if versions > room {
			continue
		}
		room -= versions
		replicas := 1
		if i < 3 && room > len(g.apps)-i-1 && g.chance(4) {
			replicas, room = 2, room-1
		}
		objects := g.deploy(name, a, versions, replicas)
		c.Objects = append(c.Objects, objects...)
	}
	g.world.Clusters = append(g.world.Clusters, c)
}

// dnsCapture returns the mesh configuration by which proxies resolve names of
// federated hosts.
func dnsCapture() object {
	return object{"defaultConfig": object{"proxyMetadata": object{
		"ISTIO_META_DNS_CAPTURE": "true", "ISTIO_META_DNS_AUTO_ALLOCATE": "true",
	}}}
}

// AcceptTrustDomains lets each mesh accept clients of the trust domains of all
// others.
func AcceptTrustDomains(clusters []Cluster) {
	for i := range clusters {
		var others []string
		for _, other := range clusters {
			if other.TrustDomain != clusters[i].TrustDomain && !slices.Contains(others, other.TrustDomain) {
				others = append(others, other.TrustDomain)
			}
		}
		if len(others) > 0 {
			clusters[i].MeshConfig["caCertificates"] = list{object{"trustDomains": texts(others...)}}
		}
	}
}

// add puts a resource into the management cluster.
func (g *generator) add(kind, name string, spec object) {
	g.world.Management = append(g.world.Management, manifest(
		named("networking.mesh.gloo.solo.io/v1", kind, ManagementNamespace, name, object{"spec": spec})))
}

// foreign puts an object of somebody else into a cluster.
func (g *generator) foreign(cluster int, content object) {
	c := &g.world.Clusters[cluster]
	c.Objects = append(c.Objects, manifest(content))
	g.world.Foreign++
}

// namespaces returns those that the apps live in, and Istio's.
func namespaces(apps []app) []unstructured.Unstructured {
	result := []unstructured.Unstructured{manifest(named("v1", "Namespace", "", IstioNamespace, nil))}
	var seen []string
	for _, a := range apps {
		if slices.Contains(seen, a.namespace) {
			continue
		}
		seen = append(seen, a.namespace)
		labels := object{}
		if !a.uninjected {
			labels["istio-injection"] = "enabled"
		}
		result = append(result, manifest(labelled(named("v1", "Namespace", "", a.namespace, nil), labels)))
	}
	return result
}
