package worldgen

import "fmt"

// addForeign adds two to four Istio objects that somebody else wrote.
func (g *generator) addForeign() {
	for i := range 2 + g.IntN(3) {
		cluster := g.IntN(len(g.world.Clusters))
		c := g.world.Clusters[cluster]
		var local []service
		for _, s := range g.appServices(true) {
			if s.cluster == c.Name {
				local = append(local, s)
			}
		}
		s := pick(g.dice, local...)
		g.foreign(cluster, g.foreignObject(fmt.Sprintf("theirs-%d", i+1), c, s))
	}
}

// foreignObject returns one object that touches calls of or to a Service.
func (g *generator) foreignObject(name string, c Cluster, s service) object {
	host := fmt.Sprintf("%s.%s.svc.%s", s.name, s.namespace, c.Domain)
	app := object{"matchLabels": object{"app": s.labels["app"]}}
	switch g.IntN(6) {
	case 0:
		return named("security.istio.io/v1", "AuthorizationPolicy", s.namespace, name, object{"spec": pick(g.dice,
			object{"action": "DENY", "selector": app, "rules": list{object{"to": list{object{"operation": object{"paths": texts("/api/items")}}}}}},
			object{"action": "ALLOW", "selector": app, "rules": list{object{"from": list{object{"source": object{"namespaces": texts("bank")}}}}}},
			object{"action": "DENY", "rules": list{object{"from": list{object{"source": object{"namespaces": texts("bank")}}}}}},
		)})
	case 1:
		return named("security.istio.io/v1", "PeerAuthentication", s.namespace, name, object{"spec": object{
			"selector": app, "mtls": object{"mode": pick(g.dice, "DISABLE", "PERMISSIVE", "STRICT")},
		}})
	case 2:
		route := object{"route": list{object{"destination": object{"host": host}}}}
		if g.chance(2) {
			route["fault"] = object{"abort": object{"httpStatus": 421, "percentage": object{"value": 100}}}
		} else {
			route["timeout"] = "0.5s"
		}
		return named("networking.istio.io/v1", "VirtualService", s.namespace, name, object{"spec": object{"hosts": texts(host), "http": list{route}}})
	case 3:
		policy := object{"tls": object{"mode": pick(g.dice, "DISABLE", "ISTIO_MUTUAL")}}
		return named("networking.istio.io/v1", "DestinationRule", s.namespace, name, object{"spec": object{"host": host, "trafficPolicy": policy}})
	case 4:
		return named("networking.istio.io/v1", "Sidecar", s.namespace, name, object{"spec": object{
			"workloadSelector": object{"labels": object{"app": s.labels["app"]}},
			"egress":           list{object{"hosts": texts("./*", IstioNamespace+"/*")}},
		}})
	default:
		hosts := texts("outside.example.com")
		if g.chance(2) { // one that is federated from somewhere else
			other := pick(g.dice, g.world.Clusters...)
			hosts = texts(fmt.Sprintf("%s.%s.svc.%s.global", s.name, s.namespace, other.Name))
		}
		return named("networking.istio.io/v1", "ServiceEntry", s.namespace, name, object{"spec": object{
			"hosts": hosts, "location": "MESH_EXTERNAL", "resolution": "STATIC",
			"ports":     list{object{"number": 8080, "name": "http", "protocol": "HTTP"}},
			"endpoints": list{object{"address": "192.0.2.10"}},
		}})
	}
}
