package reach

import (
	"fmt"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// resolution says whether callers can resolve federated hostnames, which no DNS
// server has: proxies answer for them if they capture the DNS requests of their pods
// (D62).
type resolution int8

const (
	// resolving callers capture DNS requests, or need no DNS.
	resolving resolution = iota
	notCapturing
	// assumedNotCapturing is Istio's default where the setting is not known.
	assumedNotCapturing
	withoutProxy
)

func resolutionOf(w *world.Workload) resolution {
	switch resolves, known := w.ResolvesFederatedNames(); {
	case resolves:
		return resolving
	case !known:
		return assumedNotCapturing
	}
	if w.Proxies() == discoveryv1.PresenceNone {
		return withoutProxy
	}
	return notCapturing
}

// name adds what becomes of the name of a Destination.
func (c *Calls) name(a *approach, from Caller, d *world.Destination) {
	if d.IsExternalName() {
		a.leaveOpen(CodeExternalName, world.DestinationID(d), fmt.Sprintf("%s only stands for %s, and what is there decides", d.Key(), externalName(d)))
		return
	}
	if from.routed || !isRemote(from, d) || from.Mesh == nil || from.Mesh.Type != world.MeshIstio {
		return
	}
	mesh := fmt.Sprintf("mesh %s.%s", from.Mesh.Ref.Name, from.Mesh.Ref.Namespace)
	switch from.names {
	case resolving:
		return
	case withoutProxy:
		a.fail(CodeNameNotResolved, world.ObjectID{}, "the federated hostname does not resolve: the caller's pods have no proxy")
		return
	case assumedNotCapturing:
		a.assumed = append(a.assumed, "the proxies of "+mesh+" do not capture DNS requests")
	case notCapturing:
	}
	a.fail(CodeNameNotResolved, world.MeshID(from.Mesh),
		"the federated hostname does not resolve: the caller's proxy does not capture DNS requests (ISTIO_META_DNS_CAPTURE)")
}

func externalName(d *world.Destination) string {
	if d.Facts != nil && d.Facts.ExternalName != "" {
		return d.Facts.ExternalName
	}
	return "a name outside the cluster"
}
