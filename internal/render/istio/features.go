package istio

import (
	"fmt"

	"google.golang.org/protobuf/types/known/durationpb"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/selector"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// routeSettings writes request features into one route. It
// implements feature.Requests, so that the build fails if a feature has no method
// here.
type routeSettings struct {
	*routeWriter
	http *networking.HTTPRoute
	// setting is the setting being written.
	setting policy.Setting
}

// RequestTimeout sets the timeout of the route.
func (s *routeSettings) RequestTimeout(value *core.Duration) {
	s.http.Timeout = duration(value)
}

// Retries sets the retries of the route.
func (s *routeSettings) Retries(value *networkingv1.RetryPolicy) { s.http.Retries = retries(value) }

// FaultInjection sets the fault of the route.
func (s *routeSettings) FaultInjection(value *networkingv1.FaultInjection) {
	s.http.Fault = fault(value)
}

// CORSPolicy sets the CORS policy of the route.
func (s *routeSettings) CORSPolicy(value *networkingv1.CORSPolicy) { s.http.CorsPolicy = cors(value) }

// HeaderManipulation sets the headers that are added and removed.
func (s *routeSettings) HeaderManipulation(value *networkingv1.HeaderManipulation) {
	s.http.Headers = headers(value)
}

// Mirror mirrors the requests to a Service that the cluster knows.
func (s *routeSettings) Mirror(value *networkingv1.Mirror) {
	if host, known := s.target(*value.KubeService, s.setting); known {
		s.http.Mirror = &networking.Destination{Host: host, Port: portSelector(value.Port)}
		s.http.MirrorPercentage = percent(value.Percentage)
	}
}

// TrafficShift shifts the requests to Services that the cluster knows.
func (s *routeSettings) TrafficShift(value *networkingv1.MultiDestination) {
	s.http.Route = s.shift(value, s.setting)
}

// shift renders the targets of a shift; nil if the cluster does not know one of
// the Services.
func (w *routeWriter) shift(value *networkingv1.MultiDestination, setting policy.Setting) []*networking.HTTPRouteDestination {
	route := make([]*networking.HTTPRouteDestination, 0, len(value.Destinations))
	for _, d := range value.Destinations {
		ref := feature.ShiftTarget(d.KubeService)
		host, known := w.target(ref, setting)
		if !known {
			return nil
		}
		to := &networking.HTTPRouteDestination{
			Destination: &networking.Destination{Host: host, Port: portSelector(d.KubeService.Port)},
			Weight:      int32(*d.Weight), //nolint:gosec // at most 100
		}
		if len(d.KubeService.Subset) > 0 {
			to.Destination.Subset = w.subsetName(w.world.Service(ref), d.KubeService.Subset)
		}
		if d.Options != nil && d.Options.HeaderManipulation != nil {
			to.Headers = headers(d.Options.HeaderManipulation)
		}
		route = append(route, to)
	}
	return route
}

// target returns the host name of a target in the cluster. An unknown target is
// recorded as an omission once per policy.
func (w *routeWriter) target(ref core.ClusterObjectRef, setting policy.Setting) (string, bool) {
	d := w.world.Service(ref)
	host, known := w.hostFrom(w.cluster, d)
	if !known && !w.omissions[setting.Policy] {
		w.omissions[setting.Policy] = true
		w.traffic.omissions = append(w.traffic.omissions, Omission{
			Object: w.result.TrafficPolicies[setting.Policy].ID(), Cluster: w.cluster, Targets: []string{w.destination.Key()},
			Reason: fmt.Sprintf("%s: %s.%s.%s is not known in cluster %s, the source of the requests", setting.Field, ref.Name, ref.Namespace, ref.ClusterName, w.cluster),
		})
	}
	return host, known
}

// duration renders a duration. A policy with one that Istio cannot represent is
// INVALID, so nothing is rounded.
func duration(d *core.Duration) *durationpb.Duration {
	if d == nil {
		return nil
	}
	return durationpb.New(max(d.Std(), 0))
}

// retries renders retries. With 0 attempts, all other fields are omitted.
func retries(r *networkingv1.RetryPolicy) *networking.HTTPRetry {
	if r.Attempts == 0 {
		return &networking.HTTPRetry{}
	}
	return &networking.HTTPRetry{Attempts: r.Attempts, PerTryTimeout: duration(r.PerTryTimeout)}
}

func percent(p *float64) *networking.Percent { return &networking.Percent{Value: *p} }

func fault(f *networkingv1.FaultInjection) *networking.HTTPFaultInjection {
	switch {
	case f.Abort != nil:
		return &networking.HTTPFaultInjection{Abort: &networking.HTTPFaultInjection_Abort{
			ErrorType:  &networking.HTTPFaultInjection_Abort_HttpStatus{HttpStatus: f.Abort.HTTPStatus},
			Percentage: percent(f.Percentage),
		}}
	case f.FixedDelay != nil:
		return &networking.HTTPFaultInjection{Delay: &networking.HTTPFaultInjection_Delay{
			HttpDelayType: &networking.HTTPFaultInjection_Delay_FixedDelay{FixedDelay: duration(f.FixedDelay)},
			Percentage:    percent(f.Percentage),
		}}
	default:
		return nil
	}
}

func cors(c *networkingv1.CORSPolicy) *networking.CorsPolicy {
	rendered := &networking.CorsPolicy{
		AllowMethods: c.AllowMethods, AllowHeaders: c.AllowHeaders, ExposeHeaders: c.ExposeHeaders,
		MaxAge: duration(c.MaxAge),
	}
	for i := range c.AllowOrigins {
		if origin := originMatch(&c.AllowOrigins[i]); origin != nil {
			rendered.AllowOrigins = append(rendered.AllowOrigins, origin)
		}
	}
	if c.AllowCredentials != nil {
		rendered.AllowCredentials = wrapperspb.Bool(*c.AllowCredentials)
	}
	return rendered
}

func originMatch(m *core.StringMatch) *networking.StringMatch {
	if pattern := selector.OriginPattern(m); pattern != "" {
		return &networking.StringMatch{MatchType: &networking.StringMatch_Regex{Regex: pattern}}
	}
	return stringMatch(m)
}

func headers(h *networkingv1.HeaderManipulation) *networking.Headers {
	return &networking.Headers{
		Request:  &networking.Headers_HeaderOperations{Add: h.AppendRequestHeaders, Remove: h.RemoveRequestHeaders},
		Response: &networking.Headers_HeaderOperations{Add: h.AppendResponseHeaders, Remove: h.RemoveResponseHeaders},
	}
}
