//go:build linux

package tests

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/mesh"
)

// webIdentity is who pods of web are.
const webIdentity = "cluster.local/ns/front/sa/web"

func accessFacts() []fact {
	return []fact{
		{"rules-at-pass-through-gateways", rulesAtPassThroughGateways},
		{"rules-at-pods-behind-gateways", rulesAtPodsBehindGateways},
		{"http-rules-on-tcp-ports", httpRulesOnTCPPorts},
		{"rules-name-ports-of-pods", rulesNamePortsOfPods},
		{"connections-keep-rules-until-drained", connectionsKeepRules},
		{"half-injected", halfInjected},
	}
}

// rule returns an AuthorizationPolicy for pods with a label.
func rule(namespace, label, action, rules string) string {
	return fmt.Sprintf(`
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: fact, namespace: %s}
spec:
  selector: {matchLabels: {%s}}
  action: %s
  rules: %s
`, namespace, label, action, rules)
}

func rulesAtPassThroughGateways(t *testing.T, b *bench) {
	web := b.web(t)
	for _, action := range []string{"DENY", "ALLOW"} {
		// The first denies everything; the second allows nothing that exists.
		rules := map[string]string{"DENY": "[{}]", "ALLOW": `[{from: [{source: {principals: [nobody/ns/x/sa/y]}}]}]`}[action]
		b.apply(t, b.west, rule("istio-system", "istio: ingressgateway", action, rules))
		b.expect(t, web, get(federated), "stock-v1.west for "+webIdentity)
		b.expect(t, web, line(federated), "stock-v1.west")
	}
}

func rulesAtPodsBehindGateways(t *testing.T, b *bench) {
	b.apply(t, b.west, rule("shop", "app: stock", "ALLOW", "[{from: [{source: {principals: ['*/ns/front/sa/web']}}]}]"))
	b.expect(t, b.web(t), get(federated), "stock-v1.west for "+webIdentity)
	b.expect(t, b.web(t), line(federated), "stock-v1.west")
	other := b.pod(t, "east", "shop", "stock-v1")
	b.expect(t, other, get(federated), "403")
	b.expect(t, other, line(federated), "closed")
}

func httpRulesOnTCPPorts(t *testing.T, b *bench) {
	web := b.web(t)
	// An ALLOW rule with a method never matches there.
	b.apply(t, b.west, rule("shop", "app: stock", "ALLOW", "[{to: [{operation: {methods: [GET]}}]}]"))
	b.expect(t, web, get(federated), "stock-v1.west for "+webIdentity)
	b.expect(t, web, line(federated), "closed")

	// A DENY rule with a method is applied there as if it named none.
	b.apply(t, b.west, rule("shop", "app: stock", "DENY", "[{to: [{operation: {methods: [DELETE]}}]}]"))
	b.expect(t, web, get(federated), "stock-v1.west for "+webIdentity)
	b.expect(t, web, line(federated), "closed")

	// What else such a rule says still counts.
	b.apply(t, b.west, rule("shop", "app: stock", "DENY",
		"[{from: [{source: {namespaces: [shop]}}], to: [{operation: {methods: [DELETE]}}]}]"))
	b.expect(t, web, line(federated), "stock-v1.west")
	b.expect(t, b.pod(t, "east", "shop", "stock-v1"), line(federated), "closed")
	b.expect(t, b.pod(t, "east", "shop", "stock-v1"), get(federated), "stock-v1.west for cluster.local/ns/shop/sa/stock")
}

func rulesNamePortsOfPods(t *testing.T, b *bench) {
	web := b.web(t)
	b.apply(t, b.west, rule("shop", "app: stock", "ALLOW", `[{to: [{operation: {ports: ["8080", "7000"]}}]}]`))
	b.expect(t, web, get(federated), "403")
	b.expect(t, web, line(federated), "closed")
	b.apply(t, b.west, rule("shop", "app: stock", "ALLOW", `[{to: [{operation: {ports: ["8081"]}}]}]`))
	b.expect(t, web, get(federated), "stock-v1.west for "+webIdentity)
	b.expect(t, web, line(federated), "closed")
}

// connectionsKeepRules uses pods that drain for longer than others of the lab,
// and a client without a proxy, whose connections end at the pod's own one.
func connectionsKeepRules(t *testing.T, b *bench) {
	b.write(t, b.east, deployment("shop", "slow", "default", "app: slow", "proxy.istio.io/config: 'drainDuration: 8s'", "lab/echo"))
	if err := b.east.AwaitDeployment(t.Context(), "shop", "slow"); err != nil {
		t.Fatal(err)
	}
	slow := b.pod(t, "east", "shop", "slow")
	raw := mesh.Client(b.pod(t, "east", "shop", "raw"))
	// The proxy finds out what it is by the first bytes: a lone newline is not enough.
	request := client.Request{Protocol: client.TCP, Host: "slow", Address: slow.Address(), Port: 7001, ID: b.id()}
	web := client.Request{Protocol: client.HTTP1, Host: "slow", Address: slow.Address(), Port: 8081}
	kept, keptWeb := raw.NewSession(), raw.NewSession()
	defer kept.Close()
	defer keptWeb.Close()
	for _, outcome := range []client.Outcome{kept.Send(t.Context(), request), keptWeb.Send(t.Context(), web)} {
		if told(&outcome) != "slow.east" {
			t.Fatalf("before the rule: %s", told(&outcome))
		}
	}
	b.write(t, b.east, rule("shop", "app: slow", "DENY", "[{}]"))
	b.soon(t, func() error {
		if outcome := raw.Send(t.Context(), request); outcome.Failure == client.Answered {
			return errors.New("new connections are not denied")
		}
		return nil
	})
	denied := time.Now()
	outcome := kept.Send(t.Context(), request)
	if told(&outcome) != "slow.east" || !outcome.Reused {
		t.Errorf("over the old connection, after the rule: %s", told(&outcome))
	}
	// HTTP/1.1 is told to close the connection by the next answer.
	if outcome := keptWeb.Send(t.Context(), web); told(&outcome) != "slow.east" || !outcome.Reused {
		t.Errorf("over the old connection of HTTP, after the rule: %s", told(&outcome))
	}
	if outcome := keptWeb.Send(t.Context(), web); told(&outcome) != "403" || outcome.Reused {
		t.Errorf("the second request of HTTP after the rule: %s", told(&outcome))
	}
	b.soon(t, func() error {
		outcome := kept.Send(t.Context(), request)
		if outcome.Failure == client.Answered {
			return errors.New("the old connection still works")
		}
		return nil
	})
	if lived := time.Since(denied); lived < 2*time.Second {
		t.Errorf("the old connection worked for %s only", lived)
	}
	if stats := admin(t, slow, "/stats?filter=total_listeners_draining"); !strings.Contains(stats, "total_listeners_draining: 0") {
		t.Errorf("the old connection ended while its listener was draining: %s", stats)
	}
}

func halfInjected(t *testing.T, b *bench) {
	web := b.web(t)
	kinds := func() string {
		var kinds []string
		counts := b.counted(t, web, get("half.shop"), 30)
		for _, kind := range []string{"stock-v2.east for " + webIdentity, "stock-v2.east", "raw.east", "503"} {
			if counts[kind] > 0 {
				kinds = append(kinds, kind)
			}
			delete(counts, kind)
		}
		for kind := range counts {
			kinds = append(kinds, "unexpected "+kind)
		}
		return strings.Join(kinds, ", ")
	}
	if got, want := kinds(), "stock-v2.east for "+webIdentity+", raw.east"; got != want {
		t.Errorf("without a DestinationRule: %s, want %s", got, want)
	}
	b.apply(t, b.east, `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: half, namespace: shop}
spec: {host: half.shop.svc.cluster.local, trafficPolicy: {tls: {mode: ISTIO_MUTUAL}}}
`)
	// Failed handshakes are failed connections, which are tried at other pods.
	if got, want := kinds(), "stock-v2.east for "+webIdentity; got != want {
		t.Errorf("with ISTIO_MUTUAL: %s, want %s", got, want)
	}
	b.apply(t, b.east, `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: half, namespace: shop}
spec:
  hosts: [half.shop.svc.cluster.local]
  http: [{route: [{destination: {host: half.shop.svc.cluster.local}}], retries: {attempts: 0}}]
`)
	if got, want := kinds(), "stock-v2.east for "+webIdentity+", 503"; got != want {
		t.Errorf("with ISTIO_MUTUAL and without retries: %s, want %s", got, want)
	}
}
