package worldgen

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// addUnusual changes things that discovery has to find out: how the proxies of a
// mesh or of a workload treat names, unknown hosts and other trust domains, which
// pods have a proxy, where Services are visible, and Services without pods.
//
// It uses dice of its own, so that the rest of the world is that of its seed.
func (g *generator) addUnusual(seed int64) {
	d := newDice(seed ^ 0x756e7573)
	for i := range g.world.Clusters {
		c := &g.world.Clusters[i]
		if d.chance(5) {
			delete(c.MeshConfig, "defaultConfig")
		}
		if accepted := c.MeshConfig["caCertificates"]; accepted != nil && d.chance(2) {
			delete(c.MeshConfig, "caCertificates")
			if d.chance(2) {
				c.MeshConfig["trustDomainAliases"] = accepted.(list)[0].(object)["trustDomains"]
			}
		}
		if d.chance(4) {
			c.MeshConfig["outboundTrafficPolicy"] = object{"mode": "REGISTRY_ONLY"}
		}
		if d.chance(6) {
			c.MeshConfig["enableAutoMtls"] = false
		}
		for k := range c.Objects {
			o := &c.Objects[k]
			if o.GetNamespace() == IstioNamespace {
				continue
			}
			switch o.GetKind() {
			case "Deployment":
				unusualDeployment(d, o)
			case "Service":
				if d.chance(7) {
					o.SetAnnotations(map[string]string{"networking.istio.io/exportTo": pick(d, ".", "istio-system", "shop", "shop,bank,istio-system")})
				}
			}
		}
		if d.chance(4) {
			s := service{
				name: "nobody", namespace: "shop", cluster: c.Name, labels: map[string]string{"tier": "front"},
				ports: []port{{name: "http", kind: kindHTTP, number: 80, container: []int{8080}}},
			}
			c.Objects = append(c.Objects, manifest(serviceManifest(s, s.name)))
		}
	}
}

func unusualDeployment(d dice, o *unstructured.Unstructured) {
	template := func(kind, key, value string) {
		if err := unstructured.SetNestedField(o.Object, value, "spec", "template", "metadata", kind, key); err != nil {
			panic("a Deployment of a world has a template: " + err.Error())
		}
	}
	switch {
	case d.chance(7):
		template("labels", "sidecar.istio.io/inject", "false")
	case d.chance(6):
		template("annotations", "proxy.istio.io/config", pick(d,
			`{"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "true"}}`, `{"proxyMetadata": {"ISTIO_META_DNS_CAPTURE": "false"}}`))
	}
}
