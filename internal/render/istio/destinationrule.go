package istio

import (
	"slices"
	"time"

	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// destinationRule renders the connection settings and subsets of a host
// (semantics 5.3).
func (r *Renderer) destinationRule(host string, settings []policy.ConnectionSetting, subsets []subset) *networking.DestinationRule {
	general := effectiveSettings{mode: r.result.DefaultTLSMode()}
	var ports []uint32
	for _, s := range settings {
		ports = append(ports, s.Ports...)
		if len(s.Ports) == 0 {
			general.add(s)
		}
	}
	rule := &networking.DestinationRule{
		Host: host, Subsets: renderedSubsets(subsets),
		TrafficPolicy: &networking.TrafficPolicy{
			ConnectionPool: general.connectionPool(), OutlierDetection: outliers(general.outliers), Tls: clientTLS(general.mode),
		},
	}
	slices.Sort(ports)
	for _, port := range slices.Compact(ports) {
		// What a port says replaces everything that is said about all ports, so it
		// repeats what holds there, too.
		special := effectiveSettings{mode: r.result.DefaultTLSMode()}
		for _, s := range settings {
			if len(s.Ports) == 0 || slices.Contains(s.Ports, port) {
				special.add(s)
			}
		}
		rule.TrafficPolicy.PortLevelSettings = append(rule.TrafficPolicy.PortLevelSettings, &networking.TrafficPolicy_PortTrafficPolicy{
			Port: portSelector(port), ConnectionPool: special.connectionPool(), OutlierDetection: outliers(special.outliers), Tls: clientTLS(special.mode),
		})
	}
	return rule
}

// bareRule only names the subsets of a host.
func bareRule(host string, subsets []subset) *networking.DestinationRule {
	return &networking.DestinationRule{Host: host, Subsets: renderedSubsets(subsets)}
}

// ruleParents returns what a rule comes from.
func (r *Renderer) ruleParents(settings []policy.ConnectionSetting, subsets []subset) []policy.ObjectID {
	parents := subsetParents(subsets)
	for _, s := range settings {
		if s.Policy >= 0 {
			parents = append(parents, r.trafficParent(s.Policy))
		} else {
			parents = append(parents, parentOf(kindVirtualMesh, &s.VirtualMesh.Resource.ObjectMeta))
		}
	}
	return parents
}

// effectiveSettings are the connection settings of one port, or of all.
type effectiveSettings struct {
	mode      networkingv1.TLSMode
	outliers  *networkingv1.OutlierDetection
	pool      *networkingv1.ConnectionPoolSettings
	keepalive *core.TCPKeepalive
}

func (e *effectiveSettings) add(s policy.ConnectionSetting) {
	switch value := s.Value.(type) {
	case *networkingv1.MTLS:
		e.mode = value.Istio.TLSMode
	case *networkingv1.OutlierDetection:
		e.outliers = value
	case *networkingv1.ConnectionPoolSettings:
		e.pool = value
	case *core.TCPKeepalive:
		e.keepalive = value
	}
}

// connectionPool renders the limits of connections; a keepalive of its own
// goes before that of the VirtualMesh (semantics D26).
func (e *effectiveSettings) connectionPool() *networking.ConnectionPoolSettings {
	rendered := &networking.ConnectionPoolSettings{}
	keepalive := e.keepalive
	if e.pool != nil {
		if tcp := e.pool.TCP; tcp != nil {
			rendered.Tcp = &networking.ConnectionPoolSettings_TCPSettings{
				MaxConnections: tcp.MaxConnections, ConnectTimeout: duration(tcp.ConnectTimeout, time.Millisecond),
			}
			if tcp.TCPKeepalive != nil {
				keepalive = tcp.TCPKeepalive
			}
		}
		rendered.Http = httpPool(e.pool.HTTP)
	}
	if keepalive != nil {
		if rendered.Tcp == nil {
			rendered.Tcp = &networking.ConnectionPoolSettings_TCPSettings{}
		}
		rendered.Tcp.TcpKeepalive = &networking.ConnectionPoolSettings_TCPSettings_TcpKeepalive{
			Probes: keepalive.Probes, Time: duration(keepalive.Time, time.Millisecond), Interval: duration(keepalive.Interval, time.Millisecond),
		}
	}
	if rendered.Tcp == nil && rendered.Http == nil {
		return nil
	}
	return rendered
}

func httpPool(http *networkingv1.HTTPSettings) *networking.ConnectionPoolSettings_HTTPSettings {
	if http == nil {
		return nil
	}
	rendered := &networking.ConnectionPoolSettings_HTTPSettings{
		Http1MaxPendingRequests: http.HTTP1MaxPendingRequests, Http2MaxRequests: http.HTTP2MaxRequests,
		MaxRequestsPerConnection: http.MaxRequestsPerConnection, MaxRetries: http.MaxRetries,
		IdleTimeout: duration(http.IdleTimeout, time.Millisecond), UseClientProtocol: http.UseClientProtocol,
	}
	switch http.H2UpgradePolicy.OrDefault() {
	case networkingv1.H2UpgradePolicyDoNotUpgrade:
		rendered.H2UpgradePolicy = networking.ConnectionPoolSettings_HTTPSettings_DO_NOT_UPGRADE
	case networkingv1.H2UpgradePolicyUpgrade:
		rendered.H2UpgradePolicy = networking.ConnectionPoolSettings_HTTPSettings_UPGRADE
	case networkingv1.H2UpgradePolicyDefault:
	}
	return rendered
}

func outliers(o *networkingv1.OutlierDetection) *networking.OutlierDetection {
	if o == nil {
		return nil
	}
	return &networking.OutlierDetection{
		Consecutive_5XxErrors: wrapperspb.UInt32(o.ConsecutiveErrors),
		Interval:              duration(o.Interval, time.Millisecond),
		BaseEjectionTime:      duration(o.BaseEjectionTime, time.Millisecond),
		MaxEjectionPercent:    int32(o.MaxEjectionPercent), //nolint:gosec // at most 100
	}
}

func clientTLS(mode networkingv1.TLSMode) *networking.ClientTLSSettings {
	settings := &networking.ClientTLSSettings{}
	switch mode {
	case networkingv1.TLSModeSimple:
		settings.Mode = networking.ClientTLSSettings_SIMPLE
	case networkingv1.TLSModeIstioMutual:
		settings.Mode = networking.ClientTLSSettings_ISTIO_MUTUAL
	case networkingv1.TLSModeDisable:
	}
	return settings
}
