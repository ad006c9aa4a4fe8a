//go:build linux

package tests

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/mesh"
	"github.com/meshctl/meshctl/hack/lab/node"
)

func trafficFacts() []fact {
	return []fact{
		{"delays-come-before-timeouts", delaysComeBeforeTimeouts},
		{"aborts-are-not-retried", abortsAreNotRetried},
		{"what-is-retried", whatIsRetried},
		{"failed-connections-are-retried", failedConnectionsAreRetried},
		{"percent-signs-in-headers", percentSigns},
		{"rejected-values-stop-updates", rejectedValues},
		{"outliers-behind-gateways", outliersBehindGateways},
		{"changes-under-load", changesUnderLoad},
	}
}

// routes returns a VirtualService for stock with one route; more is YAML on its
// level.
func routes(more string) string {
	return fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: stock, namespace: shop}
spec:
  hosts: [stock.shop.svc.cluster.local]
  http:
  - route: [{destination: {host: stock.shop.svc.cluster.local}}]
    %s
`, strings.ReplaceAll(more, "\n", "\n    "))
}

func delaysComeBeforeTimeouts(t *testing.T, b *bench) {
	b.apply(t, b.east, routes("fault: {delay: {fixedDelay: 4s, percentage: {value: 100}}}\ntimeout: 3s"))
	web := b.web(t)
	late := with(get(stock), "x-lab-delay", "20s")
	late.Timeout = time.Minute
	var quick, slow client.Outcome
	var both sync.WaitGroup
	both.Go(func() { quick = b.send(t, web, get(stock)) })
	both.Go(func() { slow = b.send(t, web, late) })
	both.Wait()
	if quick.Status != 200 || quick.Duration < 4*time.Second {
		t.Errorf("an answer within the timeout, after a delay that is longer: %d after %s", quick.Status, quick.Duration)
	}
	if slow.Status != 504 || slow.Duration < 7*time.Second || slow.Duration > 19*time.Second {
		t.Errorf("an answer after the timeout: %d after %s", slow.Status, slow.Duration)
	}
}

func abortsAreNotRetried(t *testing.T, b *bench) {
	b.apply(t, b.east, routes("fault: {abort: {httpStatus: 503, percentage: {value: 100}}}\nretries: {attempts: 3, retryOn: 5xx}"))
	web := b.web(t)
	outcome := b.expect(t, web, get(stock), "503")
	if outcome.Body != "fault filter abort" {
		t.Errorf("the abort says %q", outcome.Body)
	}
	request := get(stock)
	request.ID = b.id()
	b.expect(t, web, request, "503")
	if n := b.arrivals(request.ID); n != 0 {
		t.Errorf("the abort was tried %d times", n)
	}
	b.soon(t, func() error {
		entries, err := mesh.AccessLog(web, request.ID)
		if err == nil && (len(entries) != 1 || entries[0].Flags != "FI") {
			err = fmt.Errorf("access log %+v", entries)
		}
		return err
	})
}

func whatIsRetried(t *testing.T, b *bench) {
	web := b.web(t)
	grpc := client.Request{Protocol: client.GRPC, Host: stock, Port: 9090}
	check := func(of string, want map[string]int) {
		t.Helper()
		for name, request := range map[string]client.Request{
			"503":         with(get(stock), "x-lab-status", "503"),
			"500":         with(get(stock), "x-lab-status", "500"),
			"429":         with(get(stock), "x-lab-status", "429"),
			"closed":      with(get(stock), "x-lab-close", "always"),
			"unavailable": with(grpc, "x-lab-grpc-status", "14"),
			"cancelled":   with(grpc, "x-lab-grpc-status", "1"),
			"internal":    with(grpc, "x-lab-grpc-status", "13"),
		} {
			request.ID = b.id()
			b.send(t, web, request)
			if got := b.arrivals(request.ID); got != want[name] {
				t.Errorf("%s: %s was tried %d times, want %d", of, name, got, want[name])
			}
		}
	}
	standard := func(attempts int) map[string]int {
		return map[string]int{"503": 1, "500": 1, "429": 1, "closed": 1, "unavailable": attempts, "cancelled": attempts, "internal": 1}
	}
	check("no VirtualService", standard(3))
	b.apply(t, b.east, routes("retries: {attempts: 1}"))
	check("attempts: 1", standard(2))
	b.apply(t, b.east, routes("retries: {attempts: 4}"))
	check("attempts: 4", standard(5))
	b.apply(t, b.east, routes("retries: {attempts: 0}"))
	check("attempts: 0", standard(1))
	b.apply(t, b.east, routes("retries: {attempts: 2, retryOn: '5xx'}"))
	check("5xx", map[string]int{"503": 3, "500": 3, "429": 1, "closed": 3, "unavailable": 1, "cancelled": 1, "internal": 1})
	b.apply(t, b.east, routes("retries: {attempts: 2, retryOn: '503,429'}"))
	check("503,429", map[string]int{"503": 3, "500": 1, "429": 3, "closed": 3, "unavailable": 1, "cancelled": 1, "internal": 1})
}

// failedConnectionsAreRetried counts the connections to an endpoint where
// nobody listens.
func failedConnectionsAreRetried(t *testing.T, b *bench) {
	web, raw := b.web(t), b.pod(t, "east", "shop", "raw")
	var objects strings.Builder
	for i, name := range []string{"plain", "once"} {
		fmt.Fprintf(&objects, `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: refused-%[1]s, namespace: front}
spec:
  hosts: [%[1]s.refused.lab]
  addresses: [243.0.1.%[2]d]
  resolution: STATIC
  location: MESH_INTERNAL
  ports: [{number: 8080, name: http, protocol: HTTP}]
  endpoints: [{address: %[3]s, ports: {http: 9}}]
---
`, name, i+1, raw.Address())
	}
	b.apply(t, b.east, objects.String()+`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: refused-once, namespace: front}
spec:
  hosts: [once.refused.lab]
  http: [{route: [{destination: {host: once.refused.lab}}], retries: {attempts: 0}}]
`)
	for host, want := range map[string]string{"plain.refused.lab": "3", "once.refused.lab": "1"} {
		b.expect(t, web, get(host), "503")
		if got := hostStat(t, web, host, "cx_connect_fail"); got != want {
			t.Errorf("%s: %s connections failed, want %s", host, got, want)
		}
	}
}

// hostStat returns a number that a proxy counts for the only endpoint of a host.
func hostStat(t *testing.T, pod *node.Pod, host, name string) string {
	t.Helper()
	m := regexp.MustCompile(`(?m)^outbound\|8080\|\|` + regexp.QuoteMeta(host) + `::[\d.]+:\d+::` + name + `::(.*)$`).FindStringSubmatch(admin(t, pod, "/clusters"))
	if m == nil {
		t.Fatalf("the proxy of %s has no endpoint of %s", pod.Name, host)
	}
	return m[1]
}

// setting returns the YAML of a route that sets headers of the request.
func setting(values map[string]string) string {
	text, err := json.Marshal(map[string]any{"request": map[string]any{"set": values}})
	if err != nil {
		panic(err) // Strings can be encoded.
	}
	return "headers: " + string(text)
}

func percentSigns(t *testing.T, b *bench) {
	// istiod's validation refuses these.
	for _, value := range []string{"100%", "50% off", "%REQ(:METHOD"} {
		if answer := b.refused(t, b.east, routes(setting(map[string]string{"x-fact": value}))); !strings.Contains(answer, "invalid header configuration") {
			t.Errorf("the header value %q: %q", value, answer)
		}
	}
	// Envoy understands these, and replaces what it knows.
	b.apply(t, b.east, routes(setting(map[string]string{
		"x-fact-1": "100%%", "x-fact-2": "%REQ(:METHOD)%", "x-fact-3": "%PROTOCOL%%%", "x-fact-4": "%REQ(x-lab-none)%", "x-fact-5": "%RESPONSE_CODE%",
	})))
	outcome := b.send(t, b.web(t), get(stock))
	got := map[string]string{}
	for i := range 5 {
		name := fmt.Sprintf("x-fact-%d", i+1)
		got[name] = header(&outcome, name)
	}
	want := map[string]string{"x-fact-1": "100%", "x-fact-2": "GET", "x-fact-3": "HTTP/1.1%", "x-fact-4": "", "x-fact-5": "0"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("headers (-want +got):\n%s", diff)
	}
}

// rejectedValues sets a header to what istiod takes, and Envoy rejects.
func rejectedValues(t *testing.T, b *bench) {
	web, istiod := b.web(t), b.pod(t, "east", "istio-system", "istiod")
	half := `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: half, namespace: shop}
spec:
  hosts: [half.shop.svc.cluster.local]
  http: [{route: [{destination: {host: half.shop.svc.cluster.local}}], headers: {request: {set: {x-fact: half}}}}]
`
	object := routes(setting(map[string]string{"x-fact": "%NOTHING%"}))
	b.apply(t, b.east, object)
	b.soon(t, func() error {
		if len(lines(t, istiod, "discovery", "ACK ERROR", web.Name, "NOTHING")) == 0 {
			return errors.New("the proxy did not reject the value")
		}
		return nil
	})
	// Until it goes, no route of that port changes, of any host.
	b.apply(t, b.east, half)
	if outcome := b.send(t, web, get("half.shop")); header(&outcome, "x-fact") != "" {
		t.Errorf("with the value: the route of another host has changed: %s", told(&outcome))
	}
	b.remove(t, b.east, object)
	if outcome := b.send(t, web, get("half.shop")); header(&outcome, "x-fact") != "half" {
		t.Errorf("without the value: the route of another host has not changed: %s", told(&outcome))
	}
}

func outliersBehindGateways(t *testing.T, b *bench) {
	web := b.web(t)
	const host = "outlier.west.global"
	b.apply(t, b.east, fmt.Sprintf(`
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: outlier, namespace: front}
spec:
  hosts: [%[1]s]
  addresses: [243.0.2.1]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8080, name: http, protocol: HTTP}]
  endpoints: [{address: %[2]s, ports: {http: 15443}}]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: outlier, namespace: front}
spec:
  host: %[1]s
  trafficPolicy:
    outlierDetection: {consecutive5xxErrors: 3, interval: 10m, baseEjectionTime: 10m, maxEjectionPercent: 100}
    tls: {mode: ISTIO_MUTUAL, sni: outbound_.8080_._.stock.shop.svc.cluster.local}
`, host, b.gateways["west"]))
	b.expect(t, web, get(host), "stock-v1.west for "+webIdentity)
	for range 3 {
		b.expect(t, web, with(get(host), "x-lab-status", "500"), "500 by stock-v1.west for "+webIdentity)
	}
	if got := hostStat(t, web, host, "health_flags"); got != "/failed_outlier_check" {
		t.Errorf("the gateway's address is %s", got)
	}
	outcome := b.expect(t, web, get(host), "503")
	if outcome.Body != "no healthy upstream" {
		t.Errorf("the answer is %q", outcome.Body)
	}
	// Other hosts behind the same address do not notice.
	b.expect(t, web, get(federated), "stock-v1.west for "+webIdentity)
}

// toSubset is a route to a subset, subset its DestinationRule.
func toSubset() (route, subset string) {
	route = strings.Replace(routes("name: to-subset"), "svc.cluster.local}}]", "svc.cluster.local, subset: v1}}]", 1)
	return route, `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: stock, namespace: shop}
spec: {host: stock.shop.svc.cluster.local, subsets: [{name: v1, labels: {version: v1}}]}
`
}

// lostDuring counts the requests that no server answers while something is done:
// 50 per second over fresh connections.
func (b *bench) lostDuring(t *testing.T, do func()) int {
	t.Helper()
	web := mesh.Client(b.web(t))
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	counts := map[string]int{}
	group.Go(func() {
		ticker := time.NewTicker(20 * time.Millisecond)
		defer ticker.Stop()
		for ctx.Err() == nil {
			outcome := web.Send(t.Context(), get(stock))
			counts[told(&outcome)]++
			select {
			case <-ctx.Done():
			case <-ticker.C:
			}
		}
	})
	do()
	stop()
	group.Wait()
	t.Log(counts)
	lost := 0
	for what, n := range counts {
		if !strings.HasPrefix(what, "stock-v") {
			lost += n
		}
	}
	return lost
}

// changesUnderLoad creates and deletes a route to a subset, and the subset,
// while requests are sent. Each step waits until proxies have it.
func changesUnderLoad(t *testing.T, b *bench) {
	route, subset := toSubset()
	if lost := b.lostDuring(t, func() { b.apply(t, b.east, subset); b.apply(t, b.east, route) }); lost != 0 {
		t.Errorf("the subset is created first: %d requests were lost", lost)
	}
	b.expect(t, b.web(t), get(stock), "stock-v1.east for "+webIdentity)
	if lost := b.lostDuring(t, func() { b.remove(t, b.east, route); b.remove(t, b.east, subset) }); lost != 0 {
		t.Errorf("the route is deleted first: %d requests were lost", lost)
	}
	if lost := b.lostDuring(t, func() { b.apply(t, b.east, route); b.apply(t, b.east, subset) }); lost == 0 {
		t.Error("the route is created first: no request was lost")
	}
	b.expect(t, b.web(t), get(stock), "stock-v1.east for "+webIdentity)
	if lost := b.lostDuring(t, func() { b.remove(t, b.east, subset); b.remove(t, b.east, route) }); lost == 0 {
		t.Error("the subset is deleted first: no request was lost")
	}
}
