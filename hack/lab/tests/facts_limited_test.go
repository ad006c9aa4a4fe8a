//go:build linux

package tests

import (
	"fmt"
	"testing"
)

// The gateways of the two meshes meet with certificates of a CA of their own.
const (
	limitedHost = "limited.west.global"
	limitedSNI  = "p8080." + limitedHost
	eastGateway = "meshctl.io/vm/lab/mesh/east/gateway/gateway"
	westGateway = "meshctl.io/vm/lab/mesh/west/gateway/gateway"
)

// limitedTrust lets two meshes without a common root meet at their gateways: the
// caller's sidecar speaks mutual TLS of its mesh to its own gateway, which speaks
// mutual TLS with certificates of a third CA to the other gateway, which speaks
// mutual TLS of the other mesh to the pod. It stays for the experiment that
// follows.
func limitedTrust(t *testing.T, b *bench) {
	ca := newAuthority(t, "gateways", nil)
	if err := b.west.Objects.ApplyYAML(t.Context(), secretsReader+ca.gatewaySecret(t, "limited", "spiffe://"+westGateway)+`
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: limited-in, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 15445, name: in-stock, protocol: TLS}, hosts: [`+limitedSNI+`], tls: {mode: MUTUAL, credentialName: limited}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: limited-in, namespace: istio-system}
spec:
  hosts: [`+limitedSNI+`]
  gateways: [istio-system/limited-in]
  exportTo: ["."]
  tcp: [{match: [{port: 15445}], route: [{destination: {host: stock.shop.svc.cluster.local, port: {number: 8080}}}]}]
`); err != nil {
		t.Fatal(err)
	}
	if err := b.east.Objects.ApplyYAML(t.Context(), secretsReader+ca.gatewaySecret(t, "limited", "spiffe://"+eastGateway)+fmt.Sprintf(limitedOut,
		limitedHost, limitedSNI, b.gateways["east"], b.gateways["west"], westGateway)); err != nil {
		t.Fatal(err)
	}
	b.settle(t)
	// The pod sees the gateway of its mesh. Certificates arrive in their own time.
	b.expectSoon(t, b.web(t), get(limitedHost), "stock-v1.west for west.example/ns/istio-system/sa/gateway")
	b.expect(t, b.web(t), get(federated), "503")
}

// limitedOut is what stands in the mesh of the caller.
const limitedOut = `
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: limited, namespace: istio-system}
spec:
  hosts: [%[1]s]
  addresses: [243.0.5.1]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8080, name: http, protocol: HTTP}]
  endpoints: [{address: %[3]s, ports: {http: 15444}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: limited, namespace: istio-system}
spec:
  host: %[1]s
  trafficPolicy: {portLevelSettings: [{port: {number: 8080}, tls: {mode: ISTIO_MUTUAL, sni: %[2]s}}]}
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: limited-out, namespace: istio-system}
spec:
  selector: {istio: ingressgateway}
  servers:
  - {port: {number: 15444, name: out-stock, protocol: TLS}, hosts: [%[2]s], tls: {mode: ISTIO_MUTUAL}}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: limited-out, namespace: istio-system}
spec:
  hosts: [%[2]s]
  gateways: [istio-system/limited-out]
  exportTo: ["."]
  tcp: [{match: [{port: 15444}], route: [{destination: {host: gateway.west.mesh, port: {number: 15445}, subset: stock}}]}]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: gateway-west, namespace: istio-system}
spec:
  hosts: [gateway.west.mesh]
  exportTo: ["."]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{number: 15445, name: tls, protocol: TCP}]
  endpoints: [{address: %[4]s, ports: {tls: 15445}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: gateway-west, namespace: istio-system}
spec:
  host: gateway.west.mesh
  exportTo: ["."]
  subsets:
  - name: stock
    trafficPolicy: {tls: {mode: MUTUAL, credentialName: limited, sni: %[2]s, subjectAltNames: ["spiffe://%[5]s"]}}
`

// secretsReader lets the gateway's proxy get certificates by credentialName.
const secretsReader = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: gateway-secrets, namespace: istio-system}
rules: [{apiGroups: [""], resources: [secrets], verbs: [get, list, watch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: gateway-secrets, namespace: istio-system}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: gateway-secrets}
subjects: [{kind: ServiceAccount, name: gateway, namespace: istio-system}]
---
`

// limitedTrustAccess denies all but one caller at each of the two gateways.
func limitedTrustAccess(t *testing.T, b *bench) {
	web, other := b.web(t), b.pod(t, "east", "shop", "stock-v1")
	const admitted = "stock-v1.west for west.example/ns/istio-system/sa/gateway"
	only := func(principal, port string) string {
		return rule("istio-system", "istio: ingressgateway", "DENY", fmt.Sprintf(
			`[{from: [{source: {notPrincipals: [%s]}}], to: [{operation: {ports: ["%s"]}}], when: [{key: connection.sni, values: [%s]}]}]`, principal, port, limitedSNI))
	}
	b.expect(t, other, get(limitedHost), admitted)
	// At the gateway of the callers, by workload.
	b.apply(t, b.east, only(webIdentity, "15444"))
	b.expect(t, web, get(limitedHost), admitted)
	b.expect(t, other, get(limitedHost), "503")
	// At the other gateway, by mesh.
	b.apply(t, b.west, only(eastGateway, "15445"))
	b.expect(t, web, get(limitedHost), admitted)
	b.apply(t, b.west, only("meshctl.io/vm/lab/mesh/south/gateway/gateway", "15445"))
	b.expect(t, web, get(limitedHost), "503")
}
