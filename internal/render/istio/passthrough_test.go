package istio_test

import (
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// TestForeignGateways holds that names which somebody else passes on at the same
// port of the same pods are left to them, and that this is said.
func TestForeignGateways(t *testing.T) {
	t.Parallel()
	all := []string{"api.shop.svc.cluster.local", "istio-ingressgateway.istio-system.svc.cluster.local", "web.shop.svc.cluster.local"}
	selector := map[string]string{"istio": "ingressgateway"}
	at := func(port uint32, hosts ...string) []istio.ForeignServer {
		return []istio.ForeignServer{{Port: port, Hosts: hosts}}
	}
	w := world.New(loadText(t, validation.New(), twoClusters(t)))
	for name, test := range map[string]struct {
		foreign istio.ForeignGateway
		want    []string
		leaves  []string
	}{
		"Istio's own":               {istio.ForeignGateway{Selector: selector, Servers: at(15443, "*.local")}, nil, []string{"api.shop.east", "istio-ingressgateway.istio-system.east", "web.shop.east"}},
		"everything":                {istio.ForeignGateway{Servers: at(15443, "*")}, nil, []string{"api.shop.east", "istio-ingressgateway.istio-system.east", "web.shop.east"}},
		"one name":                  {istio.ForeignGateway{Selector: selector, Servers: at(15443, "api.shop.svc.cluster.local")}, all[1:], []string{"api.shop.east"}},
		"a namespace":               {istio.ForeignGateway{Selector: selector, Servers: at(15443, "*.shop.svc.cluster.local")}, all[1:2], []string{"api.shop.east", "web.shop.east"}},
		"other names":               {istio.ForeignGateway{Selector: selector, Servers: at(15443, "*.example.com", "shop.svc.cluster.local")}, all, nil},
		"another port":              {istio.ForeignGateway{Selector: selector, Servers: at(15444, "*.local")}, all, nil},
		"other pods":                {istio.ForeignGateway{Selector: map[string]string{"istio": "eastwestgateway"}, Servers: at(15443, "*.local")}, all, nil},
		"fewer pods than are known": {istio.ForeignGateway{Selector: map[string]string{"istio": "ingressgateway", "canary": "yes"}, Servers: at(15443, "*.local")}, all, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test.foreign.Namespace, test.foreign.Name = "istio-system", "cross-network-gateway"
			renderer := istio.New(policy.Evaluate(w), istio.Options{Foreign: map[string][]istio.ForeignGateway{"east": {test.foreign}}})
			var hosts []string
			objects, omissions := renderer.Cluster("east")
			for i := range objects {
				if gateway, ok := objects[i].Spec.(*networking.Gateway); ok {
					hosts = gateway.Servers[0].Hosts
				}
			}
			if diff := cmp.Diff(test.want, hosts); diff != "" {
				t.Errorf("hosts (-want +got)\n%s", diff)
			}
			var left []string
			for _, o := range omissions {
				if o.Object.Kind == "Mesh" {
					left = append(left, o.Targets...)
				}
			}
			if diff := cmp.Diff(test.leaves, left); diff != "" {
				t.Errorf("left to others (-want +got)\n%s", diff)
			}
			elsewhere, _ := renderer.Cluster("west")
			if !slices.ContainsFunc(elsewhere, func(o istio.Object) bool { return o.Kind == istio.KindGateway }) {
				t.Error("a Gateway in east keeps west from having one")
			}
		})
	}
}

func TestReadForeignGateway(t *testing.T) {
	t.Parallel()
	server := func(mode, bind string, port any, hosts ...any) map[string]any {
		return map[string]any{"tls": map[string]any{"mode": mode}, "bind": bind, "port": map[string]any{"number": port}, "hosts": hosts}
	}
	selector := map[string]any{"istio": "eastwestgateway"}
	for name, test := range map[string]struct {
		spec map[string]any
		want []istio.ForeignServer
	}{
		"Istio's own":            {map[string]any{"selector": selector, "servers": []any{server("AUTO_PASSTHROUGH", "", int64(15443), "*.local")}}, []istio.ForeignServer{{Port: 15443, Hosts: []string{"*.local"}}}},
		"by namespace":           {map[string]any{"selector": selector, "servers": []any{server("AUTO_PASSTHROUGH", "", float64(443), "shop/*.local", "./a")}}, []istio.ForeignServer{{Port: 443, Hosts: []string{"*.local", "a"}}}},
		"another mode":           {map[string]any{"selector": selector, "servers": []any{server("PASSTHROUGH", "", int64(15443), "*")}}, nil},
		"an address of its own":  {map[string]any{"selector": selector, "servers": []any{server("AUTO_PASSTHROUGH", "10.0.0.1", int64(15443), "*")}}, nil},
		"nothing":                {map[string]any{"selector": selector}, nil},
		"numbers that are none":  {map[string]any{"selector": selector, "servers": []any{server("AUTO_PASSTHROUGH", "", int64(-1), "*")}}, []istio.ForeignServer{{Hosts: []string{"*"}}}},
		"anything that comes by": {map[string]any{"selector": "?", "servers": []any{"?", map[string]any{"tls": "?", "port": 7, "hosts": "?"}}}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway, passes := istio.ReadForeignGateway("a", "b", test.spec)
			if diff := cmp.Diff(test.want, gateway.Servers); diff != "" || passes != (len(test.want) > 0) {
				t.Errorf("passes: %v (-want +got)\n%s", passes, diff)
			}
		})
	}
}
