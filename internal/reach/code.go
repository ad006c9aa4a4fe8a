package reach

import "strings"

// Stage is a step on the way of a call. A call fails at the first stage that has
// an obstacle for it (D45).
type Stage string

// The stages, in the order in which a call passes them: the name leads to a host;
// the client's proxy knows it; a route is chosen; an endpoint is chosen; the
// connection is made; the receiver lets the request in.
const (
	StageName       Stage = "name"
	StageVisibility Stage = "visibility"
	StageRoute      Stage = "route"
	StageEndpoint   Stage = "endpoint"
	StageTransport  Stage = "transport"
	StageAccess     Stage = "access"
)

// Stages returns all stages in order.
func Stages() []Stage {
	return []Stage{StageName, StageVisibility, StageRoute, StageEndpoint, StageTransport, StageAccess}
}

// Code is the stable identifier of what decides about a call: MT, the number of
// the stage, and a number within it. Codes are never reused.
type Code string

// The codes of transport and access.
const (
	CodePlaintextToStrict  Code = "MT0501"
	CodeGatewayNeedsMutual Code = "MT0502"
	CodeExporterNotMutual  Code = "MT0503"
	CodeTLSToHTTP          Code = "MT0504"
	CodeTrustDomain        Code = "MT0505"
	CodePodWithoutProxy    Code = "MT0506"
	CodeGatewayHidesPods   Code = "MT0507"
	CodeCallerWithoutProxy Code = "MT0508"

	CodeNotAllowed      Code = "MT0601"
	CodeDeniedByDefault Code = "MT0602"
	CodeNoIdentity      Code = "MT0603"
	CodeOnlyHTTP        Code = "MT0604"
	CodeSomeRequests    Code = "MT0605"
)

// Stage returns the stage of a code; "" if there is none.
func (c Code) Stage() Stage {
	stages := Stages()
	if number, found := strings.CutPrefix(string(c), "MT0"); found && number != "" {
		if at := int(number[0] - '1'); at >= 0 && at < len(stages) {
			return stages[at]
		}
	}
	return ""
}

// Entry is the entry of a code in the catalogue.
type Entry struct {
	Code Code
	// Title is one line for lists, Explanation a paragraph for the docs.
	Title, Explanation string
}

// Catalogue returns all codes, ascending.
func Catalogue() []Entry {
	return []Entry{
		{
			CodePlaintextToStrict, "the client sends no mutual TLS, and the receiver requires it",
			"A TrafficPolicy or the Settings make the client's proxy send plaintext or simple TLS, and the VirtualMesh of the receiver enforces mutual TLS (enforcementMode STRICT). The connection is closed before any request arrives.",
		},
		{
			CodeGatewayNeedsMutual, "the client sends no mutual TLS, and gateways forward nothing else",
			"East-west gateways forward connections by the server name of Istio's mutual TLS. A TrafficPolicy or the Settings give clients of the calling cluster another TLS mode, so that the gateway closes the connection.",
		},
		{
			CodeExporterNotMutual, "the called cluster sends its own Service no mutual TLS, so its gateway does not either",
			"A gateway forwards calls only to pods that are called with Istio's mutual TLS in their own cluster. A TrafficPolicy or the Settings set another TLS mode there, so that the gateway has no endpoint for the Service.",
		},
		{
			CodeTLSToHTTP, "the client sends simple TLS to a port that speaks HTTP",
			"With tlsMode SIMPLE the client's proxy sends TLS that is not Istio's. The receiving proxy passes it on as it is, and an application that declares HTTP on that port cannot read it.",
		},
		{
			CodeTrustDomain, "the receiver does not accept the caller's trust domain",
			"A proxy accepts clients whose certificate has the trust domain of its own mesh, one of meshConfig.trustDomainAliases, or one of meshConfig.caCertificates[].trustDomains; PILOT_SKIP_VALIDATE_TRUST_DOMAIN=true of istiod switches the check off. A shared root alone is not enough. The connection ends in the TLS handshake, and callers get 503. The finding MC0216 has the setting to add.",
		},
		{
			CodePodWithoutProxy, "the client sends mutual TLS, and the pod has no proxy to read it",
			"A TrafficPolicy or the Settings ask for ISTIO_MUTUAL, and pods behind the Destination are known to have no proxy. They get a TLS handshake where they expect a request, and callers get 503. Without Settings and without a TLS mode in a policy, proxies choose for each pod: mutual TLS with pods that have a proxy, plaintext with the others.",
		},
		{
			CodeGatewayHidesPods, "gateways do not forward calls to pods without a proxy",
			"East-west gateways know only the pods of a Service that have a proxy, whatever TLS mode is set. None of the pods behind the Destination has one, so that calls from other clusters end in 503. Calls from the Destination's own cluster work.",
		},
		{
			CodeCallerWithoutProxy, "the caller has no proxy, and only proxies know the hosts of other clusters",
			"The names of federated hosts, and the way through gateways, are configuration of the caller's proxy. Pods without a proxy reach Services of their own cluster only.",
		},
		{
			CodeNotAllowed, "no AccessPolicy allows the caller",
			"AccessPolicies select the pods behind the Destination, and none of them allows the identity of the caller.",
		},
		{
			CodeDeniedByDefault, "the VirtualMesh denies by default",
			"No AccessPolicy selects the pods behind the Destination, and the VirtualMesh denies what no AccessPolicy allows (globalAccessPolicy ENABLED).",
		},
		{
			CodeNoIdentity, "the caller would be allowed, but its identity does not arrive",
			"An identity arrives over Istio's mutual TLS only. Without it, rules about principals or namespaces do not match: a TrafficPolicy or the Settings make the client's proxy send plaintext or simple TLS, or the caller has no proxy.",
		},
		{
			CodeOnlyHTTP, "the caller is allowed HTTP requests only, and the port does not speak HTTP",
			"Rules about methods, paths or request principals never match on ports whose protocol is not HTTP. Declare the protocol of the port (its name or appProtocol), or allow the caller without such conditions.",
		},
		{
			CodeSomeRequests, "only some requests are allowed",
			"The call is allowed under conditions: for some paths, methods, ports or request principals, or by some of the pods behind the Destination.",
		},
	}
}
