package istio

import (
	"cmp"
	"slices"
	"strings"
)

// Target is the target of a route: a host or one of its subsets.
type Target struct{ Host, Subset string }

// Targets returns the targets of a stored VirtualService, including mirrors,
// sorted. The spec is in plain values and may be malformed.
func Targets(spec map[string]any) []Target {
	var targets []Target
	note := func(target any) {
		destination, _ := target.(map[string]any)
		if host, ok := destination["host"].(string); ok {
			subset, _ := destination["subset"].(string)
			targets = append(targets, Target{host, subset})
		}
	}
	for _, protocol := range []string{"http", "tls", "tcp"} {
		for _, route := range objectsIn(spec[protocol]) {
			for _, to := range objectsIn(route["route"]) {
				note(to["destination"])
			}
			for _, to := range objectsIn(route["mirrors"]) {
				note(to["destination"])
			}
			note(route["mirror"])
		}
	}
	slices.SortFunc(targets, func(a, b Target) int {
		return cmp.Or(strings.Compare(a.Host, b.Host), strings.Compare(a.Subset, b.Subset))
	})
	return slices.Compact(targets)
}

// LeadsTo returns the target hosts of a stored VirtualService; see Targets.
func LeadsTo(spec map[string]any) []string {
	hosts := map[string]bool{}
	for _, target := range Targets(spec) {
		hosts[target.Host] = true
	}
	return sortedHosts(hosts)
}

// Provides returns the hosts that a stored object defines, whose subsets it
// defines, or for which it configures the way through gateways, sorted; none for
// objects that routes do not need. The spec is in plain values.
func Provides(kind Kind, spec map[string]any) []string {
	hosts := map[string]bool{}
	switch kind {
	case KindServiceEntry:
		all, _ := spec["hosts"].([]any)
		for _, host := range all {
			if text, ok := host.(string); ok {
				hosts[text] = true
			}
		}
	case KindDestinationRule:
		if host, ok := spec["host"].(string); ok && (len(objectsIn(spec["subsets"])) > 0 || namesServer(spec["trafficPolicy"])) {
			hosts[host] = true
		}
	case KindAuthorizationPolicy, KindGateway, KindPeerAuthentication, KindVirtualService:
	}
	return sortedHosts(hosts)
}

// namesServer reports whether a traffic policy sets an SNI.
func namesServer(policy any) bool {
	settings, _ := policy.(map[string]any)
	return slices.ContainsFunc(objectsIn(settings["portLevelSettings"]), func(port map[string]any) bool {
		tls, _ := port["tls"].(map[string]any)
		return tls["sni"] != nil
	})
}

// objectsIn returns the elements of a list that are maps.
func objectsIn(list any) []map[string]any {
	elements, _ := list.([]any)
	var found []map[string]any
	for _, element := range elements {
		if fields, ok := element.(map[string]any); ok {
			found = append(found, fields)
		}
	}
	return found
}

func sortedHosts(hosts map[string]bool) []string {
	sorted := make([]string, 0, len(hosts))
	for host := range hosts {
		sorted = append(sorted, host)
	}
	slices.Sort(sorted)
	return sorted
}
