package judge

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/hack/lab/client"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// Entry is a disagreement that is expected for now. The list of them can only
// shrink: an entry whose own case agrees fails the test of the lab.
type Entry struct {
	ID string
	// Reason says why the product does not know better, or why the lab differs from
	// a production mesh.
	Reason string
	// Matches reports whether a disagreement is of this kind.
	Matches func(Disagreement) bool
	// Case is a small world, and one question about it that disagrees.
	Case Case
}

// Case is a question that somebody wrote down.
type Case struct {
	World   func() worldgen.World
	From    WorkloadRef
	To      Ref
	Request client.Request
}

// Ask returns the question of the case.
func (c Case) Ask(descriptions Descriptions) (Question, error) {
	return Ask(c.World(), descriptions, c.From, c.To, c.Request)
}

// Known returns the list.
func Known() []Entry {
	web, stock := Ref{"web-v1", "shop", "east"}, Ref{"stock", "shop", "east"}
	get := func(port uint16) client.Request { return client.Request{Protocol: client.HTTP1, Port: port} }
	return []Entry{
		{
			ID: "undeclared-protocol",
			Reason: "without Istio's ALPN filter, which the lab's Envoy does not have, requests on ports of undeclared protocol arrive as TCP: " +
				"rules about HTTP do not see them",
			Matches: func(d Disagreement) bool {
				if d.Question.Kind != string(kindUndeclared) {
					return false
				}
				// What is denied as TCP ends with the connection, without an answer.
				return d.Question.Described == Conditional ||
					d.Question.Described == Denied && d.Aspect == "outcome" && strings.Contains(d.Was, "connection termination")
			},
			Case: Case{
				World: func() worldgen.World {
					return worldgen.Plain("undeclared-protocol", "STRICT", "ENABLED", worldgen.Resource("AccessPolicy", "read", `
destinationSelector: [{kubeServiceRefs: {services: [{name: pay, namespace: bank, clusterName: east}]}}]
allowedMethods: [GET]`))
				},
				From: web, To: Ref{"pay", "bank", "east"}, Request: get(8888),
			},
		},
		{
			ID: "grpc-to-http1",
			Reason: "a shift may send gRPC requests to a port of HTTP/1, where their trailers are lost; the finding MC0327 says so, " +
				"but the verdict about the target only if the route takes nothing but gRPC",
			Matches: func(d Disagreement) bool { return d.Question.Request.Protocol == client.GRPC && shiftsTo(d, kindHTTP) },
			Case: Case{
				World: func() worldgen.World {
					return worldgen.Plain("grpc-to-http1", "STRICT", "DISABLED", worldgen.Resource("TrafficPolicy", "shift", `
destinationSelector: [{kubeServiceRefs: {services: [{name: pay, namespace: bank, clusterName: east}]}}]
policy: {trafficShift: {destinations: [{weight: 100, kubeService: {name: stock, namespace: shop, clusterName: east, port: 8080}}]}}`))
				},
				From: web, To: Ref{"pay", "bank", "east"}, Request: client.Request{Protocol: client.GRPC, Port: 9090},
			},
		},
		theirs("AuthorizationPolicy", `{action: DENY, selector: {matchLabels: {app: stock}}, rules: [{}]}`, stock),
		theirs("PeerAuthentication", `{selector: {matchLabels: {app: stock}}, mtls: {mode: DISABLE}}`, stock),
		theirs("VirtualService", `{hosts: [stock.shop.svc.cluster.local], http: [{fault: {abort: {httpStatus: 421, percentage: {value: 100}}},
  route: [{destination: {host: stock.shop.svc.cluster.local}}]}]}`, stock),
		theirs("DestinationRule", `{host: stock.shop.svc.cluster.local, trafficPolicy: {tls: {mode: DISABLE}}}`, stock),
		theirs("Sidecar", `{workloadSelector: {labels: {app: web}}, egress: [{hosts: ["istio-system/*"]}]}`, stock),
		theirs("ServiceEntry", `{hosts: [stock.shop.svc.west.global], location: MESH_EXTERNAL, resolution: STATIC,
  ports: [{number: 8080, name: http, protocol: HTTP}], endpoints: [{address: 192.0.2.10}]}`, Ref{"stock", "shop", "west"}),
	}
}

// theirs is the disagreement about calls that an object of somebody else may
// change: the product does not look at such objects. The object stands in
// namespace shop in the east, where web calls the Service.
func theirs(kind, spec string, to Ref) Entry {
	return Entry{
		ID:      "foreign-" + strings.ToLower(kind),
		Reason:  "a " + kind + " that somebody else wrote is not looked at",
		Matches: func(d Disagreement) bool { return slices.Contains(d.Question.Tags, "foreign "+kind) },
		Case: Case{
			World: func() worldgen.World {
				return worldgen.Plain("foreign-"+strings.ToLower(kind), "STRICT", "DISABLED").WithForeign("east", kind, "shop", spec)
			},
			From: Ref{"web-v1", "shop", "east"}, To: to, Request: client.Request{Protocol: client.HTTP1, Port: 8080},
		},
	}
}

// shiftsTo reports whether a part of the requests goes to a port of the kind.
func shiftsTo(d Disagreement, wanted kind) bool {
	return slices.ContainsFunc(d.Question.Expect.Shares, func(s Share) bool { return s.Kind == string(wanted) })
}

// knownBy returns the ID of the first entry that explains a disagreement.
func knownBy(entries []Entry, d Disagreement) string {
	for _, entry := range entries {
		if entry.Matches(d) {
			return entry.ID
		}
	}
	return ""
}
