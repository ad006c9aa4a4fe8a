package worldgen

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// chooseApps decides what runs in the world: a front end, a Service with several
// versions, one that speaks other protocols than HTTP, and maybe more.
func (g *generator) chooseApps() []app {
	web := app{name: "web", namespace: "shop", account: pick(g.dice, "web", "web", "default")}
	web.ports = []port{{name: "http", kind: kindHTTP, number: pick(g.dice, 80, 8080), container: []int{8080}}}

	stock := app{name: "stock", namespace: "shop", account: "stock"}
	first := port{name: pick(g.dice, "http", "http-stock", "http2", "http2-stock"), number: 8080, container: []int{pick(g.dice, 8080, 8081)}}
	first.kind = kindHTTP
	if strings.HasPrefix(first.name, "http2") {
		first.kind = kindHTTP2
	}
	if g.chance(3) {
		first.byName = true
		if g.chance(2) { // the same name is another number in each version
			first.container = []int{8081, 8082}
		}
	}
	stock.ports = []port{first}
	if g.chance(2) {
		stock.ports = append(stock.ports, port{name: pick(g.dice, "http-admin", "grpc-admin"), kind: kindHTTP, number: 8090, container: []int{pick(g.dice, 8090, 8091)}})
		if stock.ports[1].name == "grpc-admin" {
			stock.ports[1].kind = kindGRPC
		}
	}

	pay := app{name: "pay", namespace: pick(g.dice, "bank", "bank", "shop"), account: "pay"}
	pay.ports = []port{{name: pick(g.dice, "tcp", "tcp-pay"), kind: kindTCP, number: 7000, container: []int{pick(g.dice, 7000, 7001)}}}
	if g.chance(2) {
		pay.ports = append(pay.ports, port{name: pick(g.dice, "grpc", "grpc-pay"), kind: kindGRPC, number: 9090, container: []int{9090}, byName: g.chance(4)})
	}
	if g.chance(4) {
		pay.ports = append(pay.ports, port{name: "web", kind: kindUndeclared, number: 8888, container: []int{8888}})
	}
	apps := []app{web, stock, pay}

	if g.chance(2) {
		ledger := app{name: "ledger", namespace: "bank", account: pick(g.dice, "ledger", "pay")}
		ledger.ports = []port{{name: "http", kind: kindHTTP, number: 9080, container: []int{9081}}}
		if g.chance(2) {
			ledger.alias, ledger.aliasPort = "ledger-public", 80
		}
		apps = append(apps, ledger)
	}
	if g.chance(4) {
		job := app{name: "job", namespace: "legacy", account: "job", uninjected: true}
		job.ports = []port{{name: "http", kind: kindHTTP, number: 8080, container: []int{8080}}}
		apps = append(apps, job)
	}
	return apps
}

// deploy returns the objects of an app in one cluster.
func (g *generator) deploy(cluster string, a app, versions, replicas int) []unstructured.Unstructured {
	var objects []unstructured.Unstructured
	identity := account{a.account, a.namespace, cluster}
	known := false
	for _, other := range g.accounts {
		known = known || other == identity
	}
	if !known {
		g.accounts = append(g.accounts, identity)
		objects = append(objects, manifest(named("v1", "ServiceAccount", a.namespace, a.account, nil)))
	}
	var names []string
	for v := range versions {
		version := fmt.Sprintf("v%d", v+1)
		names = append(names, version)
		count := 1
		if v == 0 {
			count = replicas
		}
		objects = append(objects, manifest(deployment(a, v, version, count)))
	}
	s := service{
		name: a.name, namespace: a.namespace, cluster: cluster, labels: map[string]string{"app": a.name, "tier": tierOf(a)},
		ports: a.ports, versions: names, injected: !a.uninjected,
	}
	g.services = append(g.services, s)
	objects = append(objects, manifest(serviceManifest(s, a.name)))
	if a.alias != "" {
		s.name, s.labels = a.alias, map[string]string{"app": a.name, "tier": "edge"}
		s.ports = []port{a.ports[0]}
		s.ports[0].number = a.aliasPort
		g.services = append(g.services, s)
		objects = append(objects, manifest(serviceManifest(s, a.name)))
	}
	return objects
}

func tierOf(a app) string {
	if a.namespace == "bank" {
		return "back"
	}
	return "front"
}

// deployment returns one version of an app. Container ports are named after
// their protocol, so that whoever runs the pod knows what to serve there.
func deployment(a app, v int, version string, replicas int) object {
	labels := object{"app": a.name, "version": version}
	var ports list
	for _, p := range a.ports {
		ports = append(ports, object{"name": p.name, "containerPort": p.containerOf(v), "protocol": "TCP"})
	}
	return labelled(named("apps/v1", "Deployment", a.namespace, a.name+"-"+version, object{"spec": object{
		"replicas": replicas,
		"selector": object{"matchLabels": labels},
		"template": object{
			"metadata": object{"labels": labels},
			"spec": object{
				"serviceAccountName": a.account,
				"containers":         list{object{"name": "echo", "image": "lab/echo", "ports": ports}},
			},
		},
	}}), labels)
}

func serviceManifest(s service, app string) object {
	var ports list
	for _, p := range s.ports {
		target := intstr.FromInt32(int32(p.container[0]))
		if p.byName {
			target = intstr.FromString(p.name)
		}
		ports = append(ports, object{"name": p.name, "port": p.number, "targetPort": target, "protocol": "TCP"})
	}
	labels := object{}
	for key, value := range s.labels {
		labels[key] = value
	}
	return labelled(named("v1", "Service", s.namespace, s.name, object{"spec": object{
		"type": "ClusterIP", "selector": object{"app": app}, "ports": ports,
	}}), labels)
}

// gateway returns the ingress gateway of a cluster, as Istio's chart installs it
// with an image that needs no injection.
func gateway() []unstructured.Unstructured {
	labels := object{"app": GatewayName, "istio": "ingressgateway"}
	return []unstructured.Unstructured{
		manifest(named("v1", "ServiceAccount", IstioNamespace, GatewayName+"-service-account", nil)),
		manifest(labelled(named("apps/v1", "Deployment", IstioNamespace, GatewayName, object{"spec": object{
			"replicas": 1,
			"selector": object{"matchLabels": labels},
			"template": object{
				"metadata": object{"labels": labels, "annotations": object{"inject.istio.io/templates": "gateway"}},
				"spec": object{
					"serviceAccountName": GatewayName + "-service-account",
					"containers":         list{object{"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.31.0"}},
				},
			},
		}}), labels)),
		manifest(labelled(named("v1", "Service", IstioNamespace, GatewayName, object{"spec": object{
			"type": "LoadBalancer", "selector": labels,
			"ports": list{
				object{"name": "status-port", "port": 15021, "targetPort": 15021, "protocol": "TCP"},
				object{"name": "http2", "port": 80, "targetPort": 8080, "protocol": "TCP"},
				object{"name": "tls", "port": 15443, "targetPort": 15443, "protocol": "TCP"},
			},
		}}), labels)),
	}
}

// gatewayService is the gateway as policies may refer to it.
func gatewayService(cluster string) service {
	return service{
		name: GatewayName, namespace: IstioNamespace, cluster: cluster,
		labels: map[string]string{"app": GatewayName, "istio": "ingressgateway"}, injected: true,
	}
}
