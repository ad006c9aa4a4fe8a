package istiocheck

import (
	"fmt"
	"slices"
	"testing"

	cluster "github.com/envoyproxy/go-control-plane/envoy/config/cluster/v3"
	"github.com/google/go-cmp/cmp"
	"istio.io/istio/pilot/pkg/model"
	"istio.io/istio/pkg/config/protocol"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// connection is how connections to a port of a service are made.
type connection struct {
	TLS, Outliers, Keepalive string
	ConnectTimeout           string
	MaxConnections           uint32
	Pending, Requests        uint32
	Retries                  uint32
}

const unlimited = 4294967295

func (p *pipeline) compareConnection(t *testing.T, w *world.Workload, d *world.Destination, service *model.Service, clusters map[string]*cluster.Cluster) {
	settings := p.world.result.Connection(w, d.ID)
	for _, port := range service.Ports {
		if port.Protocol == protocol.UDP {
			continue
		}
		number := uint32(port.Port)
		want := connection{TLS: string(p.world.result.DefaultTLSMode()), ConnectTimeout: "10s", MaxConnections: unlimited, Pending: unlimited, Requests: unlimited, Retries: unlimited}
		if _, via, _ := p.world.result.Reach(w, d); via != policy.ViaGateway && p.world.result.LeavesTLSMode(d) {
			want.TLS = "AUTO" // proxies choose for each pod
		}
		var own *core.TCPKeepalive
		for _, s := range settings {
			if len(s.Ports) > 0 && !slices.Contains(s.Ports, number) {
				continue
			}
			switch v := s.Value.(type) {
			case *networkingv1.MTLS:
				want.TLS = string(v.Istio.TLSMode)
			case *networkingv1.OutlierDetection:
				want.Outliers = fmt.Sprint(v.ConsecutiveErrors, " ", v.Interval.Std(), " ", v.BaseEjectionTime.Std(), " ", v.MaxEjectionPercent)
			case *core.TCPKeepalive:
				if own == nil {
					want.Keepalive = keepaliveText(v)
				}
			case *networkingv1.ConnectionPoolSettings:
				if v.TCP != nil {
					if v.TCP.MaxConnections > 0 {
						want.MaxConnections = uint32(v.TCP.MaxConnections)
					}
					if v.TCP.ConnectTimeout != nil && v.TCP.ConnectTimeout.Std() > 0 {
						want.ConnectTimeout = v.TCP.ConnectTimeout.Std().String()
					}
					if v.TCP.TCPKeepalive != nil {
						own = v.TCP.TCPKeepalive
						want.Keepalive = keepaliveText(own)
					}
				}
				if v.HTTP != nil {
					if v.HTTP.HTTP1MaxPendingRequests > 0 {
						want.Pending = uint32(v.HTTP.HTTP1MaxPendingRequests)
					}
					if v.HTTP.HTTP2MaxRequests > 0 {
						want.Requests = uint32(v.HTTP.HTTP2MaxRequests)
					}
					if v.HTTP.MaxRetries > 0 {
						want.Retries = uint32(v.HTTP.MaxRetries)
					}
				}
			}
		}
		name := fmt.Sprintf("outbound|%d||%s", port.Port, service.Hostname)
		c := clusters[name]
		if c == nil {
			t.Errorf("%s: there is no cluster %s", w.Name, name)
			continue
		}
		if diff := cmp.Diff(want, envoyConnection(c)); diff != "" {
			t.Errorf("%s: %s (-describe +istio)\n%s", w.Name, name, diff)
		}
	}
}

func keepaliveText(k *core.TCPKeepalive) string {
	text := fmt.Sprint(k.Probes)
	for _, d := range []*core.Duration{k.Time, k.Interval} {
		if d == nil {
			text += " 0"
		} else {
			text += fmt.Sprint(" ", int64(d.Std().Seconds()))
		}
	}
	return text
}

func envoyConnection(c *cluster.Cluster) connection {
	got := connection{TLS: "DISABLE", ConnectTimeout: c.ConnectTimeout.AsDuration().String()}
	switch {
	case len(c.TransportSocketMatches) > 0:
		got.TLS = "AUTO"
	case c.TransportSocket != nil:
		got.TLS = "SIMPLE"
		if len(c.GetTransportSocket().GetTypedConfig().GetValue()) > 0 && c.Metadata.GetFilterMetadata()["istio"] != nil && hasClientCertificate(c) {
			got.TLS = "ISTIO_MUTUAL"
		}
	}
	if o := c.OutlierDetection; o != nil && o.Consecutive_5Xx.GetValue()+o.EnforcingConsecutive_5Xx.GetValue() > 0 {
		got.Outliers = fmt.Sprint(o.Consecutive_5Xx.GetValue(), " ", o.Interval.AsDuration(), " ", o.BaseEjectionTime.AsDuration(), " ", o.MaxEjectionPercent.GetValue())
	}
	if k := c.GetUpstreamConnectionOptions().GetTcpKeepalive(); k != nil {
		got.Keepalive = fmt.Sprint(k.KeepaliveProbes.GetValue(), " ", k.KeepaliveTime.GetValue(), " ", k.KeepaliveInterval.GetValue())
	}
	for _, thresholds := range c.GetCircuitBreakers().GetThresholds() {
		got.MaxConnections, got.Pending = thresholds.MaxConnections.GetValue(), thresholds.MaxPendingRequests.GetValue()
		got.Requests, got.Retries = thresholds.MaxRequests.GetValue(), thresholds.MaxRetries.GetValue()
	}
	return got
}
