package feature

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

// Lines describes a setting in a few words, one part per line.
func Lines(field string, value any) []string { return All().Of(field).Lines(value) }

// Explained is Lines followed by what the value means for requests.
func Explained(field string, value any) []string {
	f := All().Of(field)
	return append(f.Lines(value), f.Notes(value)...)
}

// counted formats a number with a noun whose plural ends in s.
func counted(n int64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return strconv.FormatInt(n, 10) + " " + noun + "s"
}

func durationText(d *core.Duration) string { return d.String() }

func retryText(r *networkingv1.RetryPolicy) string {
	if r.Attempts == 0 {
		return "switched off"
	}
	text := counted(int64(r.Attempts), "attempt")
	if r.PerTryTimeout != nil {
		text += " of " + r.PerTryTimeout.String()
	}
	return text
}

// retryNotes says which requests Istio retries without conditions of its own
// (D76). The default of the mesh is for routes without retries only.
func retryNotes(r *networkingv1.RetryPolicy) []string {
	if r.Attempts == 0 {
		return nil
	}
	return []string{"on connect-failure, refused-stream, unavailable, cancelled", "not on answers of 5xx"}
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

func mirrorText(m *networkingv1.Mirror) string {
	return fmt.Sprintf("%s to %s", percentText(m.Percentage), serviceText(*m.KubeService, m.Port))
}

func outlierText(o *networkingv1.OutlierDetection) string {
	return fmt.Sprintf("after %s, for %s, at most %d%%; checked every %s",
		counted(int64(o.ConsecutiveErrors), "error"), o.BaseEjectionTime, o.MaxEjectionPercent, o.Interval)
}

func tlsText(m *networkingv1.MTLS) string { return string(m.Istio.TLSMode) }

func shiftLines(s *networkingv1.MultiDestination) []string {
	var parts []string
	for _, d := range s.Destinations {
		part := fmt.Sprintf("%d%% ", *d.Weight)
		if k := d.KubeService; k != nil {
			part += serviceText(ShiftTarget(k), k.Port)
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

func percentText(p *float64) string { return strconv.FormatFloat(*p, 'f', -1, 64) + "%" }

func serviceText(ref core.ClusterObjectRef, port uint32) string {
	name := ref.Name + "." + ref.Namespace + "." + ref.ClusterName
	if port != 0 {
		name += ":" + strconv.FormatUint(uint64(port), 10)
	}
	return name
}

// Flatten converts any value into lines with a path and a scalar, such as `a.b
// 1`; there is at least one.
func Flatten(value any) []string {
	data, err := json.Marshal(value)
	if err != nil {
		return []string{fmt.Sprint(value)}
	}
	var tree any
	if err := json.Unmarshal(data, &tree); err != nil {
		return []string{string(data)}
	}
	if lines := flatten("", tree); len(lines) > 0 {
		return lines
	}
	return []string{""} // an empty value
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
