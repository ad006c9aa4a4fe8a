//go:build linux

package tests

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

const (
	eastStock = `destinationSelector: [{kubeServiceRefs: {services: [{name: stock, namespace: shop, clusterName: east}]}}]`
	westStock = `destinationSelector: [{kubeServiceRefs: {services: [{name: stock, namespace: shop, clusterName: west}]}}]`
	eastDesk  = `destinationSelector: [{kubeServiceRefs: {services: [{name: desk, namespace: bank, clusterName: east}]}}]`
	westDesk  = `destinationSelector: [{kubeServiceRefs: {services: [{name: desk, namespace: bank, clusterName: west}]}}]`
)

// to is a destination of a shift.
func to(service, namespace, cluster, version string, port, weight int) string {
	subset := ""
	if version != "" {
		subset = ", subset: {version: " + version + "}"
	}
	return fmt.Sprintf("{weight: %d, kubeService: {name: %s, namespace: %s, clusterName: %s, port: %d%s}}", weight, service, namespace, cluster, port, subset)
}

func at(path string) string { return "\nhttpRequestMatchers: [{uri: {exact: " + path + "}}]" }

func shiftTo(destinations ...string) string {
	text := "\npolicy: {trafficShift: {destinations: ["
	for _, d := range destinations {
		text += d + ", "
	}
	return text + "]}}"
}

func federationShift(t *testing.T, f *federation) {
	f.become(t, federatedWorld(
		worldgen.Resource("TrafficPolicy", "away", eastStock+at("/away")+shiftTo(to("stock", "shop", "west", "v2", 8080, 100))),
		worldgen.Resource("TrafficPolicy", "divided", eastStock+at("/divided")+shiftTo(
			to("stock", "shop", "east", "v2", 8080, 50), to("stock", "shop", "west", "v1", 8080, 30), to("stock", "shop", "west", "v2", 8080, 20))),
		worldgen.Resource("TrafficPolicy", "home", westStock+at("/home")+shiftTo(to("stock", "shop", "east", "v1", 8080, 100))),
		worldgen.Resource("TrafficPolicy", "version", westStock+at("/version")+shiftTo(to("stock", "shop", "west", "v1", 8080, 100))),
		worldgen.Resource("TrafficPolicy", "other", eastDesk+"\ndestinationPorts: [8002]"+shiftTo(to("desk", "bank", "west", "", 9090, 100))),
	))
	local, remote := "stock.shop.svc.cluster.local", "stock.shop.svc.west.global"
	for _, tt := range []struct {
		name, from, host, path string
		weights                map[string]int
	}{
		{"to a subset of another cluster", "east", local, "/away", map[string]int{"stock-v2.west": 100}},
		{"divided between subsets of both", "east", local, "/divided", map[string]int{"stock-v2.east": 50, "stock-v1.west": 30, "stock-v2.west": 20}},
		{"from a federated host to a subset at home", "east", remote, "/home", map[string]int{"stock-v1.east": 100}},
		{"from a federated host to a subset of it", "east", remote, "/version", map[string]int{"stock-v1.west": 100}},
		{"where the Service is", "west", local, "/version", map[string]int{"stock-v1.west": 100}},
		{"where the Service is, to another cluster", "west", local, "/home", map[string]int{"stock-v1.east": 100}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			requests := 20
			if len(tt.weights) > 1 {
				requests = 200
			}
			request := client.Request{Protocol: client.HTTP1, Host: tt.host, Port: 8080, Path: tt.path}
			got := count(f.sendMany(t, webOf(tt.from), request, requests))
			expect(t, "who answers", sorted(tt.weights), sorted(got), f.seenBy(t, webOf(tt.from), remote))
			for name, weight := range tt.weights {
				// More than five standard deviations are no accident.
				if p := float64(weight) / 100; !withinDeviations(got[name], requests, p, 5) {
					t.Errorf("%s got %d of %d requests, its weight is %d", name, got[name], requests, weight)
				}
			}
		})
	}
	// The ports of versions differ, also behind a subset.
	request := client.Request{Protocol: client.HTTP1, Host: local, Port: 8080, Path: "/away"}
	outcome := f.send(t, webOf("east"), request)
	expect(t, "a call to a subset of another cluster", answer{
		By: workload{"west", "shop", "stock-v2"}, Port: 8082, Protocol: client.HTTP1, Host: local + ":8080", Peer: "spiffe://cluster.local/ns/shop/sa/web",
	}, answerOf(&outcome))
	// One port of several goes to another port of another cluster.
	request = client.Request{Protocol: client.GRPC, Host: "desk.bank.svc.cluster.local", Port: 8002}
	outcome = f.send(t, webOf("east"), request)
	expect(t, "a call to another port of another cluster", answer{
		By: workload{"west", "bank", "desk-v1"}, Port: 9091, Protocol: client.GRPC, Host: request.Host + ":8002", Peer: "spiffe://cluster.local/ns/shop/sa/web",
	}, answerOf(&outcome))
	request = client.Request{Protocol: client.TCP, Host: "desk.bank.svc.cluster.local", Port: 7000}
	outcome = f.send(t, webOf("east"), request)
	expect(t, "a call to a port that no policy is about",
		answer{By: workload{"east", "bank", "desk-v1"}, Port: 7001, Protocol: client.TCP}, answerOf(&outcome))
}

// withinDeviations reports whether so many of n independent trials with a
// probability are no surprise.
func withinDeviations(got, n int, p, deviations float64) bool {
	off := float64(got) - float64(n)*p
	return off*off <= deviations*deviations*float64(n)*p*(1-p)
}

func federationMirror(t *testing.T, f *federation) {
	f.become(t, federatedWorld(
		worldgen.Resource("TrafficPolicy", "mirror", eastStock+at("/copied")+`
policy: {mirror: {kubeService: {name: stock, namespace: shop, clusterName: west}, port: 8080}}`),
		worldgen.Resource("TrafficPolicy", "back", westStock+at("/copied-back")+`
policy: {mirror: {kubeService: {name: desk, namespace: bank, clusterName: east}, port: 80}}`),
	))
	for _, tt := range []struct {
		host, path   string
		answers, too string
	}{
		{"stock.shop.svc.cluster.local", "/copied", "stock.east", "stock.west"},
		{"stock.shop.svc.west.global", "/copied-back", "stock.west", "desk.east"},
	} {
		request := client.Request{Protocol: client.HTTP1, Host: tt.host, Port: 8080, Path: tt.path, ID: f.id()}
		outcome := f.send(t, webOf("east"), request)
		seen := func() []string {
			var services []string
			for _, s := range f.lab.SeenBy(request.ID) {
				services = append(services, s.Labels["app"]+"."+s.Cluster)
			}
			slices.Sort(services)
			return services
		}
		a := answerOf(&outcome)
		expect(t, "who answers", "/"+tt.answers, a.Problem+"/"+strings.TrimSuffix(strings.TrimSuffix(a.By.name, "-v1"), "-v2")+"."+a.By.cluster)
		want := []string{tt.answers, tt.too}
		slices.Sort(want)
		eventually(t, func() error {
			if diff := cmp.Diff(want, seen()); diff != "" {
				return fmt.Errorf("where the request and its copy arrive (-want +got):\n%s", diff)
			}
			return nil
		})
	}
}

func federationSettings(t *testing.T, f *federation) {
	f.become(t, federatedWorld(
		worldgen.Resource("TrafficPolicy", "timeout", westStock+at("/timeout")+"\npolicy: {requestTimeout: 500ms}"),
		worldgen.Resource("TrafficPolicy", "headers", westStock+at("/headers")+`
policy: {headerManipulation: {appendRequestHeaders: {x-added: one}, removeRequestHeaders: [x-secret], appendResponseHeaders: {x-answered: meshctl}}}`),
		worldgen.Resource("TrafficPolicy", "abort", westStock+at("/abort")+"\npolicy: {faultInjection: {abort: {httpStatus: 418}}}"),
		worldgen.Resource("TrafficPolicy", "delay", westStock+at("/delay")+"\npolicy: {faultInjection: {fixedDelay: 700ms}}"),
		worldgen.Resource("TrafficPolicy", "retries", westStock+at("/retries")+"\npolicy: {retries: {attempts: 2}}"),
	))
	// The same holds where the Service is and where it is known from afar.
	for from, host := range map[string]string{"east": "stock.shop.svc.west.global", "west": "stock.shop.svc.cluster.local"} {
		send := func(path string, headers map[string]string) client.Outcome {
			return f.send(t, webOf(from), client.Request{Protocol: client.HTTP1, Host: host, Port: 8080, Path: path, Headers: headers})
		}
		slow := map[string]string{"x-lab-delay": "1500ms"}
		outcome := send("/timeout", slow)
		expect(t, "a slow answer with a timeout, from "+from, answer{Problem: "504"}, answerOf(&outcome))
		outcome = send("/", slow)
		expect(t, "a slow answer without, from "+from, "", answerOf(&outcome).Problem)

		outcome = send("/headers", map[string]string{"x-secret": "s"})
		expect(t, "headers, from "+from, "", answerOf(&outcome).Problem)
		if outcome.Seen != nil {
			got := map[string][]string{"x-added": outcome.Seen.Headers["x-added"], "x-secret": outcome.Seen.Headers["x-secret"], "x-answered": {outcome.Headers["x-answered"]}}
			expect(t, "headers, from "+from, map[string][]string{"x-added": {"one"}, "x-secret": nil, "x-answered": {"meshctl"}}, got)
		}

		outcome = send("/abort", nil)
		expect(t, "an abort, from "+from, answer{Problem: "418"}, answerOf(&outcome))
		// Envoy's timers start from the time at which its event loop woke up last, so a delay can end a little early.
		outcome = send("/delay", nil)
		if expect(t, "a delay, from "+from, "", answerOf(&outcome).Problem); outcome.Duration < 650*time.Millisecond {
			t.Errorf("a request with a delay of 700ms took %s from %s", outcome.Duration, from)
		}

		// An answer is no reason to try again, whatever its status.
		id := f.id()
		f.send(t, webOf(from), client.Request{
			Protocol: client.HTTP1, Host: host, Port: 8080, Path: "/retries", ID: id, Headers: map[string]string{"x-lab-status": "503"},
		})
		expect(t, "attempts of a request that is answered with 503, from "+from, 1, len(f.lab.SeenBy(id)))
	}
}

// equalSpecs compares configurations without what the API server adds.
func equalSpecs(want, got map[string]map[string]any) string {
	specs := func(all map[string]map[string]any) map[string]any {
		found := map[string]any{}
		for name, object := range all {
			found[name] = object["spec"]
		}
		return found
	}
	return cmp.Diff(specs(want), specs(got), cmpopts.EquateEmpty())
}

func federationTLSMode(t *testing.T, f *federation) {
	modes := func() map[string]any {
		all := f.configuration(t)
		found := map[string]any{}
		for _, name := range []string{"west DestinationRule bank/desk", "east DestinationRule istio-system/desk-bank-west"} {
			spec, _ := all[name]["spec"].(map[string]any)
			policy, _ := spec["trafficPolicy"].(map[string]any)
			tls, _ := policy["tls"].(map[string]any)
			found[name] = tls["mode"]
			levels, _ := policy["portLevelSettings"].([]any)
			for _, level := range levels {
				settings, _ := level.(map[string]any)
				own, _ := settings["tls"].(map[string]any)
				if own["mode"] != tls["mode"] {
					t.Errorf("%s: mode of a port is %v, that of all %v", name, own["mode"], tls["mode"])
				}
			}
		}
		return found
	}
	both := func(mode string) map[string]any {
		return map[string]any{"west DestinationRule bank/desk": mode, "east DestinationRule istio-system/desk-bank-west": mode}
	}
	before := f.configuration(t)
	ask := func() []string {
		var problems []string
		for from, host := range map[string]string{"east": "desk.bank.svc.west.global", "west": "desk.bank.svc.cluster.local"} {
			outcome := f.send(t, webOf(from), client.Request{Protocol: client.HTTP1, Host: host, Port: 80})
			problems = append(problems, from+" "+answerOf(&outcome).Problem)
		}
		slices.Sort(problems)
		return problems
	}
	expect(t, "modes at first", both("ISTIO_MUTUAL"), modes())
	base := f.world
	unencrypted := []string{"east " + fmt.Sprint(http.StatusServiceUnavailable), "west " + fmt.Sprint(http.StatusServiceUnavailable)}
	for _, mode := range []string{"DISABLE", "SIMPLE", "DISABLE", "ISTIO_MUTUAL"} {
		f.become(t, federatedWorld(worldgen.Resource("TrafficPolicy", "tls", westDesk+"\npolicy: {mtls: {istio: {tlsMode: "+mode+"}}}")))
		expect(t, "modes with "+mode, both(mode), modes())
		if mode == "ISTIO_MUTUAL" {
			expect(t, "calls with "+mode, []string{"east ", "west "}, ask())
		} else {
			expect(t, "calls with "+mode, unencrypted, ask())
		}
	}
	f.replace(t, base)
	if diff := equalSpecs(before, f.configuration(t)); diff != "" {
		t.Errorf("what is rendered after all (-want +got):\n%s", diff)
	}
}
