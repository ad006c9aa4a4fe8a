package istio

import (
	"fmt"
	"slices"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/wrapperspb"
	networking "istio.io/api/networking/v1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// destinationRule renders the connection settings and subsets of a host whose pods
// clients call themselves. Without a TLS mode of its own, the client's proxy chooses
// one for each pod (D50).
func (r *Renderer) destinationRule(host string, d *world.Destination, settings []policy.ConnectionSetting, subsets []subset) *networking.DestinationRule {
	rule := bareRule(host, subsets)
	auto := r.result.LeavesTLSMode(d)
	rule.TrafficPolicy = r.settingsFor(settings, 0, auto).everyPort()
	for _, port := range settingPorts(settings) {
		rule.TrafficPolicy.PortLevelSettings = append(rule.TrafficPolicy.PortLevelSettings, r.settingsFor(settings, port, auto).onePort(port, ""))
	}
	if proto.Size(rule.TrafficPolicy) == 0 {
		rule.TrafficPolicy = nil
	}
	return rule
}

// bareRule renders a DestinationRule that only defines the subsets of a host.
func bareRule(host string, subsets []subset) *networking.DestinationRule {
	return &networking.DestinationRule{Host: host, ExportTo: everywhere(), Subsets: renderedSubsets(subsets)}
}

// gatewayRule renders the connection settings and subsets of a federated host
// that is reached through gateways. The SNI of the client selects the port and
// subset of the Service; the gateway selects the pods (D60).
func (r *Renderer) gatewayRule(e *export, settings []policy.ConnectionSetting, subsets []subset) *networking.DestinationRule {
	rule := &networking.DestinationRule{Host: e.hostname, ExportTo: everywhere(), TrafficPolicy: r.gatewayPolicy(e, settings, "")}
	for _, s := range subsets {
		rule.Subsets = append(rule.Subsets, &networking.Subset{Name: s.name, TrafficPolicy: r.gatewayPolicy(e, settings, s.name)})
	}
	return rule
}

// gatewayPolicy renders the connection settings of a federated host or of one of
// its subsets. Each one is complete: those of a subset replace those of the host,
// and not all versions of Istio fall back to the host's.
func (r *Renderer) gatewayPolicy(e *export, settings []policy.ConnectionSetting, subset string) *networking.TrafficPolicy {
	rendered := r.settingsFor(settings, 0, false).everyPort()
	ports := settingPorts(settings)
	for _, p := range e.ports {
		if p.Protocol != "UDP" { // gateways do not forward UDP
			ports = append(ports, p.Number)
		}
	}
	for _, port := range unique(ports) {
		name := serverName(e.destination.Hostname, port, subset)
		rendered.PortLevelSettings = append(rendered.PortLevelSettings, r.settingsFor(settings, port, false).onePort(port, name))
	}
	return rendered
}

// serverName returns the SNI for a port of a Service, or of one of its subsets,
// by which gateways forward a connection.
func serverName(hostname string, port uint32, subset string) string {
	return fmt.Sprintf("outbound_.%d_.%s_.%s", port, subset, hostname)
}

// settingPorts returns the ports to which settings are restricted, ascending.
func settingPorts(settings []policy.ConnectionSetting) []uint32 {
	var ports []uint32
	for _, s := range settings {
		ports = append(ports, s.Ports...)
	}
	return unique(ports)
}

func unique(ports []uint32) []uint32 {
	slices.Sort(ports)
	return slices.Compact(ports)
}

// settingsFor returns the settings of one port, or those for all ports if port is
// 0. In Istio, settings of a port replace all settings for all ports, so they are
// repeated. With auto, there is no TLS mode unless a setting has one.
func (r *Renderer) settingsFor(settings []policy.ConnectionSetting, port uint32, auto bool) *effectiveSettings {
	effective := &effectiveSettings{mode: r.result.DefaultTLSMode(), auto: auto}
	for _, s := range settings {
		if len(s.Ports) == 0 || slices.Contains(s.Ports, port) {
			r.features.Of(s.Field).VisitConnections(effective, s.Value)
		}
	}
	return effective
}

// everyPort renders the settings for all ports.
func (e *effectiveSettings) everyPort() *networking.TrafficPolicy {
	return &networking.TrafficPolicy{ConnectionPool: e.connectionPool(), OutlierDetection: outliers(e.outliers), Tls: e.clientTLS()}
}

// onePort renders the settings for one port, with an SNI unless name is empty.
// Through gateways only Istio's mutual TLS works with it.
func (e *effectiveSettings) onePort(port uint32, name string) *networking.TrafficPolicy_PortTrafficPolicy {
	tls := e.clientTLS()
	if tls != nil && e.mode == networkingv1.TLSModeIstioMutual {
		tls.Sni = name
	}
	return &networking.TrafficPolicy_PortTrafficPolicy{
		Port: portSelector(port), ConnectionPool: e.connectionPool(), OutlierDetection: outliers(e.outliers), Tls: tls,
	}
}

// ruleParents returns the objects that a rule was rendered from.
func (r *Renderer) ruleParents(settings []policy.ConnectionSetting, subsets []subset) []world.ObjectID {
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

// effectiveSettings are the connection settings of one port or of all ports. It
// implements feature.Connections, so that the build fails if a feature has no
// method here.
type effectiveSettings struct {
	mode      networkingv1.TLSMode
	auto      bool
	outliers  *networkingv1.OutlierDetection
	pool      *networkingv1.ConnectionPoolSettings
	keepalive *core.TCPKeepalive
}

// ConnectionPoolSettings sets the connection limits.
func (e *effectiveSettings) ConnectionPoolSettings(pool *networkingv1.ConnectionPoolSettings) {
	e.pool = pool
}

// MTLS sets the client-side TLS mode.
func (e *effectiveSettings) MTLS(mtls *networkingv1.MTLS) { e.mode, e.auto = mtls.Istio.TLSMode, false }

// OutlierDetection sets when endpoints are ejected.
func (e *effectiveSettings) OutlierDetection(o *networkingv1.OutlierDetection) { e.outliers = o }

// TCPKeepalive sets the keepalive that applies unless the connection limits have
// one.
func (e *effectiveSettings) TCPKeepalive(k *core.TCPKeepalive) { e.keepalive = k }

func (e *effectiveSettings) connectionPool() *networking.ConnectionPoolSettings {
	rendered := &networking.ConnectionPoolSettings{}
	keepalive := e.keepalive
	if e.pool != nil {
		if tcp := e.pool.TCP; tcp != nil {
			rendered.Tcp = &networking.ConnectionPoolSettings_TCPSettings{
				MaxConnections: tcp.MaxConnections, ConnectTimeout: duration(tcp.ConnectTimeout),
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
			Probes: keepalive.Probes, Time: duration(keepalive.Time), Interval: duration(keepalive.Interval),
		}
	}
	if rendered.Tcp != nil && proto.Size(rendered.Tcp) == 0 {
		rendered.Tcp = nil // it has no settings
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
		IdleTimeout: duration(http.IdleTimeout), UseClientProtocol: http.UseClientProtocol,
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
		Interval:              duration(o.Interval),
		BaseEjectionTime:      duration(o.BaseEjectionTime),
		MaxEjectionPercent:    int32(o.MaxEjectionPercent), //nolint:gosec // at most 100
	}
}

func (e *effectiveSettings) clientTLS() *networking.ClientTLSSettings {
	if e.auto {
		return nil
	}
	settings := &networking.ClientTLSSettings{}
	switch e.mode {
	case networkingv1.TLSModeSimple:
		settings.Mode = networking.ClientTLSSettings_SIMPLE
	case networkingv1.TLSModeIstioMutual:
		settings.Mode = networking.ClientTLSSettings_ISTIO_MUTUAL
	case networkingv1.TLSModeDisable:
	}
	return settings
}
