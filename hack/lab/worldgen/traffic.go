package worldgen

import (
	"fmt"
)

// addTrafficPolicy adds a policy with one or two settings for some Service.
func (g *generator) addTrafficPolicy(number int) {
	services := g.appServices(true)
	target := pick(g.dice, services...)
	if len(target.httpPorts()) == 0 || g.chance(3) { // most settings are about HTTP
		target = pick(g.dice, services...)
	}
	spec := object{"destinationSelector": g.destinations(target)}
	if g.chance(8) {
		delete(spec, "destinationSelector")
	}
	policy := object{}
	for range pick(g.dice, 1, 1, 2) {
		g.setting(policy, target)
	}
	spec["policy"] = policy
	_, hasOutliers := policy["outlierDetection"] // excludes sources
	if g.chance(3) && !hasOutliers {
		spec["sourceSelector"] = g.workloads()
	}
	if g.chance(2) {
		spec["httpRequestMatchers"] = g.matchers()
	}
	if len(target.ports) > 0 && g.chance(5) {
		spec["destinationPorts"] = list{pick(g.dice, target.ports...).number}
	}
	g.add("TrafficPolicy", fmt.Sprintf("tp-%d", number), spec)
}

// setting adds one setting. Times are short: real requests wait for them.
func (g *generator) setting(policy object, target service) {
	switch g.IntN(14) {
	case 0, 1:
		policy["requestTimeout"] = pick(g.dice, "400ms", "0.7s", "1s")
	case 2:
		retries := object{"attempts": 1 + g.IntN(3)}
		if g.chance(2) {
			retries["perTryTimeout"] = pick(g.dice, "300ms", "500ms")
		}
		policy["retries"] = retries
	case 3, 4:
		fault := object{}
		if g.chance(2) {
			fault["abort"] = object{"httpStatus": pick(g.dice, 418, 429, 503)}
		} else {
			fault["fixedDelay"] = pick(g.dice, "300ms", "600ms")
		}
		if percentage := pick(g.dice, -1, 0, 50, 100); percentage >= 0 {
			fault["percentage"] = percentage
		}
		policy["faultInjection"] = fault
	case 5:
		policy["headerManipulation"] = g.headers()
	case 6:
		policy["corsPolicy"] = g.cors()
	case 7:
		to := g.httpTarget(target)
		if len(to.httpPorts()) == 0 {
			return
		}
		mirror := object{"kubeService": to.ref(), "port": pick(g.dice, to.httpPorts()...).number}
		if percentage := pick(g.dice, -1, 50, 100); percentage >= 0 {
			mirror["percentage"] = percentage
		}
		policy["mirror"] = mirror
	case 8, 9, 10:
		g.shift(policy, target)
	case 11:
		policy["outlierDetection"] = pick(g.dice, object{}, object{"consecutiveErrors": 50, "interval": "10s", "maxEjectionPercent": 50})
	case 12:
		policy["connectionPoolSettings"] = g.pool()
	case 13:
		policy["mtls"] = object{"istio": object{"tlsMode": pick(g.dice, "ISTIO_MUTUAL", "ISTIO_MUTUAL", "ISTIO_MUTUAL", "DISABLE", "SIMPLE")}}
	}
}

func (g *generator) headers() object {
	headers := object{}
	if g.chance(2) {
		headers["appendRequestHeaders"] = object{"x-added": pick(g.dice, "one", "two")}
	}
	if g.chance(2) {
		headers["removeRequestHeaders"] = texts("x-secret")
	}
	if g.chance(2) {
		headers["appendResponseHeaders"] = object{"x-answered": "meshctl"}
	}
	if len(headers) == 0 || g.chance(3) {
		headers["removeResponseHeaders"] = texts("x-powered-by")
	}
	return headers
}

func (g *generator) cors() object {
	cors := object{
		"allowOrigins": list{pick(g.dice, object{"exact": "https://shop.example.com"}, object{"prefix": "https://shop."}, object{"regex": `https://[a-z]+\.example\.com`})},
		"allowMethods": texts("GET", "POST"),
	}
	if g.chance(2) {
		cors["maxAge"], cors["exposeHeaders"], cors["allowHeaders"] = "600s", texts("x-request-id"), texts("content-type")
	}
	if g.chance(2) {
		cors["allowCredentials"] = true
	}
	return cors
}

func (g *generator) pool() object {
	pool := object{}
	if g.chance(2) {
		pool["tcp"] = object{"maxConnections": 100, "connectTimeout": "1s"}
	}
	if g.chance(3) {
		pool["tcp"] = object{"tcpKeepalive": object{"probes": 3, "time": "30s"}}
	}
	if len(pool) == 0 || g.chance(2) {
		pool["http"] = pick(g.dice, object{"http1MaxPendingRequests": 64, "idleTimeout": "30s"}, object{"maxRequestsPerConnection": 10},
			object{"http2MaxRequests": 200, "h2UpgradePolicy": "DO_NOT_UPGRADE"})
	}
	return pool
}

// httpTarget returns where requests to a Service may go instead: mostly to the
// same Service of any cluster.
func (g *generator) httpTarget(s service) service {
	var candidates []service
	elsewhere := g.chance(5)
	for _, other := range g.appServices(true) {
		if (elsewhere || other.name == s.name && other.namespace == s.namespace) && len(other.httpPorts()) > 0 {
			candidates = append(candidates, other)
		}
	}
	if len(candidates) == 0 {
		return service{}
	}
	return pick(g.dice, candidates...)
}

// shift divides the requests between versions and clusters.
func (g *generator) shift(policy object, s service) {
	first, second := g.httpTarget(s), g.httpTarget(s)
	if len(first.httpPorts()) == 0 || len(second.httpPorts()) == 0 {
		return
	}
	var destinations list
	for i, weight := range pick(g.dice, []int{100}, []int{50, 50}, []int{75, 25}, []int{90, 10}, []int{50, 25, 25}) {
		to := first
		if i > 0 {
			to = second
		}
		target := to.ref()
		target["port"] = to.httpPorts()[0].number
		if len(to.versions) > 1 && !g.chance(3) {
			target["subset"] = object{"version": to.versions[(i+g.IntN(2))%len(to.versions)]}
		}
		destination := object{"kubeService": target, "weight": weight}
		if g.chance(8) {
			destination["options"] = object{"headerManipulation": object{"appendRequestHeaders": object{"x-shifted": "yes"}}}
		}
		destinations = append(destinations, destination)
	}
	policy["trafficShift"] = object{"destinations": destinations}
}
