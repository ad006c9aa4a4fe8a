//go:build linux

package tests

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/hack/lab/mesh"
	"github.com/meshctl/meshctl/hack/lab/node"
)

func trustFacts() []fact {
	return []fact{
		{"trust-domains-accepted", trustDomainsAccepted},
		{"principals-and-trust-domains", principalsAndTrustDomains},
		{"roots-appended-to-multi-root", rootsAppendedToMultiRoot},
		{"roots-appended", rootsAppended},
		{"intermediates-renewed", intermediatesRenewed},
		{"roots-replaced", rootsReplaced},
		{"limited-trust", limitedTrust},
		{"limited-trust-access", limitedTrustAccess},
	}
}

// setWest changes the configuration of the mesh in the west and istiod's
// variables.
func (b *bench) setWest(t *testing.T, config map[string]any, env map[string]string) {
	t.Helper()
	config["trustDomain"] = "west.example"
	if err := b.west.Reconfigure(t.Context(), config, env); err != nil {
		t.Fatal(err)
	}
}

// trustDomainsAccepted calls from the trust domain cluster.local to pods of
// west.example.
func trustDomainsAccepted(t *testing.T, b *bench) {
	web := b.web(t)
	admitted := "stock-v1.west for " + webIdentity
	b.expect(t, web, get(federated), admitted) // caCertificates without a certificate
	authorities := func(domain string) map[string]any {
		return map[string]any{"caCertificates": []any{map[string]any{"pem": b.root.pem(), "trustDomains": []any{domain}}}}
	}
	for _, c := range []struct {
		name   string
		config map[string]any
		want   string
	}{
		{"nothing", map[string]any{}, "503"},
		{"an alias", map[string]any{"trustDomainAliases": []any{"cluster.local"}}, admitted},
		{"another alias", map[string]any{"trustDomainAliases": []any{"south.example"}}, "503"},
		{"caCertificates with a certificate", authorities("cluster.local"), admitted},
		{"caCertificates for others", authorities("south.example"), "503"},
		{"the skip variable", map[string]any{}, admitted},
	} {
		t.Log(c.name)
		var env map[string]string
		if c.name == "the skip variable" {
			env = map[string]string{"PILOT_SKIP_VALIDATE_TRUST_DOMAIN": "true"}
		}
		b.setWest(t, c.config, env)
		b.expectSoon(t, web, get(federated), c.want)
	}
	b.setWest(t, acceptsEast(), nil)
	b.expectSoon(t, web, get(federated), admitted)
}

// principalsAndTrustDomains names a caller of cluster.local, and one of the
// mesh's own west.example, in rules of the west.
func principalsAndTrustDomains(t *testing.T, b *bench) {
	web, local := b.web(t), b.pod(t, "west", "shop", "stock-v1")
	const foreign, own = "stock-v1.west for " + webIdentity, "stock-v1.west for west.example/ns/shop/sa/stock"
	check := func(source, wantForeign, wantOwn string) {
		t.Helper()
		b.apply(t, b.west, rule("shop", "app: stock", "ALLOW", "[{from: [{source: {"+source+"}}]}]"))
		b.expect(t, web, get(federated), wantForeign)
		b.expect(t, local, get(stock), wantOwn)
	}
	// cluster.local means the mesh's own trust domain, and nothing else.
	check("principals: [cluster.local/ns/front/sa/web, cluster.local/ns/shop/sa/stock]", "403", own)
	check("principals: [west.example/ns/front/sa/web]", "403", "403")
	check("principals: ['*/ns/front/sa/web']", foreign, "403")
	check("namespaces: [front]", foreign, "403")
	check("trustDomains: [cluster.local]", foreign, "403")
	// This is the way to name one caller of such a mesh.
	check("trustDomains: [cluster.local], serviceAccounts: [front/web, shop/stock]", foreign, "403")
	check("trustDomains: [cluster.local], serviceAccounts: [shop/stock]", "403", "403")

	b.setWest(t, map[string]any{"trustDomainAliases": []any{"cluster.local"}}, nil)
	b.apply(t, b.west, rule("shop", "app: stock", "ALLOW", "[{from: [{source: {principals: [west.example/ns/front/sa/web]}}]}]"))
	b.expectSoon(t, web, get(federated), foreign)
	b.expect(t, local, get(stock), "403")
	check("principals: [cluster.local/ns/front/sa/web, cluster.local/ns/shop/sa/stock]", foreign, own)
	b.setWest(t, acceptsEast(), nil)
	b.expectSoon(t, web, get(federated), "403")
}

// issuer returns the name of the CA that signed the certificate of a server, as
// a pod sees it.
func issuer(t *testing.T, from *node.Pod, address string, protocols ...string) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	conn, err := from.Host.DialContext(ctx, "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	secured := tls.Client(conn, &tls.Config{InsecureSkipVerify: true, NextProtos: protocols, ServerName: "lab"})
	if err := secured.HandshakeContext(ctx); err != nil {
		t.Fatalf("handshake with %s: %v", address, err)
	}
	return secured.ConnectionState().PeerCertificates[0].Issuer.CommonName
}

// issuerOfIstiod returns the name of the CA that signed istiod's certificate.
func issuerOfIstiod(t *testing.T, istiod *node.Pod) string {
	t.Helper()
	return issuer(t, istiod, "127.0.0.1:15012")
}

// issuerOfPod returns the name of the CA that signed the certificate of the
// proxy of a pod; another pod asks for it.
func issuerOfPod(t *testing.T, from, pod *node.Pod) string {
	t.Helper()
	return issuer(t, from, net.JoinHostPort(pod.Address().String(), "8081"), "istio")
}

// awaitIssuer waits until istiod's certificate is signed by a CA.
func (b *bench) awaitIssuer(t *testing.T, istiod *node.Pod, want string) {
	t.Helper()
	b.soon(t, func() error {
		if got := issuerOfIstiod(t, istiod); got != want {
			return fmt.Errorf("istiod's certificate is signed by %q, want %q", got, want)
		}
		return nil
	})
}

// awaitLog waits until istiod has logged a text more than n times.
func (b *bench) awaitLog(t *testing.T, istiod *node.Pod, text string, n int) {
	t.Helper()
	b.soon(t, func() error {
		if got := len(lines(t, istiod, "discovery", text)); got <= n {
			return fmt.Errorf("istiod logged %q %d times, want more than %d", text, got, n)
		}
		return nil
	})
}

// roots says which of two roots a proxy trusts.
func roots(t *testing.T, pod *node.Pod, first, second *authority) string {
	t.Helper()
	certs := admin(t, pod, "/certs")
	var found []string
	for name, a := range map[string]*authority{"first": first, "second": second} {
		if strings.Contains(certs, `"`+a.serial()+`"`) {
			found = append(found, name)
		}
	}
	if len(found) == 2 {
		return "both"
	}
	return strings.Join(found, "")
}

// published reports whether the root certificate that istiod publishes in a
// namespace contains a CA.
func published(t *testing.T, c *mesh.Cluster, namespace string, a *authority) bool {
	t.Helper()
	configMap, err := c.Client.CoreV1().ConfigMaps(namespace).Get(t.Context(), "istio-ca-root-cert", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return strings.Contains(configMap.Data["root-cert.pem"], strings.TrimSpace(a.pem()))
}

// setCA replaces the Secret cacerts.
func (b *bench) setCA(t *testing.T, c *mesh.Cluster, secret string) {
	t.Helper()
	if err := c.Objects.ApplyYAML(t.Context(), secret); err != nil {
		t.Fatal(err)
	}
}

// rootsAppendedToMultiRoot appends a root in the east, whose istiod has
// ISTIO_MULTIROOT_MESH, and where proxies of stock-v2 have PROXY_CONFIG_XDS_AGENT.
func rootsAppendedToMultiRoot(t *testing.T, b *bench) {
	second := newAuthority(t, "second root", nil)
	istiod := b.pod(t, "east", "istio-system", "istiod")
	viaAgent, standard := b.pod(t, "east", "shop", "stock-v2"), b.web(t)
	if got := roots(t, viaAgent, b.root, second); got != "first" {
		t.Fatalf("at first the proxy trusts %q", got)
	}
	b.setCA(t, b.east, b.eastIntermediate.cacerts(second))
	b.soon(t, func() error {
		if !published(t, b.east, "front", second) {
			return errors.New("the second root is not published")
		}
		if got := roots(t, viaAgent, b.root, second); got != "both" {
			return fmt.Errorf("with PROXY_CONFIG_XDS_AGENT the proxy trusts %q, want both", got)
		}
		return nil
	})
	if got := roots(t, standard, b.root, second); got != "first" {
		t.Errorf("without PROXY_CONFIG_XDS_AGENT the proxy trusts %q, want the first", got)
	}
	if b.pod(t, "east", "istio-system", "istiod") != istiod {
		t.Error("istiod was replaced")
	}
	// New certificates come with all roots.
	b.restart(t, b.east, "front", "web")
	if got := roots(t, b.web(t), b.root, second); got != "both" {
		t.Errorf("after its restart the proxy trusts %q, want both", got)
	}
	b.expect(t, b.web(t), get(federated), "stock-v1.west for "+webIdentity)
}

const multiRootDisabled = "Multi root is disabled"

// rootsAppended appends a root in the west, whose istiod has its defaults.
func rootsAppended(t *testing.T, b *bench) {
	second := newAuthority(t, "second root", nil)
	istiod, pod := b.pod(t, "west", "istio-system", "istiod"), b.pod(t, "west", "shop", "stock-v1")
	next := newAuthority(t, "intermediate of west with two roots", b.root)
	before := len(lines(t, istiod, "discovery", multiRootDisabled))
	b.setCA(t, b.west, next.cacerts(second))
	b.awaitLog(t, istiod, multiRootDisabled, before)
	if got := roots(t, pod, b.root, second); got != "first" {
		t.Errorf("the proxy trusts %q, want the first", got)
	}
	if published(t, b.west, "shop", second) {
		t.Error("the second root is published")
	}
	// The new intermediate is ignored, too.
	if got, want := issuerOfIstiod(t, istiod), b.westIntermediate.certificate.Subject.CommonName; got != want {
		t.Errorf("istiod's certificate is signed by %q, want %q", got, want)
	}
	b.setCA(t, b.west, b.westIntermediate.cacerts())
}

func intermediatesRenewed(t *testing.T, b *bench) {
	web, gateway := b.web(t), b.pod(t, "west", "istio-system", "gateway")
	istiod, pod := b.pod(t, "west", "istio-system", "istiod"), b.pod(t, "west", "shop", "stock-v1")
	old := b.westIntermediate.certificate.Subject.CommonName
	b.westIntermediate = newAuthority(t, "renewed intermediate of west", b.root)
	renewed := b.westIntermediate.certificate.Subject.CommonName
	b.setCA(t, b.west, b.westIntermediate.cacerts())
	b.awaitIssuer(t, istiod, renewed)
	if b.pod(t, "west", "istio-system", "istiod") != istiod {
		t.Error("istiod was replaced")
	}
	// Workloads keep theirs until they renew it; both are valid.
	if got := issuerOfPod(t, gateway, pod); got != old {
		t.Errorf("the certificate of the pod is signed by %q, want %q", got, old)
	}
	b.expect(t, web, get(federated), "stock-v1.west for "+webIdentity)
	b.restart(t, b.west, "shop", "stock-v1")
	if got := issuerOfPod(t, gateway, b.pod(t, "west", "shop", "stock-v1")); got != renewed {
		t.Errorf("the certificate of a new pod is signed by %q, want %q", got, renewed)
	}
	b.settle(t)
	b.expect(t, web, get(federated), "stock-v1.west for "+webIdentity)
}

// rootsReplaced gives the west another root. The experiments that follow find
// two meshes without a common root.
func rootsReplaced(t *testing.T, b *bench) {
	istiod := b.pod(t, "west", "istio-system", "istiod")
	other := newAuthority(t, "other intermediate of west", newAuthority(t, "root of west", nil))
	before := len(lines(t, istiod, "discovery", multiRootDisabled))
	b.setCA(t, b.west, other.cacerts())
	b.awaitLog(t, istiod, multiRootDisabled, before)
	if got, want := issuerOfIstiod(t, istiod), b.westIntermediate.certificate.Subject.CommonName; got != want {
		t.Errorf("before the restart istiod's certificate is signed by %q, want %q", got, want)
	}
	b.restart(t, b.west, "istio-system", "istiod")
	b.awaitIssuer(t, b.pod(t, "west", "istio-system", "istiod"), other.certificate.Subject.CommonName)
	b.restart(t, b.west, "istio-system", "gateway")
	b.restart(t, b.west, "shop", "stock-v1")
	b.settle(t)
	local := b.pod(t, "west", "shop", "stock-v1")
	b.expect(t, local, get(stock), "stock-v1.west for west.example/ns/shop/sa/stock")
	b.expect(t, b.web(t), get(federated), "503")
}
