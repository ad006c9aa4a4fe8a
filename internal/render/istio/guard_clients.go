package istio

import (
	"slices"
)

// weakensClients reports whether clients use less TLS towards any port or subset of a
// host after a change of its DestinationRule.
func weakensClients(before, after map[string]any) bool {
	subsets := []string{""}
	for name := range subsetsOf(before) {
		if _, stays := subsetsOf(after)[name]; stays { // else no request goes there any more
			subsets = append(subsets, name)
		}
	}
	for _, subset := range subsets {
		for _, port := range append(portsOf(before, subset), portsOf(after, subset)...) {
			was, becomes := clientMode(before, subset, port), clientMode(after, subset, port)
			if becomes != "" && clientStrength(becomes) < clientStrength(was) {
				return true
			}
		}
	}
	return false
}

// clientStrength orders the TLS modes of clients. Without a mode, Istio uses what the
// server has.
func clientStrength(mode string) int {
	return slices.Index([]string{"DISABLE", "SIMPLE", "MUTUAL", "ISTIO_MUTUAL"}, mode)
}

// clientMode returns the TLS mode towards a port, 0 for all others, of a subset, "" for
// the host itself; "" if none is set.
func clientMode(spec map[string]any, subset string, port int64) string {
	policies := []any{spec["trafficPolicy"]}
	if subset != "" {
		policies = []any{subsetsOf(spec)[subset], spec["trafficPolicy"]}
	}
	for _, value := range policies {
		policy, _ := value.(map[string]any)
		for _, settings := range portSettings(policy) {
			if portOf(settings) == port && port != 0 {
				if mode := modeIn(settings); mode != "" {
					return mode
				}
			}
		}
		if mode := modeIn(policy); mode != "" {
			return mode
		}
	}
	return ""
}

// portsOf returns the ports that a rule has settings for, and 0 for all others.
func portsOf(spec map[string]any, subset string) []int64 {
	ports := []int64{0}
	for _, value := range []any{spec["trafficPolicy"], subsetsOf(spec)[subset]} {
		policy, _ := value.(map[string]any)
		for _, settings := range portSettings(policy) {
			ports = append(ports, portOf(settings))
		}
	}
	return ports
}

// subsetsOf returns the policies of the subsets by name.
func subsetsOf(spec map[string]any) map[string]any {
	policies := map[string]any{}
	list, _ := spec["subsets"].([]any)
	for _, value := range list {
		subset, _ := value.(map[string]any)
		if name, _ := subset["name"].(string); name != "" {
			policies[name] = subset["trafficPolicy"]
		}
	}
	return policies
}

func portSettings(policy map[string]any) []map[string]any {
	list, _ := policy["portLevelSettings"].([]any)
	settings := make([]map[string]any, 0, len(list))
	for _, value := range list {
		if one, isMap := value.(map[string]any); isMap {
			settings = append(settings, one)
		}
	}
	return settings
}

// portOf returns the number of a port, which is of the one type in what clusters say
// and of the other in what is rendered.
func portOf(settings map[string]any) int64 {
	port, _ := settings["port"].(map[string]any)
	switch number := port["number"].(type) {
	case int64:
		return number
	case float64:
		return int64(number)
	default:
		return 0
	}
}

func modeIn(policy map[string]any) string {
	tls, _ := policy["tls"].(map[string]any)
	mode, _ := tls["mode"].(string)
	return mode
}
