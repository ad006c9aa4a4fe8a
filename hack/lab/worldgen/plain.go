package worldgen

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Plain returns a fixed world for small cases: clusters east and west, joined
// through gateways, with the Services web and stock (two versions; in the west
// only the first) in namespace shop, pay (ports 7000 TCP, 9090 gRPC, 8888
// undeclared) in bank, and in the east job in legacy, whose pods have no proxy.
// tls and access are the enforcement mode and the globalAccessPolicy of the
// VirtualMesh lab, which federates everything.
func Plain(name, tls, access string, resources ...unstructured.Unstructured) World {
	g := &generator{dice: newDice(0)}
	g.world.Name = name
	http := func(number, container int) port {
		return port{name: "http", kind: kindHTTP, number: number, container: []int{container}}
	}
	g.apps = []app{
		{name: "web", namespace: "shop", account: "web", ports: []port{http(80, 8080)}},
		{name: "stock", namespace: "shop", account: "stock", ports: []port{http(8080, 8081)}},
		{name: "pay", namespace: "bank", account: "pay", ports: []port{
			{name: "tcp", kind: kindTCP, number: 7000, container: []int{7001}},
			{name: "grpc", kind: kindGRPC, number: 9090, container: []int{9090}},
			{name: "web", kind: kindUndeclared, number: 8888, container: []int{8888}},
		}},
		{name: "job", namespace: "legacy", account: "job", uninjected: true, ports: []port{http(8080, 8080)}},
	}
	for _, cluster := range []string{"east", "west"} {
		c := Cluster{Name: cluster, Domain: defaultDomain, TrustDomain: defaultDomain, MeshConfig: dnsCapture()}
		c.Objects = append(namespaces(g.apps), gateway()...)
		for _, a := range g.apps {
			versions := 1
			switch {
			case a.name == "stock" && cluster == "east":
				versions = 2
			case a.name == "job" && cluster == "west":
				continue
			}
			c.Objects = append(c.Objects, g.deploy(cluster, a, versions, 1)...)
		}
		g.world.Clusters = append(g.world.Clusters, c)
	}
	g.add("VirtualMesh", "lab", object{
		"meshes":             g.meshes(g.world.Clusters...),
		"mtlsConfig":         object{"shared": object{"rootCertificateAuthority": object{"generated": object{}}}, "autoRestartPods": true},
		"federation":         object{"selectors": list{object{}}, "tlsEnforcementSettings": object{"enforcementMode": tls}},
		"globalAccessPolicy": access,
	})
	g.world.Management = append(g.world.Management, resources...)
	return g.world
}

// Resource returns a meshctl resource from its spec in YAML, which has to be
// right.
func Resource(kind, name, spec string) unstructured.Unstructured {
	fields := object{}
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		panic(fmt.Sprintf("the spec of %s %s: %v", kind, name, err))
	}
	return manifest(named("networking.mesh.gloo.solo.io/v1", kind, ManagementNamespace, name, object{"spec": fields}))
}

// WithForeign returns the world with an object of Istio that somebody else wrote
// in a namespace of one cluster; the spec is YAML that has to be right.
func (w World) WithForeign(cluster, kind, namespace, spec string) World {
	fields := object{}
	if err := yaml.Unmarshal([]byte(spec), &fields); err != nil {
		panic(fmt.Sprintf("the spec of a %s: %v", kind, err))
	}
	apiVersion := "networking.istio.io/v1"
	if kind == "AuthorizationPolicy" || kind == "PeerAuthentication" || kind == "RequestAuthentication" {
		apiVersion = "security.istio.io/v1"
	}
	w.Clusters = slices.Clone(w.Clusters)
	c := w.Cluster(cluster)
	w.Foreign++
	name := fmt.Sprintf("theirs-%d", w.Foreign)
	c.Objects = append(slices.Clone(c.Objects), manifest(named(apiVersion, kind, namespace, name, object{"spec": fields})))
	return w
}
