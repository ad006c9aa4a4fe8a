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

// endpoint is how to reach a cluster, without credentials: the part of the user's kubeconfig
// that the kubeconfig of a registration may contain.
type endpoint struct {
	server        string
	ca            []byte
	insecure      bool
	tlsServerName string
	proxy         string
}

// endpointOptions override how the user's connection reaches the cluster.
type endpointOptions struct {
	// address is HOST, HOST:PORT or an https URL; if empty, the user's address is kept.
	address string
	// insecure disables the verification of certificates.
	insecure bool
}

// newEndpoint returns how to reach the cluster of a connection, and warnings for the user. The
// CA certificate is inlined. Credentials, credential plugins and file paths are not copied.
// Certificates are verified unless the user explicitly disables that. newEndpoint returns an
// error if the address, CA or proxy cannot be used.
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
			return fail(kube.OneLine(err.Error()), "set --api-server-address to HOST or HOST:PORT", err)
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
				return fail("cannot read the CA file: "+err.Error(), "correct certificate-authority in the kubeconfig", err)
			}
		}
	}
	if e.proxy, err = proxyOf(config, server); err != nil {
		return fail(err.Error(), "set the proxy with the environment variable HTTPS_PROXY instead", nil)
	}
	return e, e.warnings(server), nil
}

// warnings returns warnings about an unusual endpoint.
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

// parseServer parses the server of a client configuration, which may lack a scheme.
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

// overrideServer returns the address that the user specified. If it has no port, the original
// port is used. A URL is used unchanged.
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

// proxyOf returns the proxy of the user's kubeconfig, empty if none. It returns an error for a
// proxy with a password, because the password would be copied.
func proxyOf(config *rest.Config, server *url.URL) (string, error) {
	if config.Proxy == nil {
		return "", nil
	}
	proxy, err := config.Proxy(&http.Request{URL: server})
	if err != nil || proxy == nil {
		return "", nil //nolint:nilerr // no proxy to copy
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
