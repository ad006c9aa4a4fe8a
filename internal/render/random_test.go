package render_test

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/meshctl/meshctl/internal/render"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// generator makes random inputs without contradictions. The same source of
// randomness gives the same inputs.
type generator struct{ random *rand.Rand }

func (g generator) below(n int) int { return g.random.IntN(n) }

// chance is true once in n times.
func (g generator) chance(n int) bool { return g.random.IntN(n) == 0 }

func pick[T any](g generator, values ...T) T { return values[g.random.IntN(len(values))] }

// maybe returns a value of make once in n times, else nil.
func maybe[T any](g generator, n int, value func() T) *T {
	if !g.chance(n) {
		return nil
	}
	v := value()
	return &v
}

// list returns up to two values, mostly none.
func list[T any](g generator, value func() T) []T {
	var values []T
	for range pick(g, 0, 0, 1, 2) {
		values = append(values, value())
	}
	return values
}

func always[T any](value T) func() T { return func() T { return value } }

func (g generator) name() string {
	return pick(g, "a", "web", "x-1", "0", "a-very-long-name-that-goes-on-and-on", "n", "true")
}
func (g generator) dotted() string { return pick(g, g.name(), "a.b", "c.d.example") }

// text returns something that is hard to quote.
func (g generator) text() string {
	return pick(g, "plain", "a,b", `"quoted"`, " blanks ", "a=b~c", `back\slash`, "ünïcödé 世界", "null", "1e3", "~", "- x", "{}", "# no comment",
		"long words that go on and on and on until they are longer than a line of most terminals and of the YAML writer  with two blanks", "'", "%", "a: b", "`", "\u00a0")
}

func (g generator) service() core.ClusterObjectRef {
	return core.ClusterObjectRef{Name: g.name(), Namespace: g.name(), ClusterName: g.dotted()}
}

func (g generator) object() core.ObjectRef {
	return core.ObjectRef{Name: g.dotted(), Namespace: g.name()}
}

func (g generator) labels() map[string]string {
	labels := map[string]string{}
	for range g.below(3) {
		labels[pick(g, "app", "version", "app.kubernetes.io/name", "A_b.c")] = pick(g, "", "v1", "A_b.c", "true")
	}
	if len(labels) == 0 {
		return nil
	}
	return labels
}

func (g generator) headers() map[string]string {
	headers := map[string]string{}
	for range g.below(3) {
		headers[pick(g, "x-a", "X-B", "a~b", "c!d")] = pick(g, "", g.text())
	}
	if len(headers) == 0 {
		return nil
	}
	return headers
}

func (g generator) duration() core.Duration {
	return *core.NewDuration(time.Duration(1+g.below(1_000_000)) * pick(g, time.Millisecond, time.Second))
}

func (g generator) keepalive() core.TCPKeepalive {
	return core.TCPKeepalive{Probes: uint32(g.below(3)), Time: maybe(g, 2, g.duration), Interval: maybe(g, 2, g.duration)}
}

func (g generator) destination() core.DestinationSelector {
	switch g.below(4) {
	case 0:
		return core.DestinationSelector{KubeServiceRefs: &core.KubeServiceRefs{Services: append(list(g, g.service), g.service())}}
	case 1:
		return core.DestinationSelector{ExternalServiceRefs: &core.ExternalServiceRefs{ExternalServices: append(list(g, g.object), g.object())}}
	case 2:
		return core.DestinationSelector{ExternalServiceMatcher: &core.ObjectMatcher{Labels: g.labels(), Namespaces: list(g, g.name)}}
	default:
		return core.DestinationSelector{KubeServiceMatcher: &core.KubeServiceMatcher{
			Labels: g.labels(), Namespaces: list(g, g.name), Clusters: list(g, g.dotted),
		}}
	}
}

// destinations returns at most one selector: flags give one at a time.
func (g generator) destinations() []core.DestinationSelector {
	if g.chance(3) {
		return nil
	}
	return []core.DestinationSelector{g.destination()}
}

func (g generator) certificate() render.CertificateInput {
	number := func() uint32 { return uint32(g.below(5000)) }
	return render.CertificateInput{
		TTLDays: maybe(g, 2, number), KeyBits: maybe(g, 2, number), Org: maybe(g, 3, g.text),
		RenewalRatio: maybe(g, 3, func() float64 { return float64(g.below(100)) / 100 }),
	}
}

func (g generator) vault() certificatesv1.VaultCA {
	v := certificatesv1.VaultCA{Server: g.text(), CAPath: pick(g, "", g.text()), CSRPath: pick(g, "", "pki"), Namespace: pick(g, "", g.text())}
	switch g.below(3) {
	case 0:
		v.CABundle = []byte(g.text())
	case 1:
		v.CALocalPath = pointer(g.text())
	}
	if g.chance(2) {
		v.TokenSecretRef = pointer(g.object())
		return v
	}
	v.KubernetesAuth = &certificatesv1.VaultKubernetesAuth{Role: g.text(), MountPath: pick(g, "", "auth"), SecretTokenKey: pick(g, "", "jwt")}
	if g.chance(2) {
		v.KubernetesAuth.ServiceAccountRef = pointer(g.object())
	} else {
		v.KubernetesAuth.MountedSAPath = pointer("/var/run/token")
	}
	return v
}

func pointer[T any](value T) *T { return &value }

func (g generator) virtualMesh() *render.VirtualMeshInput {
	in := &render.VirtualMeshInput{}
	for i := range g.below(4) {
		in.Meshes = append(in.Meshes, core.ObjectRef{Name: fmt.Sprintf("mesh%s%d", pick(g, "-", "."), i), Namespace: g.name()})
	}
	switch g.below(6) {
	case 0:
		in.Root = g.certificate()
	case 1:
		in.RootSecret = pointer(g.object())
	case 2:
		in.Vault = pointer(g.vault())
	case 3:
		in.Trust = pointer(render.TrustLimited)
	case 4:
		in.Trust = pointer(render.TrustShared)
	}
	if in.Trust == nil || *in.Trust == render.TrustShared {
		in.Intermediate = g.certificate()
		in.AutoRestartPods = maybe(g, 3, func() bool { return g.chance(2) })
		in.RotationStrategy = maybe(g, 3, always(certificatesv1.CertificateRotationStrategyNone))
		in.RotationVerification = maybe(g, 3, func() render.RotationVerification { return pick(g, render.VerifyNone, render.VerifyManual) })
	}
	for range g.below(4) {
		s := networkingv1.FederationSelector{DestinationSelectors: g.destinations()}
		for _, mesh := range in.Meshes {
			if g.chance(2) {
				s.Meshes = append(s.Meshes, mesh)
			}
		}
		in.Federate = append(in.Federate, s)
	}
	in.HostnameSuffix = maybe(g, 3, g.dotted)
	in.FlatNetwork = maybe(g, 3, func() bool { return g.chance(2) })
	in.Keepalive = maybe(g, 3, g.keepalive)
	for range g.below(3) {
		s := networkingv1.IngressGatewaySelector{DestinationSelectors: g.destinations()}
		switch g.below(3) {
		case 0:
			s.PortName = pointer(pick(g, "tls", "https-2"))
		case 1:
			s.OverrideHostInfo = &networkingv1.HostInfo{Addr: pick(g, "gw.example", "192.0.2.1", "2001:db8::1"), Port: uint32(1 + g.below(65535))}
		}
		in.Gateways = append(in.Gateways, s)
	}
	in.TLSEnforcement = maybe(g, 3, func() networkingv1.EnforcementMode {
		return pick(g, networkingv1.EnforcementModeUnset, networkingv1.EnforcementModeDisable, networkingv1.EnforcementModePermissive, networkingv1.EnforcementModeStrict)
	})
	in.GlobalAccessPolicy = maybe(g, 2, always(networkingv1.GlobalAccessPolicyEnabled))
	return in
}

func (g generator) accessPolicy() *render.AccessPolicyInput {
	in := &render.AccessPolicyInput{
		Destinations: list(g, g.destination),
		Paths:        list(g, func() string { return pick(g, "/", "/a/*", "*", "*.html", "/a b,c") }),
		Methods:      list(g, func() string { return pick(g, "GET", "M-SEARCH") }),
		Ports:        list(g, func() uint32 { return uint32(1 + g.below(65535)) }),
	}
	for range g.below(4) {
		in.Sources = append(in.Sources, g.identity())
	}
	return in
}

func (g generator) identity() core.IdentitySelector {
	var s core.IdentitySelector
	if namespaces, clusters := list(g, g.name), list(g, g.dotted); len(namespaces)+len(clusters) > 0 {
		s.KubeIdentityMatcher = &core.KubeIdentityMatcher{Namespaces: namespaces, Clusters: clusters}
	}
	account := func() core.ClusterObjectRef {
		ref := core.ClusterObjectRef{Name: pick(g, "", g.dotted()), Namespace: pick(g, "", g.name()), ClusterName: pick(g, "", g.dotted())}
		if ref == (core.ClusterObjectRef{}) {
			ref.Name = g.dotted()
		}
		return ref
	}
	if accounts := list(g, account); accounts != nil {
		s.KubeServiceAccountRefs = &core.KubeServiceAccountRefs{ServiceAccounts: accounts}
	}
	if is, not := list(g, g.text), list(g, g.text); len(is)+len(not) > 0 {
		s.RequestIdentityMatcher = &core.RequestIdentityMatcher{RequestPrincipals: is, NotRequestPrincipals: not}
	}
	address := func() string { return pick(g, "10.0.0.0/8", "192.0.2.1", "2001:db8::/32", "::1") }
	if is, not := list(g, address), list(g, address); len(is)+len(not) > 0 {
		s.RequestIPMatcher = &core.RequestIPMatcher{ForwardedIPs: is, NotForwardedIPs: not}
	}
	return s
}
