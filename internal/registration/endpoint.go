package registration

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"strings"

	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
)

// endpoint is how to reach a cluster, with nothing of who asks: what a
// kubeconfig for someone else may take over from one's own.
type endpoint struct {
	server        string
	ca            []byte
	insecure      bool
	tlsServerName string
	proxy         string
}

// endpointOptions change how the user's own connection reaches the cluster.
type endpointOptions struct {
	// address is HOST, HOST:PORT or an https URL; empty keeps the user's.
	address string
	// insecure accepts any certificate.
	insecure bool
}

// newEndpoint returns how to reach the cluster of a connection, and what the
// user should know about it. The certificate authority is read and inlined;
// credentials, the programs that make them and paths of files are left behind.
// Verification of certificates is off if the user says so, and then only.
func newEndpoint(c *kube.Connection, opts endpointOptions) (endpoint, []string, error) {
	config := c.RESTConfig()
	fail := func(why, hint string, cause error) (endpoint, []string, error) {
		e := &kube.Error{Cluster: c.Name, Action: "use the address of the API server", Reason: kube.ReasonUnusable, Why: why, Hint: hint}
		return endpoint{}, nil, e.WithCause(cause)
	}
	original, err := parseServer(config.Host)
	if err != nil {
		return fail(kube.OneLine(err.Error()), "correct the server of the context "+c.Context, err)
	}
	server := original
	if opts.address != "" {
		if server, err = overrideServer(original, opts.address); err != nil {
			return fail(kube.OneLine(err.Error()), "give --api-server-address a host, or host and port", err)
		}
	}
	if server.Scheme != "https" {
		return fail(server.Redacted()+" is not an https address, and the token would be sent unencrypted", "use an https address with --api-server-address", nil)
	}
	e := endpoint{server: server.String(), insecure: opts.insecure, tlsServerName: config.ServerName}
	if config.Insecure && !opts.insecure {
		return fail("the context does not verify the certificate of the cluster",
			"add the CA to the context, or pass --insecure-skip-tls-verify", nil)
	}
	if !e.insecure {
		e.ca = config.CAData
		if len(e.ca) == 0 && config.CAFile != "" {
			if e.ca, err = os.ReadFile(config.CAFile); err != nil {
				return fail("the file of the certificate authority cannot be read: "+err.Error(), "correct certificate-authority in the kubeconfig", err)
			}
		}
	}
	if e.proxy, err = proxyOf(config, server); err != nil {
		return fail(err.Error(), "set the proxy with the environment variable HTTPS_PROXY instead", nil)
	}
	return e, e.warnings(server), nil
}

// warnings says what is unusual about an endpoint.
func (e endpoint) warnings(server *url.URL) []string {
	var warnings []string
	if host := server.Hostname(); isLoopback(host) {
		warnings = append(warnings, fmt.Sprintf("%s is a loopback address: this registration works only from this machine; use --api-server-address for another address", host))
	}
	if e.insecure {
		warnings = append(warnings, fmt.Sprintf("the certificate of %s will not be verified: the token can be stolen", server.Host))
	}
	return warnings
}

// parseServer reads the server of a client configuration, which may lack a
// scheme.
func parseServer(host string) (*url.URL, error) {
	if !strings.Contains(host, "://") {
		host = "https://" + host
	}
	server, err := url.Parse(host)
	if err != nil {
		return nil, fmt.Errorf("%q is not an address", host)
	}
	if server.Host == "" {
		return nil, fmt.Errorf("%q has no host", host)
	}
	server.User, server.RawQuery, server.Fragment = nil, "", ""
	server.Path = strings.TrimSuffix(server.Path, "/")
	return server, nil
}

// overrideServer returns the address that the user gave; a port that it lacks is
// that of the original. A URL is taken as it is.
func overrideServer(original *url.URL, address string) (*url.URL, error) {
	if strings.Contains(address, "://") {
		return parseServer(address)
	}
	host, port := address, original.Port()
	if h, p, err := net.SplitHostPort(address); err == nil {
		host, port = h, p
	} else if strings.Contains(err.Error(), "too many colons") && net.ParseIP(strings.Trim(address, "[]")) == nil {
		return nil, fmt.Errorf("%q is neither a host nor a host with a port", address)
	}
	host = strings.Trim(host, "[]")
	if host == "" || strings.ContainsAny(host, "/ @?#") {
		return nil, fmt.Errorf("%q is neither a host nor a host with a port", address)
	}
	if number, err := net.LookupPort("tcp", port); port != "" && (err != nil || number == 0) {
		return nil, fmt.Errorf("%q is not a port", port)
	}
	joined := host
	switch {
	case port != "":
		joined = net.JoinHostPort(host, port)
	case strings.Contains(host, ":"):
		joined = "[" + host + "]"
	}
	return &url.URL{Scheme: "https", Host: joined}, nil
}

// proxyOf returns the proxy that the user's kubeconfig asks for, empty if none.
// A proxy with a password is refused: it would be copied.
func proxyOf(config *rest.Config, server *url.URL) (string, error) {
	if config.Proxy == nil {
		return "", nil
	}
	proxy, err := config.Proxy(&http.Request{URL: server})
	if err != nil || proxy == nil {
		return "", nil //nolint:nilerr // then there is no proxy to copy
	}
	if proxy.User != nil {
		return "", fmt.Errorf("the proxy of the context has credentials, which a registration must not copy")
	}
	return proxy.String(), nil
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return strings.EqualFold(host, "localhost") || strings.HasSuffix(strings.ToLower(host), ".localhost") || ip != nil && (ip.IsLoopback() || ip.IsUnspecified())
}
