//go:build e2e && unix

package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// intermediary is a proxy between meshctl and the API server of a cluster.
type intermediary struct {
	server *httptest.Server
	// before is called with each request before it goes on, if set.
	before atomic.Pointer[func(*http.Request)]
	// writes counts the writes of Istio's objects so far.
	writes atomic.Int32
}

// does sets what happens before each request goes on.
func (p *intermediary) does(before func(*http.Request)) { p.before.Store(&before) }

// intercept lets meshctl reach a registered cluster through an intermediary
// until restore is called. Who asks, and what for, stays the same.
func (g *governed) intercept(t *testing.T, name string, c *clustertest.Cluster) (p *intermediary, restore func()) {
	t.Helper()
	p = &intermediary{}
	target, err := url.Parse(c.Server)
	if err != nil {
		t.Fatal(err)
	}
	// Of the administrator only the authority is taken, not the key.
	config := rest.AnonymousClientConfig(c.Admin().Config())
	transport, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport:     transport,
		FlushInterval: -1,
		// meshctl went away, or the cluster did.
		ErrorHandler: func(w http.ResponseWriter, _ *http.Request, _ error) { w.WriteHeader(http.StatusBadGateway) },
	}
	p.server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && strings.Contains(r.URL.Path, ".istio.io/") {
			p.writes.Add(1)
		}
		if before := p.before.Load(); before != nil {
			(*before)(r)
		}
		forward.ServeHTTP(w, r)
	}))
	p.server.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	p.server.EnableHTTP2 = true
	p.server.StartTLS()
	t.Cleanup(p.server.Close)
	before := g.readdress(t, name, p.server.URL, p.server.Certificate())
	return p, func() {
		t.Helper()
		g.setKubeconfig(t, name, before)
	}
}

// readdress changes where meshctl reaches a registered cluster, and returns the
// kubeconfig as it was.
func (g *governed) readdress(t *testing.T, name, server string, authority *x509.Certificate) []byte {
	t.Helper()
	secret, err := admin(t, g.registry.management).CoreV1().Secrets("gloo-mesh").Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	before := secret.Data["kubeconfig"]
	config, err := clientcmd.Load(before)
	if err != nil {
		t.Fatal(err)
	}
	for _, cluster := range config.Clusters {
		cluster.Server = server
		cluster.CertificateAuthorityData = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: authority.Raw})
	}
	changed, err := clientcmd.Write(*config)
	if err != nil {
		t.Fatal(err)
	}
	g.setKubeconfig(t, name, changed)
	return before
}

func (g *governed) setKubeconfig(t *testing.T, name string, kubeconfig []byte) {
	t.Helper()
	secrets := admin(t, g.registry.management).CoreV1().Secrets("gloo-mesh")
	secret, err := secrets.Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	secret.Data["kubeconfig"] = kubeconfig
	if _, err := secrets.Update(t.Context(), secret, metav1.UpdateOptions{}); err != nil {
		t.Fatal(err)
	}
}
