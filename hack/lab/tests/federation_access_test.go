//go:build linux

package tests

import (
	"fmt"
	"testing"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// federationAllowedPorts: allowedPorts are ports of the Service; a number that is
// only one of the pods means that; any other admits nobody.
func federationAllowedPorts(t *testing.T, f *federation) {
	rule := func(name, service, namespace string, port int) (kind, resource, spec string) {
		return "AccessPolicy", name, fmt.Sprintf(`
sourceSelector: [{kubeServiceAccountRefs: {serviceAccounts: [{name: web, namespace: shop, clusterName: east}, {name: web, namespace: shop, clusterName: west}]}}]
destinationSelector: [{kubeServiceRefs: {services: [{name: %s, namespace: %s, clusterName: west}]}}]
allowedPorts: [%d]`, service, namespace, port)
	}
	f.become(t, worldgen.Federated("access", twoClusters(), `{selectors: [{}], tlsEnforcementSettings: {enforcementMode: STRICT}}`, "ENABLED",
		worldgen.Resource(rule("of-the-service", "stock", "shop", 8080)),
		worldgen.Resource(rule("of-the-pods", "web", "shop", 8080)),
		worldgen.Resource(rule("of-none", "desk", "bank", 1234)),
	))
	for from, suffix := range map[string]string{"east": "west.global", "west": "cluster.local"} {
		for _, tt := range []struct {
			service  string
			protocol client.Protocol
			port     uint16
			want     string
		}{
			{"stock.shop", client.HTTP1, 8080, ""},
			{"web.shop", client.HTTP1, 80, ""},
			{"desk.bank", client.HTTP1, 80, "403"},
			{"desk.bank", client.HTTP2, 8002, "403"},
			{"desk.bank", client.GRPC, 9090, "gRPC 7"},
			{"desk.bank", client.TCP, 7000, "closed"},
		} {
			request := client.Request{Protocol: tt.protocol, Host: tt.service + ".svc." + suffix, Port: tt.port, ID: f.id()}
			for _, outcome := range f.sendMany(t, webOf(from), request, 4) {
				expect(t, fmt.Sprintf("%s to %s:%d from %s", tt.protocol, request.Host, tt.port, from), tt.want, answerOf(&outcome).Problem,
					f.seenBy(t, webOf(from), request.Host))
			}
			if tt.want != "" {
				expect(t, "requests that pods got", 0, len(f.lab.SeenBy(request.ID)))
			}
		}
	}
}
