package istio

import (
	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// virtualService renders the routes for requests from a cluster to a Destination,
// and returns the policies they come from; nil if there are none. There is one
// route per match and port, the most specific first.
func (r *Renderer) virtualService(host string, d *world.Destination, cluster string, t *traffic) (*networking.VirtualService, []world.ObjectID) {
	routes := r.result.RoutesByPort(cluster, d.ID)
	if len(routes) == 0 {
		return nil, nil
	}
	writer := routeWriter{Renderer: r, host: host, cluster: cluster, destination: d, omissions: map[int]bool{}, traffic: t}
	service := &networking.VirtualService{Hosts: []string{host}, ExportTo: everywhere(), Http: make([]*networking.HTTPRoute, 0, len(routes))}
	contributing := map[int]bool{}
	for _, route := range routes {
		service.Http = append(service.Http, writer.route(route))
		for _, setting := range route.Settings {
			contributing[setting.Policy] = true
		}
	}
	parents := make([]world.ObjectID, 0, len(contributing)+1)
	for i := range contributing {
		parents = append(parents, r.trafficParent(i))
	}
	return service, parents
}

// routeWriter writes the routes of one Destination for one cluster.
type routeWriter struct {
	*Renderer
	host, cluster string
	destination   *world.Destination
	traffic       *traffic
	// omissions are the policies with a recorded omission.
	omissions map[int]bool
}

func (w *routeWriter) route(route *policy.Route) *networking.HTTPRoute {
	http := &networking.HTTPRoute{Match: []*networking.HTTPMatchRequest{matchRequest(route)}}
	writer := &routeSettings{routeWriter: w, http: http}
	for _, writer.setting = range route.Settings {
		w.features.Of(writer.setting.Field).VisitRequests(writer, writer.setting.Value)
	}
	if len(http.Route) == 0 { // to the Destination itself
		http.Route = []*networking.HTTPRouteDestination{{
			Destination: &networking.Destination{Host: w.host, Port: portSelector(route.Ports[0])},
		}}
	}
	return http
}

func portSelector(number uint32) *networking.PortSelector {
	if number == 0 {
		return nil
	}
	return &networking.PortSelector{Number: number}
}

// matchRequest renders the match of a route, which has one port.
func matchRequest(route *policy.Route) *networking.HTTPMatchRequest {
	match := &networking.HTTPMatchRequest{
		Port: route.Ports[0], SourceLabels: route.Source.Labels, SourceNamespace: route.Source.Namespace,
	}
	m := route.Match
	if m == nil {
		return match
	}
	if m.URI != nil {
		match.Uri, match.IgnoreUriCase = pathMatch(m.URI), m.URI.IgnoreCase
	}
	if m.Method != "" {
		match.Method = exactly(m.Method)
	}
	for _, h := range m.Headers {
		into := &match.Headers
		if h.InvertMatch {
			into = &match.WithoutHeaders
		}
		if *into == nil {
			*into = map[string]*networking.StringMatch{}
		}
		(*into)[h.Name] = valueMatch(h.Value, h.Regex)
	}
	for _, q := range m.QueryParameters {
		if match.QueryParams == nil {
			match.QueryParams = map[string]*networking.StringMatch{}
		}
		match.QueryParams[q.Name] = valueMatch(q.Value, q.Regex)
	}
	return match
}

// pathMatch renders a path match. Istio has no suffix match (D10).
func pathMatch(m *core.StringMatch) *networking.StringMatch {
	if m.Suffix != nil && m.Exact == nil && m.Prefix == nil && m.Regex == nil {
		return &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: selector.SuffixPattern(*m.Suffix)}}
	}
	return stringMatch(m)
}

func stringMatch(m *core.StringMatch) *networking.StringMatch {
	switch {
	case m.Exact != nil:
		return exactly(*m.Exact)
	case m.Regex != nil:
		return &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: *m.Regex}}
	case m.Prefix != nil:
		return &networking.StringMatch{MatchType: &networking.StringMatch_Prefix{Prefix: *m.Prefix}}
	default:
		return nil
	}
}

// valueMatch renders the condition on a header or query parameter; an empty value
// means that it must be present (D10).
func valueMatch(value string, regex bool) *networking.StringMatch {
	switch {
	case value == "":
		return &networking.StringMatch{}
	case regex:
		return &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: value}}
	default:
		return exactly(value)
	}
}

func exactly(text string) *networking.StringMatch {
	return &networking.StringMatch{MatchType: &networking.StringMatch_Exact{Exact: text}}
}
