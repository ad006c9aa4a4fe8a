package describe

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// valueLines says in a few words what a setting does, one part a line.
func valueLines(value any) []string {
	switch v := value.(type) {
	case *networkingv1.MultiDestination:
		return shiftLines(v)
	case *networkingv1.HeaderManipulation:
		return headerLines(v)
	default:
		return strings.Split(valueText(value), "\n")
	}
}

func valueText(value any) string {
	switch v := value.(type) {
	case *core.Duration:
		return v.String()
	case *networkingv1.RetryPolicy:
		text := fmt.Sprintf("%d attempts", v.Attempts)
		if v.PerTryTimeout != nil {
			text += " of " + v.PerTryTimeout.String()
		}
		return text
	case *networkingv1.FaultInjection:
		return faultText(v)
	case *networkingv1.Mirror:
		return fmt.Sprintf("%s to %s", percentText(v.Percentage), serviceText(*v.KubeService, v.Port))
	case *networkingv1.OutlierDetection:
		return fmt.Sprintf("after %d errors, for %s, at most %d%%; looks every %s",
			v.ConsecutiveErrors, v.BaseEjectionTime, v.MaxEjectionPercent, v.Interval)
	case *networkingv1.MTLS:
		return string(v.Istio.TLSMode)
	default:
		return genericText(value)
	}
}

func percentText(p *float64) string { return strconv.FormatFloat(*p, 'f', -1, 64) + "%" }

func serviceText(ref core.ClusterObjectRef, port uint32) string {
	name := ref.Name + "." + ref.Namespace + "." + ref.ClusterName
	if port != 0 {
		name += ":" + strconv.FormatUint(uint64(port), 10)
	}
	return name
}

func faultText(f *networkingv1.FaultInjection) string {
	what := ""
	switch {
	case f.Abort != nil:
		what = fmt.Sprintf("status %d", f.Abort.HTTPStatus)
	case f.FixedDelay != nil:
		what = "delay " + f.FixedDelay.String()
	}
	return what + " for " + percentText(f.Percentage)
}

func shiftLines(s *networkingv1.MultiDestination) []string {
	var parts []string
	for _, d := range s.Destinations {
		part := fmt.Sprintf("%d%% ", *d.Weight)
		if k := d.KubeService; k != nil {
			part += serviceText(core.ClusterObjectRef{Name: k.Name, Namespace: k.Namespace, ClusterName: k.ClusterName}, k.Port)
			for _, key := range slices.Sorted(maps.Keys(k.Subset)) {
				part += " " + key + "=" + k.Subset[key]
			}
		}
		if d.Options != nil && d.Options.HeaderManipulation != nil {
			part += " (" + strings.Join(headerLines(d.Options.HeaderManipulation), ", ") + ")"
		}
		parts = append(parts, part)
	}
	return parts
}

func headerLines(h *networkingv1.HeaderManipulation) []string {
	var parts []string
	add := func(direction string, appended map[string]string, removed []string) {
		for _, k := range slices.Sorted(maps.Keys(appended)) {
			parts = append(parts, fmt.Sprintf("%s +%s: %s", direction, k, appended[k]))
		}
		for _, k := range removed {
			parts = append(parts, fmt.Sprintf("%s -%s", direction, k))
		}
	}
	add("request", h.AppendRequestHeaders, h.RemoveRequestHeaders)
	add("response", h.AppendResponseHeaders, h.RemoveResponseHeaders)
	return parts
}

// genericText flattens a value to lines `a.b 1`.
func genericText(value any) string {
	data, err := json.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return string(data)
	}
	return strings.Join(flatten("", tree), "\n")
}

func flatten(path string, value any) []string {
	switch v := value.(type) {
	case map[string]any:
		var parts []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			parts = append(parts, flatten(strings.TrimPrefix(path+"."+k, "."), v[k])...)
		}
		return parts
	case []any:
		var items []string
		for _, item := range v {
			items = append(items, strings.Join(flatten("", item), " "))
		}
		return []string{strings.TrimSpace(path + " " + strings.Join(items, "|"))}
	default:
		return []string{strings.TrimSpace(fmt.Sprintf("%s %v", path, v))}
	}
}

// text says which requests match.
func (m *RequestMatch) text() string {
	if m == nil {
		return "all requests"
	}
	var parts []string
	if m.Method != "" {
		parts = append(parts, m.Method)
	}
	if m.URI != nil {
		parts = append(parts, uriText(m.URI))
	}
	for _, h := range m.Headers {
		parts = append(parts, conditionText("header", h.Name, h.Value, h.Regex, h.InvertMatch))
	}
	for _, q := range m.QueryParameters {
		parts = append(parts, conditionText("query", q.Name, q.Value, q.Regex, false))
	}
	return strings.Join(parts, " ")
}

func uriText(uri *core.StringMatch) string {
	text := ""
	switch {
	case uri.Exact != nil:
		text = *uri.Exact
	case uri.Prefix != nil:
		text = *uri.Prefix + "*"
	case uri.Suffix != nil:
		text = "*" + *uri.Suffix
	case uri.Regex != nil:
		text = "~" + *uri.Regex
	}
	if uri.IgnoreCase {
		text += " (any case)"
	}
	return text
}

func conditionText(what, name, value string, regex, inverted bool) string {
	operator := "="
	switch {
	case value == "" && inverted:
		return "no " + what + " " + name
	case value == "":
		return what + " " + name
	case regex && inverted:
		operator = "!~"
	case regex:
		operator = "~"
	case inverted:
		operator = "!="
	}
	return what + " " + name + operator + value
}
