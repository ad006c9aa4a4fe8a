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

// Source says how meshctl came to know a cluster.
type Source string

// The sources of clusters.
const (
	// SourceManagement is the cluster that meshctl's own resources live in.
	SourceManagement Source = "management"
	// SourceRegistered is a cluster whose credentials the management cluster keeps.
	SourceRegistered Source = "registered"
	// SourceContext is a cluster of the user's kubeconfig.
	SourceContext Source = "context"
)

// DefaultRequestTimeout bounds a single request unless told otherwise.
const DefaultRequestTimeout = 30 * time.Second

// Options are the same for all connections of a run.
type Options struct {
	// Version is that of meshctl, for the user agent; "dev" if empty.
	Version string
	// RequestTimeout bounds each request; if 0, what the configuration says, and
	// DefaultRequestTimeout if it says nothing.
	RequestTimeout time.Duration
	// As and AsGroups are whom to impersonate; nobody if empty.
	As       string
	AsGroups []string
	// ReadLimit bounds, in bytes, what is read of the cluster for one purpose;
	// DefaultReadLimit if 0.
	ReadLimit int64
	// Waiting is told that a request to a cluster has been sent, and returns what to
	// call when the answer has been read; nil if nobody wants to know.
	Waiting func(cluster string) (end func())
}

// Connection is one cluster with the credentials to use. Creating it contacts
// nobody; clients are built when they are first needed. It is safe for
// concurrent use.
type Connection struct {
	// Name is the name of the cluster as meshctl's resources spell it.
	Name string
	// Source says how meshctl came to know the cluster.
	Source Source
	// Context is the context of the kubeconfig, empty if there is none.
	Context string

	config *rest.Config
	limits readLimits
	build  sync.Once
	// clients are built from config; buildErr is why they could not be.
	clients  clients
	buildErr *Error

	mu sync.Mutex
	// resources remembers what the cluster serves of each group and version.
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
	// API servers protect themselves; a limit here would only make large worlds
	// slow.
	config.QPS, config.Burst = -1, 0
	// Deprecations of kinds are not the user's concern.
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

// Server returns the address of the API server, without credentials.
func (c *Connection) Server() string { return c.server() }

func (c *Connection) server() string {
	address, err := url.Parse(c.config.Host)
	if err != nil {
		return "the API server"
	}
	if address.Host == "" {
		// A host without a scheme.
		return strings.TrimSuffix(c.config.Host, "/")
	}
	return strings.TrimSuffix((&url.URL{Scheme: address.Scheme, Host: address.Host, Path: address.Path}).String(), "/")
}

// RESTConfig returns a copy of the client configuration.
func (c *Connection) RESTConfig() *rest.Config { return rest.CopyConfig(c.config) }

// Dynamic returns a client for objects of any kind. Its errors are those of
// client-go: pass them to Explain.
func (c *Connection) Dynamic() (dynamic.Interface, error) {
	if err := c.connect(); err != nil {
		return nil, err
	}
	return c.clients.dynamic, nil
}

// Metadata returns a client that reads nothing but the metadata of objects. Its
// errors are those of client-go: pass them to Explain.
func (c *Connection) Metadata() (metadata.Interface, error) {
	if err := c.connect(); err != nil {
		return nil, err
	}
	return checkedMetadata{Interface: c.clients.metadata, connection: c}, nil
}

// Explain turns an error of a client into an *Error; nil stays nil. The action
// is a verb with its object, such as "read Secret east in gloo-mesh".
func (c *Connection) Explain(action string, err error) error {
	if translated := c.Translate(action, err); translated != nil {
		return translated
	}
	return nil
}

// connect builds the clients, once.
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

// getJSON reads a path of the API server that holds no object; isIt tells
// whether the answer is what was asked for.
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

// UID returns what identifies the cluster, whatever it is called: the uid of
// its namespace kube-system.
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

// Namespaces is the resource of namespaces.
func Namespaces() schema.GroupVersionResource {
	return schema.GroupVersionResource{Version: "v1", Resource: "namespaces"}
}

// minSecret is the length from which a text is taken for a secret.
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
