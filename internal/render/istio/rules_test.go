package istio_test

import (
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/types/known/durationpb"
	networking "istio.io/api/networking/v1"
	security "istio.io/api/security/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/render/istio"
)

// violations returns why Istio's own validation would reject an object, as far
// as that can be said without Istio.
func violations(o *istio.Object) []string {
	v := &violation{}
	v.name("metadata.name", o.Name)
	v.name("metadata.namespace", o.Namespace)
	switch spec := o.Spec.(type) {
	case *networking.VirtualService:
		v.virtualService(spec)
	case *networking.DestinationRule:
		v.destinationRule(spec)
	case *networking.ServiceEntry:
		v.serviceEntry(spec)
	case *networking.Gateway:
		v.gateway(spec)
	case *security.AuthorizationPolicy:
		v.authorizationPolicy(spec)
	case *security.PeerAuthentication:
		v.check(spec.Selector == nil && spec.Mtls != nil, "a mesh-wide PeerAuthentication has a mode and no selector")
	default:
		v.check(false, "unknown specification %T", spec)
	}
	for k, value := range o.Labels() {
		v.check(len(validation.IsQualifiedName(k)) == 0 && len(validation.IsValidLabelValue(value)) == 0, "label %s: %s", k, value)
	}
	return v.found
}

func checkRules(t *testing.T, objects []istio.Object) {
	t.Helper()
	for i := range objects {
		for _, reason := range violations(&objects[i]) {
			t.Errorf("Istio would reject %s: %s", objects[i].ID(), reason)
		}
	}
}

type violation struct{ found []string }

func (v *violation) check(ok bool, format string, args ...any) {
	if !ok {
		v.found = append(v.found, fmt.Sprintf(format, args...))
	}
}

func (v *violation) name(field, name string) {
	v.check(len(validation.IsDNS1123Subdomain(name)) == 0, "%s: %q", field, name)
}

func (v *violation) duration(field string, d *durationpb.Duration, least, unit time.Duration) {
	if d != nil {
		v.check(d.AsDuration() >= least && d.AsDuration()%unit == 0, "%s: %s", field, d.AsDuration())
	}
}

func (v *violation) port(field string, number uint32) {
	v.check(number > 0 && number < 65536, "%s: port %d", field, number)
}

func (v *violation) labels(field string, labels map[string]string) {
	for k, value := range labels {
		v.check(len(validation.IsQualifiedName(k)) == 0 && len(validation.IsValidLabelValue(value)) == 0, "%s: label %s: %s", field, k, value)
	}
}

func (v *violation) virtualService(s *networking.VirtualService) {
	v.check(len(s.Hosts) == 1 && len(s.Http) > 0, "a host and routes")
	v.check(slices.Equal(s.ExportTo, []string{"*"}), "exportTo %v", s.ExportTo)
	for _, host := range s.Hosts {
		v.name("hosts", host)
	}
	for i, route := range s.Http {
		at := fmt.Sprintf("http[%d]", i)
		v.check(len(route.Match) == 1, "%s has %d matches", at, len(route.Match))
		for _, m := range route.Match {
			v.match(at, m)
		}
		v.check(len(route.Route) > 0, "%s leads nowhere", at)
		total := int32(0)
		for _, to := range route.Route {
			v.destination(at, to.Destination)
			v.check(to.Weight >= 0, "%s: weight %d", at, to.Weight)
			total += to.Weight
			v.headers(at, to.Headers)
		}
		v.check(len(route.Route) == 1 || total == 100, "%s: weights sum to %d", at, total)
		v.features(at, route)
	}
}

func (v *violation) destination(at string, d *networking.Destination) {
	v.name(at+".destination.host", d.Host)
	v.check(d.Port != nil, "%s: no port", at)
	v.port(at+".destination", d.Port.GetNumber())
	v.check(d.Subset == "" || len(validation.IsDNS1123Label(d.Subset)) == 0, "%s: subset %q", at, d.Subset)
}

func (v *violation) features(at string, route *networking.HTTPRoute) {
	v.duration(at+".timeout", route.Timeout, time.Millisecond, time.Millisecond)
	if r := route.Retries; r != nil {
		v.check(r.Attempts > 0 || r.PerTryTimeout == nil, "%s: retries without attempts", at)
		v.duration(at+".retries", r.PerTryTimeout, time.Millisecond, time.Millisecond)
	}
	if f := route.Fault; f != nil {
		v.check(f.Abort != nil || f.Delay != nil, "%s: fault without abort and delay", at)
		v.duration(at+".fault.delay", f.GetDelay().GetFixedDelay(), time.Millisecond, time.Millisecond)
		if f.Abort != nil {
			v.check(f.Abort.GetHttpStatus() >= 200 && f.Abort.GetHttpStatus() <= 600, "%s: status %d", at, f.Abort.GetHttpStatus())
		}
	}
	if route.Mirror != nil {
		v.destination(at+".mirror", route.Mirror)
		v.check(route.MirrorPercentage != nil, "%s: mirror without percentage", at)
	}
	if c := route.CorsPolicy; c != nil {
		v.duration(at+".corsPolicy.maxAge", c.MaxAge, time.Millisecond, time.Second)
		for _, origin := range c.AllowOrigins {
			v.check(text(origin) != "", "%s: empty origin", at)
			v.stringMatch(at+".corsPolicy", origin)
		}
		for _, method := range c.AllowMethods {
			v.check(regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE|CONNECT|OPTIONS|TRACE|\*)$`).MatchString(method), "%s: method %q", at, method)
		}
		for _, name := range append(c.AllowHeaders, c.ExposeHeaders...) {
			v.check(name == "*" || headerName(name), "%s: header %q", at, name)
		}
	}
	v.headers(at, route.Headers)
}

func (v *violation) headers(at string, h *networking.Headers) {
	for _, operations := range []*networking.Headers_HeaderOperations{h.GetRequest(), h.GetResponse()} {
		for name := range operations.GetAdd() {
			v.check(headerName(name), "%s: header %q", at, name)
		}
		for _, name := range operations.GetRemove() {
			v.check(headerName(name), "%s: header %q", at, name)
		}
	}
}

func headerName(name string) bool { return regexp.MustCompile(`^[-_A-Za-z0-9]+$`).MatchString(name) }

func text(m *networking.StringMatch) string { return m.GetExact() + m.GetPrefix() + m.GetRegex() }

func (v *violation) match(at string, m *networking.HTTPMatchRequest) {
	v.port(at+".match", m.Port)
	v.labels(at+".match.sourceLabels", m.SourceLabels)
	v.stringMatch(at+".match.uri", m.Uri)
	v.check(!m.IgnoreUriCase || m.Uri.GetExact()+m.Uri.GetPrefix() != "", "%s: ignoreUriCase", at)
	v.stringMatch(at+".match.method", m.Method)
	for _, headers := range []map[string]*networking.StringMatch{m.Headers, m.WithoutHeaders} {
		for name, value := range headers {
			v.check(headerName(name), "%s: header %q", at, name)
			v.stringMatch(at+".match."+name, value)
		}
	}
	for name, value := range m.QueryParams {
		v.check(name != "", "%s: empty query parameter", at)
		v.stringMatch(at+".match."+name, value)
	}
	v.check(m.SourceNamespace == "" || len(validation.IsDNS1123Label(m.SourceNamespace)) == 0, "%s: source namespace %q", at, m.SourceNamespace)
}

func (v *violation) stringMatch(at string, m *networking.StringMatch) {
	if r, ok := m.GetMatchType().(*networking.StringMatch_Regex); ok {
		_, err := regexp.Compile(r.Regex)
		v.check(r.Regex != "" && err == nil, "%s: regular expression %q: %v", at, r.Regex, err)
	}
}

func (v *violation) destinationRule(r *networking.DestinationRule) {
	v.name("host", r.Host)
	v.check(slices.Equal(r.ExportTo, []string{"*"}), "exportTo %v", r.ExportTo)
	names, places := map[string]bool{}, map[string]bool{}
	for _, s := range r.Subsets {
		v.check(len(validation.IsDNS1123Label(s.Name)) == 0 && !names[s.Name], "subset %q", s.Name)
		names[s.Name] = true
		if s.TrafficPolicy != nil { // of a gateway, which picks the pods
			v.check(len(s.Labels) == 0, "subset %q: labels %v", s.Name, s.Labels)
			v.trafficPolicy(s.TrafficPolicy)
			continue
		}
		v.labels("subset "+s.Name, s.Labels)
		v.check(len(s.Labels) > 0 && !places[fmt.Sprint(s.Labels)], "subset %q: labels %v", s.Name, s.Labels)
		places[fmt.Sprint(s.Labels)] = true
	}
	v.check(r.TrafficPolicy != nil || len(r.Subsets) > 0, "it says nothing")
	if r.TrafficPolicy != nil {
		v.trafficPolicy(r.TrafficPolicy)
	}
}

func (v *violation) trafficPolicy(p *networking.TrafficPolicy) {
	v.connections(p.ConnectionPool, p.OutlierDetection)
	ports := map[uint32]bool{}
	for _, s := range p.PortLevelSettings {
		v.port("portLevelSettings", s.Port.GetNumber())
		v.check(!ports[s.Port.GetNumber()], "port %d twice", s.Port.GetNumber())
		ports[s.Port.GetNumber()] = true
		v.check(s.Tls != nil || p.Tls == nil, "port %d loses the TLS mode", s.Port.GetNumber())
		v.check(s.Tls.GetSni() == "" || s.Tls.GetMode() == networking.ClientTLSSettings_ISTIO_MUTUAL, "port %d: a name for %s", s.Port.GetNumber(), s.Tls.GetMode())
		v.connections(s.ConnectionPool, s.OutlierDetection)
	}
}

func (v *violation) connections(c *networking.ConnectionPoolSettings, o *networking.OutlierDetection) {
	if c != nil {
		v.check(c.Tcp != nil || c.Http != nil, "an empty connection pool")
		v.duration("tcp.connectTimeout", c.GetTcp().GetConnectTimeout(), time.Millisecond, time.Millisecond)
		v.duration("tcpKeepalive.time", c.GetTcp().GetTcpKeepalive().GetTime(), time.Millisecond, time.Millisecond)
		v.duration("tcpKeepalive.interval", c.GetTcp().GetTcpKeepalive().GetInterval(), time.Millisecond, time.Millisecond)
		v.duration("http.idleTimeout", c.GetHttp().GetIdleTimeout(), time.Millisecond, time.Millisecond)
		v.check(!c.GetHttp().GetUseClientProtocol() || c.GetHttp().GetH2UpgradePolicy() != networking.ConnectionPoolSettings_HTTPSettings_UPGRADE,
			"useClientProtocol contradicts h2UpgradePolicy")
	}
	if o != nil {
		v.duration("outlierDetection.interval", o.Interval, time.Millisecond, time.Millisecond)
		v.duration("outlierDetection.baseEjectionTime", o.BaseEjectionTime, time.Millisecond, time.Millisecond)
		v.check(o.MaxEjectionPercent >= 0 && o.MaxEjectionPercent <= 100, "maxEjectionPercent %d", o.MaxEjectionPercent)
	}
}

func (v *violation) serviceEntry(e *networking.ServiceEntry) {
	v.check(len(e.Hosts) == 1 && len(e.Ports) > 0 && len(e.Endpoints) <= 4096, "a host, ports and not too many endpoints")
	for _, host := range e.Hosts {
		v.name("hosts", host)
	}
	v.check(slices.Equal(e.ExportTo, []string{"*"}) && e.Location == networking.ServiceEntry_MESH_INTERNAL, "exportTo %v, location %s", e.ExportTo, e.Location)
	for _, address := range e.Addresses {
		parsed, err := netip.ParseAddr(address)
		v.check(err == nil && !netip.MustParsePrefix("240.240.0.0/16").Contains(parsed), "address %q", address)
	}
	names, numbers := map[string]bool{}, map[uint32]bool{}
	for _, p := range e.Ports {
		v.check(!names[p.Name] && !numbers[p.Number], "port %s %d twice", p.Name, p.Number)
		names[p.Name], numbers[p.Number] = true, true
		v.port("ports", p.Number)
		v.check(len(p.Name) < 63 && regexp.MustCompile(`^[a-zA-Z0-9]([-a-zA-Z0-9]*[a-zA-Z0-9])?$`).MatchString(p.Name), "port name %q", p.Name)
		v.check(regexp.MustCompile(`^(TCP|UDP|GRPC|GRPC-Web|HTTP|HTTP_PROXY|HTTP2|HTTPS|TLS|Mongo|Redis|MySQL)?$`).MatchString(p.Protocol), "protocol %q", p.Protocol)
	}
	v.check(e.Resolution == networking.ServiceEntry_STATIC || e.Resolution == networking.ServiceEntry_DNS, "resolution %s", e.Resolution)
	for _, endpoint := range e.Endpoints {
		_, err := netip.ParseAddr(endpoint.Address)
		if e.Resolution == networking.ServiceEntry_STATIC {
			v.check(err == nil, "endpoint address %q", endpoint.Address)
		} else if err != nil {
			v.name("endpoint address", endpoint.Address)
		}
		for name, port := range endpoint.Ports {
			v.check(names[name], "endpoint port %q is none of the entry", name)
			v.port("endpoint", port)
		}
		v.labels("endpoint", endpoint.Labels)
	}
}

func (v *violation) gateway(g *networking.Gateway) {
	v.check(len(g.Selector) > 0, "it selects every gateway")
	v.labels("selector", g.Selector)
	for _, s := range g.Servers {
		v.port("servers", s.Port.Number)
		v.check(len(s.Hosts) > 0 && s.Tls != nil && s.Tls.Mode == networking.ServerTLSSettings_AUTO_PASSTHROUGH, "server %v", s)
		v.check(slices.IsSorted(s.Hosts) && len(slices.Compact(slices.Clone(s.Hosts))) == len(s.Hosts), "hosts %v", s.Hosts)
		for _, host := range s.Hosts {
			v.name("hosts", host) // and no wildcard
		}
	}
}

func (v *violation) authorizationPolicy(p *security.AuthorizationPolicy) {
	v.check(p.Selector == nil || len(p.Selector.MatchLabels) > 0, "an empty selector covers the whole namespace")
	v.labels("selector", p.Selector.GetMatchLabels())
	v.check(p.Selector != nil || len(p.Rules) == 0, "rules for a whole namespace")
	v.check(len(p.Rules) <= 512, "%d rules", len(p.Rules))
	for i, rule := range p.Rules {
		at := fmt.Sprintf("rules[%d]", i)
		v.check(rule.From == nil || (len(rule.From) > 0 && len(rule.From) <= 512), "%s: %d sources", at, len(rule.From))
		for _, from := range rule.From {
			s := from.Source
			lists := [][]string{s.Principals, s.Namespaces, s.RequestPrincipals, s.NotRequestPrincipals, s.RemoteIpBlocks, s.NotRemoteIpBlocks}
			values := 0
			for _, list := range lists {
				values += len(list)
				for _, value := range list {
					v.check(value != "", "%s: an empty value", at)
				}
			}
			v.check(values > 0, "%s: an empty source", at)
			for _, block := range append(s.RemoteIpBlocks, s.NotRemoteIpBlocks...) {
				_, errIP := netip.ParseAddr(block)
				_, errPrefix := netip.ParsePrefix(block)
				v.check(errIP == nil || errPrefix == nil, "%s: address %q", at, block)
			}
		}
		for _, to := range rule.To {
			operation := to.Operation
			v.check(len(operation.Paths)+len(operation.Methods)+len(operation.Ports) > 0, "%s: an empty operation", at)
			for _, value := range append(append([]string{}, operation.Paths...), operation.Methods...) {
				v.check(value != "", "%s: an empty value", at)
			}
			for _, port := range operation.Ports {
				number, err := strconv.ParseUint(port, 10, 16)
				v.check(err == nil && number > 0, "%s: port %q", at, port)
			}
		}
	}
}
