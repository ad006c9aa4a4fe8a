package istio

import (
	"maps"
	"reflect"
	"slices"
	"strings"

	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1"
	security "istio.io/api/security/v1"
)

// The stages in which objects are written.
const (
	// stageFirst is for what must be there before anything else changes.
	stageFirst = iota
	// stageExports is for what callers in other clusters need: the gateways, and
	// the subsets of Services.
	stageExports
	stageHosts
	stageImports
	stageRoutes
	stageRules
	// stageDenials is for what turns everybody away who is not admitted.
	stageDenials
)

// LastExportStage is the last stage of what other clusters need of a cluster. All
// clusters should have come so far before any goes on.
const LastExportStage = stageExports

// Stage returns when an object of a cluster should be written: those of a lower
// stage first, so that routes never lead to hosts and subsets that are not there
// yet, clients know how to encrypt before servers ask for it, and everybody who
// is to be admitted is before all others are turned away. Objects are removed
// in the opposite order.
func (o *Object) Stage() int {
	return StageOf(o.Kind, o.Federates != "", o.Kind == KindAuthorizationPolicy && proto.Equal(o.Spec, &security.AuthorizationPolicy{}))
}

// StageOf returns the stage of an object of a kind, of which it is known
// whether it is about a federated Service, and whether its specification is empty.
func StageOf(kind Kind, federates, empty bool) int {
	switch kind {
	case KindGateway:
		return stageExports
	case KindServiceEntry:
		return stageHosts
	case KindDestinationRule:
		if federates {
			return stageImports
		}
		return stageExports
	case KindVirtualService:
		return stageRoutes
	case KindPeerAuthentication:
		return stageRules
	case KindAuthorizationPolicy:
		if empty {
			return stageDenials
		}
	}
	return stageRules
}

// Needs returns for each of the objects of a cluster, by position, the
// positions of the others that must be there before it is: for a VirtualService
// what makes the hosts and the subsets known that it sends requests to, and how to
// get to them.
func Needs(objects []Object) [][]int {
	hosts, rules := map[string][]int{}, map[string][]int{}
	for i := range objects {
		switch spec := objects[i].Spec.(type) {
		case *networking.ServiceEntry:
			for _, host := range spec.Hosts {
				hosts[host] = append(hosts[host], i)
			}
		case *networking.DestinationRule:
			rules[spec.Host] = append(rules[spec.Host], i)
		}
	}
	needs := make([][]int, len(objects))
	for i := range objects {
		routes, ok := objects[i].Spec.(*networking.VirtualService)
		if !ok {
			continue
		}
		for _, target := range routedTo(routes) {
			needs[i] = append(needs[i], hosts[target.Host]...)
			if target.Subset != "" || len(hosts[target.Host]) > 0 {
				needs[i] = append(needs[i], rules[target.Host]...)
			}
		}
		slices.Sort(needs[i])
		needs[i] = slices.Compact(needs[i])
	}
	return needs
}

// routedTo returns where the routes send requests to, mirrored ones included.
func routedTo(routes *networking.VirtualService) []*networking.Destination {
	var targets []*networking.Destination
	for _, route := range routes.Http {
		for _, to := range route.Route {
			targets = append(targets, to.Destination)
		}
		for _, to := range route.Mirrors {
			targets = append(targets, to.Destination)
		}
		targets = append(targets, route.Mirror)
	}
	return slices.DeleteFunc(targets, func(d *networking.Destination) bool { return d == nil })
}

// Transition returns the specification to give an object of a kind and stage first
// when it is stored with another one, and the stage to write that in; nil if it can
// be changed at once. Both specifications are plain values, as manifests have them.
//
//   - Subsets that go stay until no route leads to them any more.
//   - Gateways pass on what they did until no other cluster asks for it any more.
//   - Servers take both encrypted and plain requests while clients change from
//     one to the other.
func Transition(kind Kind, stage int, stored, desired map[string]any) (map[string]any, int) {
	switch kind {
	case KindDestinationRule:
		return keepSubsets(stored, desired), stage
	case KindGateway:
		return keepPassing(stored, desired), stage
	case KindPeerAuthentication:
		return acceptBoth(stored, desired), stageFirst
	case KindAuthorizationPolicy, KindServiceEntry, KindVirtualService:
	}
	return nil, 0
}

func keepSubsets(stored, desired map[string]any) map[string]any {
	there := map[any]bool{}
	wanted, _ := desired["subsets"].([]any)
	for _, subset := range wanted {
		there[subsetName(subset)] = true
	}
	merged := slices.Clone(wanted)
	old, _ := stored["subsets"].([]any)
	for _, subset := range old {
		if !there[subsetName(subset)] {
			merged = append(merged, subset)
		}
	}
	if len(merged) == len(wanted) || stored["host"] != desired["host"] {
		return nil
	}
	return with(desired, "subsets", merged)
}

// keepPassing adds the hosts that the one server of a Gateway passes on so far to
// those that it is to pass on.
func keepPassing(stored, desired map[string]any) map[string]any {
	before, after := objectsIn(stored["servers"]), objectsIn(desired["servers"])
	if len(before) != 1 || len(after) != 1 || !reflect.DeepEqual(stored["selector"], desired["selector"]) ||
		!reflect.DeepEqual(before[0]["port"], after[0]["port"]) || !reflect.DeepEqual(before[0]["tls"], after[0]["tls"]) {
		return nil
	}
	wanted, _ := after[0]["hosts"].([]any)
	merged := slices.Clone(wanted)
	old, _ := before[0]["hosts"].([]any)
	for _, host := range old {
		// Of older versions; nothing that is rendered asks for it.
		if text, ok := host.(string); ok && !strings.HasPrefix(text, "*") && !slices.Contains(wanted, host) {
			merged = append(merged, host)
		}
	}
	if len(merged) == len(wanted) {
		return nil
	}
	return with(desired, "servers", []any{with(after[0], "hosts", merged)})
}

func subsetName(subset any) any {
	fields, _ := subset.(map[string]any)
	return fields["name"]
}

// permissive is the mode in which servers take encrypted and plain requests.
const permissive = "PERMISSIVE"

func acceptBoth(stored, desired map[string]any) map[string]any {
	before, _ := stored["mtls"].(map[string]any)
	after, _ := desired["mtls"].(map[string]any)
	if before["mode"] == after["mode"] || before["mode"] == permissive || after["mode"] == permissive {
		return nil
	}
	return with(desired, "mtls", map[string]any{"mode": permissive})
}

func with(fields map[string]any, name string, value any) map[string]any {
	changed := maps.Clone(fields)
	changed[name] = value
	return changed
}
