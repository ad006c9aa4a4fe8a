//go:build e2e && unix

package e2e

import (
	"context"
	"crypto/tls"
	"encoding/pem"
	"io"
	"log"
	"maps"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// faults decides what happens to the requests that clusters get through
// proxies. It counts what is written, on all clusters together.
type faults struct {
	proxies []*proxy

	mu     sync.Mutex
	writes []string
	// left is how many more writes get through; the answer of the last one and
	// everything after it is lost. No limit if negative.
	left int
	// after is called after a write got through; also when its answer is lost.
	after func(write string)
}

// none lets everything pass, and counts from 0.
func (f *faults) none() { f.loseAfter(-1, nil) }

// loseAfter lets so many writes pass, and calls after for each.
func (f *faults) loseAfter(writes int, after func(string)) {
	for _, p := range f.proxies {
		p.open()
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes, f.left, f.after = nil, writes, after
}

// cut makes clusters unreachable.
func (f *faults) cut(clusters ...string) {
	f.none()
	for _, p := range f.proxies {
		if slices.Contains(clusters, p.cluster) {
			p.close()
		}
	}
}

func (f *faults) written() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return append([]string{}, f.writes...)
}

// isWrite reports whether a request changes an object, other than a Lease: when
// those are renewed is a matter of time.
func isWrite(r *http.Request) bool {
	read := r.Method == http.MethodGet || r.Method == http.MethodHead || r.URL.Query().Has("dryRun")
	return !read && !strings.Contains(r.URL.Path, "/leases") && !strings.Contains(r.URL.Path, "/selfsubject") && !strings.HasSuffix(r.URL.Path, "/token")
}

// count counts a request that is about to get through. It returns what to do
// when it got through, which reports whether the answer arrives, and whether it
// gets through at all.
func (f *faults) count(cluster string, r *http.Request) (answered func() bool, pass bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.left == 0 {
		return nil, false
	}
	if !isWrite(r) {
		return func() bool { return true }, true
	}
	write := cluster + " " + r.Method + " " + r.URL.Path
	f.writes = append(f.writes, write)
	f.left = max(f.left-1, -1)
	after, last := f.after, f.left == 0
	return func() bool {
		if after != nil {
			after(write)
		}
		if last {
			for _, p := range f.proxies {
				p.close()
			}
		}
		return !last
	}, true
}

// proxy stands between meshctl and a cluster. Whoever shows the token
// "administrator" is the administrator there; other tokens are passed on.
type proxy struct {
	cluster, address string
	faults           *faults
	reverse          *httputil.ReverseProxy
	certificate      tls.Certificate

	mu     sync.Mutex
	server *http.Server // nil while it is closed
}

const administrator = "administrator"

// addProxy starts a proxy. It is closed when the test ends.
func (f *faults) addProxy(t *testing.T, name string, c *clustertest.Cluster) {
	t.Helper()
	config := c.Admin().Config()
	asAdmin, err := rest.TransportFor(config)
	if err != nil {
		t.Fatal(err)
	}
	asOther, err := rest.TransportFor(rest.AnonymousClientConfig(config))
	if err != nil {
		t.Fatal(err)
	}
	target, err := url.Parse(c.Server)
	if err != nil {
		t.Fatal(err)
	}
	// Its certificate is that of every test server, which is for 127.0.0.1.
	template := httptest.NewTLSServer(http.NotFoundHandler())
	template.Close()
	p := &proxy{cluster: name, address: "127.0.0.1:0", faults: f, certificate: template.TLS.Certificates[0]}
	p.reverse = &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(target) },
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			if r.Header.Get("Authorization") != "Bearer "+administrator {
				return asOther.RoundTrip(r)
			}
			r.Header.Del("Authorization")
			return asAdmin.RoundTrip(r)
		}),
		ErrorHandler: func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	p.open()
	t.Cleanup(p.close)
	f.proxies = append(f.proxies, p)
}

// open accepts connections, at the same address as before.
func (p *proxy) open() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		return
	}
	listener, err := net.Listen("tcp", p.address)
	if err != nil {
		panic(err) // somebody has taken the address meanwhile
	}
	p.address = listener.Addr().String()
	p.server = &http.Server{Handler: p, TLSConfig: &tls.Config{Certificates: []tls.Certificate{p.certificate}}, ErrorLog: log.New(io.Discard, "", 0)}
	go p.server.ServeTLS(listener, "", "")
}

// close cuts all connections and refuses new ones.
func (p *proxy) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.server != nil {
		p.server.Close()
		p.server = nil
	}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// ServeHTTP passes a request on, unless a fault keeps it or its answer.
func (p *proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	answered, pass := p.faults.count(p.cluster, r)
	if !pass {
		panic(http.ErrAbortHandler)
	}
	// Who asked may go before the answer comes; the cluster does not notice.
	answer := httptest.NewRecorder()
	p.reverse.ServeHTTP(answer, r.WithContext(context.WithoutCancel(r.Context())))
	if !answered() {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), answer.Header())
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // whoever asked may have gone
}

// kubeconfig writes a kubeconfig file whose contexts lead to the administrators
// of the clusters behind the proxies. The current one is management.
func (f *faults) kubeconfig(t *testing.T, path string) {
	t.Helper()
	config := clientcmdapi.NewConfig()
	config.CurrentContext = clustertest.Management
	config.AuthInfos[administrator] = &clientcmdapi.AuthInfo{Token: administrator}
	for _, p := range f.proxies {
		config.Clusters[p.cluster] = &clientcmdapi.Cluster{
			Server: "https://" + p.address, CertificateAuthorityData: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: p.certificate.Certificate[0]}),
		}
		config.Contexts[p.cluster] = &clientcmdapi.Context{Cluster: p.cluster, AuthInfo: administrator}
	}
	if err := clientcmd.WriteToFile(*config, path); err != nil {
		t.Fatal(err)
	}
}
