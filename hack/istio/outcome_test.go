package istiocheck

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"time"

	corev1 "github.com/envoyproxy/go-control-plane/envoy/config/core/v3"
	route "github.com/envoyproxy/go-control-plane/envoy/config/route/v3"
	cors "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/cors/v3"
	fault "github.com/envoyproxy/go-control-plane/envoy/extensions/filters/http/fault/v3"
	matcher "github.com/envoyproxy/go-control-plane/envoy/type/matcher/v3"
	types "github.com/envoyproxy/go-control-plane/envoy/type/v3"
	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// outcome is what happens to a request, in terms of neither side.
type outcome struct {
	Timeout        time.Duration
	Retries, Fault string
	CORS, Mirror   string
	Targets        []string
	Headers        string
}

func (o outcome) clusters() []string {
	var names []string
	for _, target := range append(slices.Clone(o.Targets), o.Mirror) {
		if name, _, _ := strings.Cut(target, " "); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// sample returns a request that is likely to match one of the routes.
func sample(random *rand.Rand, routes []*policy.Route) request {
	r := request{path: "/", method: []string{"GET", "POST", "DELETE"}[random.IntN(3)], headers: map[string]string{}, query: map[string]string{}}
	pick := func(values ...string) string { return values[random.IntN(len(values))] }
	value := func(text string) string { return pick(text, text, text, "other", text+"x", strings.ToUpper(text)) }
	var matches []*selector.RequestMatch
	for _, each := range routes {
		if each.Match != nil {
			matches = append(matches, each.Match)
		}
	}
	if len(matches) == 0 || random.IntN(8) == 0 {
		r.path = pick("/", "/api", "/health", "/api/v1")
		return r
	}
	for range 1 + random.IntN(2) {
		m := matches[random.IntN(len(matches))]
		if u := m.URI; u != nil {
			switch {
			case u.Exact != nil:
				r.path = pick(*u.Exact, *u.Exact, *u.Exact+"/more", strings.ToUpper(*u.Exact))
			case u.Prefix != nil:
				r.path = pick(*u.Prefix, *u.Prefix+"/more", *u.Prefix+"more", strings.ToUpper(*u.Prefix))
			case u.Suffix != nil:
				r.path = pick("/a"+*u.Suffix, *u.Suffix, *u.Suffix+"x")
			case u.Regex != nil:
				r.path = pick("/api", "/api/1", "/v1/items", "/items", "/a.b", "/x/y", "/", strings.NewReplacer(".*", "x", "[0-9]+", "7", "[^/]+", "ab", `\d+`, "3", "^", "", "$", "", ".+", "yy").Replace(*u.Regex))
			}
		}
		if m.Method != "" && random.IntN(4) > 0 {
			r.method = m.Method
		}
		for _, h := range m.Headers {
			if random.IntN(4) > 0 && !strings.HasPrefix(h.Name, ":") {
				r.headers[strings.ToLower(h.Name)] = value(h.Value)
			}
		}
		for _, q := range m.QueryParameters {
			if random.IntN(4) > 0 {
				r.query[q.Name] = value(q.Value)
			}
		}
	}
	if !strings.HasPrefix(r.path, "/") {
		r.path = "/" + r.path
	}
	return r
}

// describes reports whether a request matches as describe says it.
func describes(m *selector.RequestMatch, r request) bool {
	if m == nil {
		return true
	}
	if u := m.URI; u != nil {
		path := r.path
		fold := func(s string) string { return s }
		if u.IgnoreCase {
			fold = strings.ToLower
		}
		switch {
		case u.Exact != nil && fold(path) != fold(*u.Exact), u.Prefix != nil && !strings.HasPrefix(fold(path), fold(*u.Prefix)),
			u.Suffix != nil && !strings.HasSuffix(path, *u.Suffix), u.Regex != nil && !fullMatch(*u.Regex, path):
			return false
		}
	}
	if m.Method != "" && m.Method != r.method {
		return false
	}
	for _, h := range m.Headers {
		value, present := r.header(h.Name)
		matches := present && (h.Value == "" || (h.Regex && fullMatch(h.Value, value)) || (!h.Regex && h.Value == value))
		if matches == h.InvertMatch {
			return false
		}
	}
	for _, q := range m.QueryParameters {
		value, present := r.query[q.Name]
		if !present || !(q.Value == "" || (q.Regex && fullMatch(q.Value, value)) || (!q.Regex && q.Value == value)) {
			return false
		}
	}
	return true
}

// defaultRetries is how often a proxy repeats a request unless told otherwise.
const defaultRetries = "2"

// outcomeOf is what describe says about a request.
func outcomeOf(p *pipeline, w *world.Workload, d *world.Destination, port uint32, routes []*policy.Route, r request) outcome {
	hostname, _, _ := p.world.result.Reach(w, d)
	o := outcome{Retries: defaultRetries, Targets: []string{fmt.Sprintf("outbound|%d||%s 100", port, hostname)}}
	for _, candidate := range routes {
		if !describes(candidate.Match, r) {
			continue
		}
		for _, s := range candidate.Settings {
			switch v := s.Value.(type) {
			case *core.Duration:
				o.Timeout = v.Std().Truncate(time.Millisecond)
			case *networkingv1.RetryPolicy:
				o.Retries = retriesText(uint32(v.Attempts), v.PerTryTimeout)
			case *networkingv1.FaultInjection:
				o.Fault = faultText(v)
			case *networkingv1.CORSPolicy:
				o.CORS = corsText(v)
			case *networkingv1.HeaderManipulation:
				o.Headers = headersText(v)
			case *networkingv1.Mirror:
				if *v.Percentage > 0 {
					o.Mirror = fmt.Sprintf("%s %v", p.clusterName(w, *v.KubeService, v.Port, nil), *v.Percentage)
				}
			case *networkingv1.MultiDestination:
				o.Targets = nil
				for _, to := range v.Destinations {
					weight := *to.Weight
					if len(v.Destinations) == 1 {
						weight = 100
					}
					if weight == 0 {
						continue
					}
					text := fmt.Sprintf("%s %d", p.clusterName(w, core.ClusterObjectRef{Name: to.KubeService.Name, Namespace: to.KubeService.Namespace, ClusterName: to.KubeService.ClusterName}, to.KubeService.Port, to.KubeService.Subset), weight)
					if to.Options != nil && to.Options.HeaderManipulation != nil {
						text += headersText(to.Options.HeaderManipulation)
					}
					o.Targets = append(o.Targets, text)
				}
			}
		}
		break
	}
	return o
}

func (p *pipeline) clusterName(w *world.Workload, ref core.ClusterObjectRef, port uint32, subset map[string]string) string {
	d := p.world.result.World.Service(ref)
	hostname, _, _ := p.world.result.Reach(w, d)
	name := ""
	if len(subset) > 0 {
		name = "unknown"
		for _, o := range p.world.clusters[d.Ref.ClusterName] { // others do not know the labels
			if rule, ok := o.Spec.(*networking.DestinationRule); ok && rule.Host == d.Hostname {
				for _, s := range rule.Subsets {
					if maps.Equal(s.Labels, subset) {
						name = s.Name
					}
				}
			}
		}
	}
	return fmt.Sprintf("outbound|%d|%s|%s", port, name, hostname)
}

func retriesText(attempts uint32, perTry *core.Duration) string {
	text := fmt.Sprintf("%d", attempts)
	if perTry != nil && attempts > 0 {
		text += " of " + perTry.Std().Truncate(time.Millisecond).String()
	}
	return text
}

func faultText(f *networkingv1.FaultInjection) string {
	switch {
	case *f.Percentage == 0:
		return ""
	case f.Abort != nil:
		return fmt.Sprintf("abort %d %v", f.Abort.HTTPStatus, *f.Percentage)
	case f.FixedDelay != nil:
		return fmt.Sprintf("delay %s %v", f.FixedDelay.Std(), *f.Percentage)
	}
	return ""
}

func corsText(c *networkingv1.CORSPolicy) string {
	var origins []string
	for _, o := range c.AllowOrigins {
		// Istio's origins have neither suffixes nor a way to ignore case.
		pattern := ""
		switch {
		case o.Suffix != nil:
			pattern = ".*" + regexp.QuoteMeta(*o.Suffix) + "$"
		case o.IgnoreCase && o.Exact != nil:
			pattern = "(?i)" + regexp.QuoteMeta(*o.Exact)
		case o.IgnoreCase && o.Prefix != nil:
			pattern = "(?i)" + regexp.QuoteMeta(*o.Prefix) + ".*"
		}
		switch {
		case pattern != "":
			origins = append(origins, "regex "+pattern)
		case o.Exact != nil:
			origins = append(origins, "exact "+*o.Exact)
		case o.Regex != nil:
			origins = append(origins, "regex "+*o.Regex)
		case o.Prefix != nil:
			origins = append(origins, "prefix "+*o.Prefix)
		}
	}
	age := ""
	if c.MaxAge != nil {
		age = fmt.Sprint(int64(c.MaxAge.Std().Seconds()))
	}
	return fmt.Sprint(origins, strings.Join(c.AllowMethods, ","), strings.Join(c.AllowHeaders, ","), strings.Join(c.ExposeHeaders, ","), age, c.AllowCredentials != nil && *c.AllowCredentials)
}

func headersText(h *networkingv1.HeaderManipulation) string {
	add := func(m map[string]string) []string {
		var texts []string
		for k, v := range m {
			if strings.EqualFold(k, "host") {
				k = ":authority"
			}
			texts = append(texts, k+"="+v)
		}
		slices.Sort(texts)
		return texts
	}
	if len(h.AppendRequestHeaders)+len(h.AppendResponseHeaders)+len(h.RemoveRequestHeaders)+len(h.RemoveResponseHeaders) == 0 {
		return ""
	}
	return fmt.Sprint(add(h.AppendRequestHeaders), h.RemoveRequestHeaders, add(h.AppendResponseHeaders), h.RemoveResponseHeaders)
}

func envoyHeaders(host string, request, response []*corev1.HeaderValueOption, removeRequest, removeResponse []string) string {
	if host != "" {
		request = append(slices.Clip(request), &corev1.HeaderValueOption{Header: &corev1.HeaderValue{Key: ":authority", Value: host}})
	}
	add := func(options []*corev1.HeaderValueOption) []string {
		var texts []string
		for _, o := range options {
			texts = append(texts, o.Header.Key+"="+o.Header.Value)
		}
		slices.Sort(texts)
		return texts
	}
	if len(request)+len(response)+len(removeRequest)+len(removeResponse) == 0 {
		return ""
	}
	return fmt.Sprint(add(request), removeRequest, add(response), removeResponse)
}

// envoyOutcome is what a proxy does with the requests of a route.
func envoyOutcome(r *route.Route) outcome {
	if r == nil {
		return outcome{Targets: []string{"no route"}}
	}
	action := r.GetRoute()
	if action == nil {
		return outcome{Targets: []string{fmt.Sprintf("%T", r.Action)}}
	}
	o := outcome{Timeout: action.Timeout.AsDuration(), Retries: "0"}
	if retry := action.RetryPolicy; retry != nil {
		o.Retries = fmt.Sprint(retry.NumRetries.GetValue())
		if retry.PerTryTimeout != nil {
			o.Retries += " of " + retry.PerTryTimeout.AsDuration().String()
		}
	}
	if any := r.TypedPerFilterConfig["envoy.filters.http.fault"]; any != nil {
		f := &fault.HTTPFault{}
		if err := any.UnmarshalTo(f); err != nil {
			panic(err)
		}
		if f.Abort != nil && f.Abort.Percentage.GetNumerator() > 0 {
			o.Fault += fmt.Sprintf("abort %d %v", f.Abort.GetHttpStatus(), fraction(f.Abort.Percentage))
		}
		if f.Delay != nil && f.Delay.Percentage.GetNumerator() > 0 {
			o.Fault += fmt.Sprintf("delay %s %v", f.Delay.GetFixedDelay().AsDuration(), fraction(f.Delay.Percentage))
		}
	}
	if any := r.TypedPerFilterConfig["envoy.filters.http.cors"]; any != nil {
		c := &cors.CorsPolicy{}
		if err := any.UnmarshalTo(c); err != nil {
			panic(err)
		}
		var origins []string
		for _, m := range c.AllowOriginStringMatch {
			switch p := m.MatchPattern.(type) {
			case *matcher.StringMatcher_Exact:
				origins = append(origins, "exact "+p.Exact)
			case *matcher.StringMatcher_Prefix:
				origins = append(origins, "prefix "+p.Prefix)
			case *matcher.StringMatcher_SafeRegex:
				origins = append(origins, "regex "+p.SafeRegex.Regex)
			}
		}
		o.CORS = fmt.Sprint(origins, c.AllowMethods, c.AllowHeaders, c.ExposeHeaders, c.MaxAge, c.AllowCredentials.GetValue())
	}
	for _, m := range action.RequestMirrorPolicies {
		o.Mirror = fmt.Sprintf("%s %v", m.Cluster, fraction(m.RuntimeFraction.GetDefaultValue()))
	}
	o.Headers = envoyHeaders(action.GetHostRewriteLiteral(), r.RequestHeadersToAdd, r.ResponseHeadersToAdd, r.RequestHeadersToRemove, r.ResponseHeadersToRemove)
	if weighted := action.GetWeightedClusters(); weighted != nil {
		for _, c := range weighted.Clusters {
			text := fmt.Sprintf("%s %d", c.Name, c.Weight.GetValue())
			text += envoyHeaders(c.GetHostRewriteLiteral(), c.RequestHeadersToAdd, c.ResponseHeadersToAdd, c.RequestHeadersToRemove, c.ResponseHeadersToRemove)
			if c.Weight.GetValue() > 0 {
				o.Targets = append(o.Targets, text)
			}
		}
	} else {
		o.Targets = []string{action.GetCluster() + " 100"}
	}
	return o
}

func fraction(f *types.FractionalPercent) float64 {
	switch f.GetDenominator() {
	case types.FractionalPercent_HUNDRED:
		return float64(f.Numerator)
	case types.FractionalPercent_TEN_THOUSAND:
		return float64(f.Numerator) / 100
	default:
		return float64(f.GetNumerator()) / 10000
	}
}
