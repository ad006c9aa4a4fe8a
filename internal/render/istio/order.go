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

// The stages in which objects are written, in order.
const (
	// stageFirst is for objects that all others depend on.
	stageFirst = iota
	// stageExports is for objects that callers in other clusters need: gateways
	// and subsets.
	stageExports
	stageHosts
	stageImports
	stageRoutes
	stageRules
	// stageDenials is for objects that deny all callers except the allowed ones.
	stageDenials
)

// LastExportStage is the last stage with objects that other clusters depend on.
// All clusters should complete it before any continues.
const LastExportStage = stageExports

// Stage returns the stage in which to write an object; lower stages come first.
// This order ensures that routes never refer to missing hosts and subsets, that
// clients can encrypt before servers require it, and that allowed callers are
// allowed before all others are denied. Objects are removed in reverse order.
func (o *Object) Stage() int {
	return StageOf(o.Kind, o.Federates != "", o.Kind == KindAuthorizationPolicy && proto.Equal(o.Spec, &security.AuthorizationPolicy{}))
}

// StageOf returns the stage of an object from its kind, whether it is about a
// federated Service, and whether its spec is empty.
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

// Needs returns, for each object of a cluster, the positions of the objects that
// must be written before it: for a VirtualService those that define its hosts and
// subsets, and how to reach them.
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

// routedTo returns the destinations of routes, including mirrors.
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

// keepPassing returns a Gateway whose server also forwards the hosts of the
// stored one.
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
		// An older version wrote a wildcard here, which no rendered object needs.
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

// permissive is the mode in which servers accept encrypted and plain requests.
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
