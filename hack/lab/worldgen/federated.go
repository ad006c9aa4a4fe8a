package worldgen

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Federated returns a fixed world about calls between clusters, of which name,
// domains and trust domain are given. Each has
//
//   - the gateway;
//   - web in namespace shop, for sending requests;
//   - stock in shop, HTTP/1 at 8080 by the name of a container port that is 8081
//     in version v1 and 8082 in v2; more than two clusters have v1 only;
//   - desk in bank, with a port for each protocol: HTTP/1 at 80 (8001), HTTP/2 at
//     8002, gRPC at 9090 by the name of port 9091, and TCP at 7000 (7001);
//   - in the first cluster only, job in legacy, whose pod has no proxy.
//
// The VirtualMesh lab groups them all; federation is that part of its
// specification, as YAML that has to be right.
func Federated(name string, clusters []Cluster, federation, access string, resources ...unstructured.Unstructured) World {
	g := &generator{dice: newDice(0)}
	g.world.Name = name
	g.apps = []app{
		{name: "web", namespace: "shop", account: "web", ports: []port{{name: "http", kind: kindHTTP, number: 80, container: []int{8080}}}},
		{name: "stock", namespace: "shop", account: "stock", ports: []port{{name: "http", kind: kindHTTP, number: 8080, container: []int{8081, 8082}, byName: true}}},
		{name: "desk", namespace: "bank", account: "desk", ports: []port{
			{name: "http", kind: kindHTTP, number: 80, container: []int{8001}},
			{name: "http2", kind: kindHTTP2, number: 8002, container: []int{8002}},
			{name: "grpc", kind: kindGRPC, number: 9090, container: []int{9091}, byName: true},
			{name: "tcp", kind: kindTCP, number: 7000, container: []int{7001}},
		}},
		{name: "job", namespace: "legacy", account: "job", uninjected: true, ports: []port{{name: "http", kind: kindHTTP, number: 8080, container: []int{8080}}}},
	}
	for i, c := range clusters {
		c.MeshConfig = dnsCapture()
		c.Objects = append(namespaces(g.apps), gateway()...)
		for _, a := range g.apps {
			if a.uninjected && i > 0 {
				continue
			}
			versions := 1
			if a.name == "stock" && len(clusters) == 2 {
				versions = 2
			}
			c.Objects = append(c.Objects, g.deploy(c.Name, a, versions, 1)...)
		}
		g.world.Clusters = append(g.world.Clusters, c)
	}
	AcceptTrustDomains(g.world.Clusters)
	settings := object{}
	if err := yaml.Unmarshal([]byte(federation), &settings); err != nil {
		panic(fmt.Sprintf("the federation of a VirtualMesh: %v", err))
	}
	g.add("VirtualMesh", "lab", object{
		"meshes":     g.meshes(g.world.Clusters...),
		"mtlsConfig": object{"shared": object{"rootCertificateAuthority": object{"generated": object{}}}, "autoRestartPods": true},
		"federation": settings, "globalAccessPolicy": access,
	})
	g.world.Flat = settings["flatNetwork"] == true
	g.world.Management = append(g.world.Management, resources...)
	return g.world
}

// With returns the world with more objects in one cluster, from YAML that has to
// be right, one object each.
func (w World) With(cluster string, manifests ...string) World {
	w.Clusters = append([]Cluster(nil), w.Clusters...)
	c := w.Cluster(cluster)
	c.Objects = append([]unstructured.Unstructured(nil), c.Objects...)
	for _, text := range manifests {
		content := object{}
		if err := yaml.Unmarshal([]byte(text), &content); err != nil {
			panic(fmt.Sprintf("an object for cluster %s: %v", cluster, err))
		}
		c.Objects = append(c.Objects, manifest(content))
	}
	return w
}

// Gateway returns another gateway of a cluster, a Deployment with its Service of
// a type, of which the specification may hold more. The pods have the label istio
// with the given value.
func Gateway(name, istio, serviceType string, annotations map[string]string, spec map[string]any) []unstructured.Unstructured {
	objects := gateway()
	labels := object{"app": name, "istio": istio}
	set := func(o *unstructured.Unstructured, value any, path ...string) {
		if err := unstructured.SetNestedField(o.Object, manifest(object{"value": value}).Object["value"], path...); err != nil {
			panic(fmt.Sprintf("the gateway %s: %v", name, err))
		}
	}
	for i := range objects {
		o := &objects[i]
		switch o.GetKind() {
		case "ServiceAccount":
			o.SetName(name + "-service-account")
			continue
		case "Deployment":
			set(o, labels, "spec", "selector", "matchLabels")
			set(o, labels, "spec", "template", "metadata", "labels")
			set(o, name+"-service-account", "spec", "template", "spec", "serviceAccountName")
		case "Service":
			o.SetAnnotations(annotations)
			set(o, labels, "spec", "selector")
			set(o, serviceType, "spec", "type")
			for key, value := range spec {
				set(o, value, "spec", key)
			}
		}
		o.SetName(name)
		set(o, labels, "metadata", "labels")
	}
	return objects
}
