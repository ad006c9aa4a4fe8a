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
	web := Ref{"web-v1", "shop", "east"}
	get := func(port uint16) client.Request { return client.Request{Protocol: client.HTTP1, Port: port} }
	return []Entry{
		{
			ID:     "tls-mode",
			Reason: "a TrafficPolicy may turn mutual TLS off for a Service; what then becomes of calls to pods under STRICT, or with rules about identities, is not said",
			Matches: func(d Disagreement) bool {
				return hasTag(d, "connection ", " mtls ") && (d.Aspect == "outcome" || d.Aspect == "attempts" || d.Aspect == "mirror" || d.Aspect == "weights")
			},
			Case: Case{
				World: func() worldgen.World {
					return worldgen.Plain("tls-mode", "STRICT", "DISABLED", worldgen.Resource("TrafficPolicy", "tls", `
destinationSelector: [{kubeServiceRefs: {services: [{name: stock, namespace: shop, clusterName: east}]}}]
policy: {mtls: {istio: {tlsMode: DISABLE}}}`))
				},
				From: web, To: Ref{"stock", "shop", "east"}, Request: get(8080),
			},
		},
		{
			ID:     "caller-without-proxy",
			Reason: "verdicts are about access rules only: under STRICT a caller without a proxy is refused by the transport",
			Matches: func(d Disagreement) bool {
				return slices.Contains(d.Question.Tags, "caller without proxy")
			},
			Case: Case{
				World: func() worldgen.World { return worldgen.Plain("caller-without-proxy", "STRICT", "DISABLED") },
				From:  Ref{"job-v1", "legacy", "east"}, To: Ref{"stock", "shop", "east"}, Request: get(8080),
			},
		},
		{
			ID:     "service-without-proxy",
			Reason: "our DestinationRule asks for mutual TLS of pods that have no proxy, and verdicts do not say so",
			Matches: func(d Disagreement) bool {
				return slices.Contains(d.Question.Tags, "Service without proxy")
			},
			Case: Case{
				World: func() worldgen.World { return worldgen.Plain("service-without-proxy", "PERMISSIVE", "DISABLED") },
				From:  web, To: Ref{"job", "legacy", "east"}, Request: get(8080),
			},
		},
		{
			ID: "undeclared-protocol",
			Reason: "without Istio's ALPN filter, which the lab's Envoy does not have, requests on ports of undeclared protocol arrive as TCP: " +
				"rules about HTTP do not see them",
			Matches: func(d Disagreement) bool {
				return d.Question.Kind == string(kindUndeclared) && d.Question.Described == Conditional
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
	}
}

// hasTag reports whether a tag of the question has a beginning and contains a
// word.
func hasTag(d Disagreement, beginning, word string) bool {
	return slices.ContainsFunc(d.Question.Tags, func(tag string) bool {
		return strings.HasPrefix(tag, beginning) && strings.Contains(tag+" ", word)
	})
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
