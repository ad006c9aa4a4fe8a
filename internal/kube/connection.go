package kube

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/version"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
)

// Source is where meshctl found a cluster.
type Source string

// The sources of clusters.
const (
	// SourceManagement is the cluster that holds meshctl's own resources.
	SourceManagement Source = "management"
	// SourceRegistered is a cluster whose credentials are stored in the
	// management cluster.
	SourceRegistered Source = "registered"
	// SourceContext is a cluster of the user's kubeconfig.
	SourceContext Source = "context"
)

// DefaultRequestTimeout is the default limit of a single request.
const DefaultRequestTimeout = 30 * time.Second

// Options are shared by all connections of a run.
type Options struct {
	// Version is the meshctl version for the user agent; "dev" if empty.
	Version string
	// RequestTimeout limits each request. If 0, the timeout of the client
	// configuration applies, or else DefaultRequestTimeout.
	RequestTimeout time.Duration
	// As and AsGroups are the user and groups to impersonate; none if empty.
	As       string
	AsGroups []string
	// ReadLimit limits the bytes read from the cluster for one purpose;
	// DefaultReadLimit if 0.
	ReadLimit int64
	// Waiting is told that a request to a cluster has been sent, and returns what to
	// call when the answer has been read; nil if nobody wants to know.
	Waiting func(cluster string) (end func())
}

// Connection is one cluster with its credentials. Creating it makes no request;
// clients are created on first use. It is safe for concurrent use.
type Connection struct {
	// Name is the name of the cluster in meshctl's resources.
	Name string
	// Source is where meshctl found the cluster.
	Source Source
	// Context is the kubeconfig context; empty if there is none.
	Context string

	config *rest.Config
	limits readLimits
	build  sync.Once
	// clients are created from config; buildErr is the error if that failed.
	clients  clients
	buildErr *Error

	mu sync.Mutex
	// resources caches the resources that the cluster serves, by group and
	// version.
	resources map[schema.GroupVersion][]metav1.APIResource
}

// clients share one pool of network connections.
type clients struct {
	http     *http.Client
	dynamic  dynamic.Interface
	metadata metadata.Interface
	core     rest.Interface
}

// New returns a connection for a client configuration, which it copies.
func New(name string, source Source, config *rest.Config, opts Options) *Connection {
	config = rest.CopyConfig(config)
	config.UserAgent = userAgent(opts.Version)
	// API servers protect themselves; a client-side limit would only slow down
	// large worlds.
	config.QPS, config.Burst = -1, 0
	// API deprecation warnings are of no use to users of meshctl.
	config.WarningHandler = rest.NoWarnings{}
	config.WarningHandlerWithContext = nil
	switch {
	case opts.RequestTimeout > 0:
		config.Timeout = opts.RequestTimeout
	case config.Timeout <= 0:
		config.Timeout = DefaultRequestTimeout
	}
	if opts.As != "" || len(opts.AsGroups) > 0 {
		config.Impersonate = rest.ImpersonationConfig{UserName: opts.As, Groups: opts.AsGroups}
	}
	limits := limitsOf(opts)
	config.Wrap(func(next http.RoundTripper) http.RoundTripper {
		g := &guard{next: next, limit: limits.bytes, waiting: func() func() { return func() {} }}
		if opts.Waiting != nil {
			g.waiting = func() func() { return opts.Waiting(name) }
		}
		return g
	})
	return &Connection{Name: name, Source: source, config: config, limits: limits, resources: map[schema.GroupVersion][]metav1.APIResource{}}
}

func userAgent(version string) string {
	if version == "" {
		version = "dev"
	}
	return fmt.Sprintf("meshctl/%s (%s/%s)", version, runtime.GOOS, runtime.GOARCH)
}

// Server returns the address of the API server without credentials.
func (c *Connection) Server() string { return c.server() }

func (c *Connection) server() string {
	address, err := url.Parse(c.config.Host)
	if err != nil {
		return "the API server"
	}
	if address.Host == "" {
		// The host has no scheme.
		return strings.TrimSuffix(c.config.Host, "/")
	}
	return strings.TrimSuffix((&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}).String(), "/")
}

// RESTConfig returns a copy of the client configuration.
func (c *Connection) RESTConfig() *rest.Config { return rest.CopyConfig(c.config) }

// Dynamic returns a client for objects of any kind. It returns client-go errors:
// pass them to Explain.
func (c *Connection) Dynamic() (dynamic.Interface, error) {
	if err := c.connect(); err != nil {
		return nil, err
	}
	return c.clients.dynamic, nil
}

// Metadata returns a client that reads only the metadata of objects. It returns
// client-go errors: pass them to Explain.
func (c *Connection) Metadata() (metadata.Interface, error) {
	if err := c.connect(); err != nil {
		return nil, err
	}
	return checkedMetadata{Interface: c.clients.metadata, connection: c}, nil
}

// Explain converts a client error into an *Error; nil stays nil. The action is a
// verb with its object, such as "read Secret east in gloo-mesh".
func (c *Connection) Explain(action string, err error) error {
	if translated := c.Translate(action, err); translated != nil {
		return translated
	}
	return nil
}

// connect creates the clients once.
func (c *Connection) connect() error {
	c.build.Do(func() {
		var err error
		if c.clients, err = newClients(c.config); err != nil {
			c.buildErr = c.Translate("use the configuration", err)
			if c.buildErr.Reason == ReasonOther {
				c.buildErr.Reason = ReasonUnusable
				c.buildErr.Hint = "correct the kubeconfig of this cluster"
			}
		}
	})
	if c.buildErr != nil {
		return c.buildErr
	}
	return nil
}

func newClients(config *rest.Config) (clients, error) {
	var (
		built clients
		err   error
	)
	if built.http, err = rest.HTTPClientFor(config); err != nil {
		return clients{}, err
	}
	unchecked, err := dynamic.NewForConfigAndClient(config, built.http)
	if err != nil {
		return clients{}, err
	}
	built.dynamic = checkedDynamic{unchecked}
	if built.metadata, err = metadata.NewForConfigAndClient(config, built.http); err != nil {
		return clients{}, err
	}
	built.core, err = rest.UnversionedRESTClientForConfigAndClient(dynamic.ConfigFor(config), built.http)
	return built, err
}

// getJSON reads a path of the API server that is not an object; isIt reports
// whether the answer has the expected form.
func (c *Connection) getJSON(ctx context.Context, path string, into any, isIt func() bool) error {
	if err := c.connect(); err != nil {
		return err
	}
	body, err := c.clients.core.Get().AbsPath(path).SetHeader("Accept", "application/json").Do(ctx).Raw()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, into); err != nil || !isIt() {
		return &foreignAnswerError{what: "answers the request for " + path + " with something else"}
	}
	return nil
}

// ServerVersion returns the version of the API server.
func (c *Connection) ServerVersion(ctx context.Context) (version.Info, error) {
	var info version.Info
	err := c.getJSON(ctx, "/version", &info, func() bool { return info.GitVersion != "" })
	return info, c.Explain("read the version", err)
}

// UID returns the identity of the cluster, which is independent of its name: the
// uid of its namespace kube-system.
func (c *Connection) UID(ctx context.Context) (string, error) {
	client, err := c.Metadata()
	if err != nil {
		return "", err
	}
	namespace, err := client.Resource(Namespaces()).Get(ctx, metav1.NamespaceSystem, metav1.GetOptions{})
	if err != nil {
		return "", c.Explain("read Namespace "+metav1.NamespaceSystem, err)
	}
	if namespace.UID == "" {
		return "", c.Explain("read Namespace "+metav1.NamespaceSystem, &foreignAnswerError{what: "answers with a namespace that has no uid"})
	}
	return string(namespace.UID), nil
}

// Namespaces returns the resource of namespaces.
func Namespaces() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
}

// minSecret is the minimum length of a credential to redact, so that short words
// are not replaced.
const minSecret = 4

// redact removes the credentials of the connection from a text.
func (c *Connection) redact(text string) string {
	for _, secret := range []string{c.config.BearerToken, c.config.Password} {
		if len(secret) >= minSecret {
			text = strings.ReplaceAll(text, secret, "[redacted]")
		}
	}
	return text
}
