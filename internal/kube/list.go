package kube

import (
	"context"
	"fmt"
	"reflect"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

// pageSize is the number of objects per request.
const pageSize = 500

// ListOptions narrow a list.
type ListOptions struct {
	// Namespace is the namespace to list; all if empty.
	Namespace string
	// Labels is a label selector in kubectl's syntax; empty selects all.
	Labels string
	// Fields is a field selector, such as metadata.name=settings; empty selects all.
	Fields string
}

// List calls keep for every object of a resource and returns the results in the
// order of the API server, by namespace and name. It reads page by page, so that
// only the results stay in memory. The error is an *Error, with ReasonNoSuchKind
// if the cluster does not serve the resource.
func List[T any](
	ctx context.Context, c *Connection, resource schema.GroupVersionResource, opts ListOptions, keep func(*unstructured.Unstructured) T,
) ([]T, error) {
	client, err := c.Dynamic()
	if err != nil {
		return nil, err
	}
	p := pager{connection: c, resource: resource, opts: opts}
	var kept []T
	err = p.list(ctx, func() { kept = nil }, func(ctx context.Context, page metav1.ListOptions) (string, int, error) {
		list, err := client.Resource(resource).Namespace(opts.Namespace).List(ctx, page)
		if err != nil {
			return "", 0, err
		}
		for i := range list.Items {
			kept = append(kept, keep(&list.Items[i]))
		}
		return list.GetContinue(), len(kept), nil
	})
	return kept, err
}

// ListMetadata returns the metadata of every object of a resource. It reads only
// metadata, which is cheap enough for completion.
func ListMetadata(ctx context.Context, c *Connection, resource schema.GroupVersionResource, opts ListOptions) ([]metav1.ObjectMeta, error) {
	client, err := c.Metadata()
	if err != nil {
		return nil, err
	}
	p := pager{connection: c, resource: resource, opts: opts}
	var found []metav1.ObjectMeta
	err = p.list(ctx, func() { found = nil }, func(ctx context.Context, page metav1.ListOptions) (string, int, error) {
		list, err := client.Resource(resource).Namespace(opts.Namespace).List(ctx, page)
		if err != nil {
			return "", 0, err
		}
		for i := range list.Items {
			list.Items[i].ManagedFields = nil
			found = append(found, list.Items[i].ObjectMeta)
		}
		return list.GetContinue(), len(found), nil
	})
	return found, err
}

// ListTyped returns every object of a built-in resource as Go values, without
// managed fields and without the fields that trim removes. It reads protobuf,
// which takes a fraction of the time and memory of JSON. T must be the item type
// of the given list, for example corev1.Pod and &corev1.PodList{}; the scheme
// must know both.
func ListTyped[T any](
	ctx context.Context, c *Connection, scheme *runtime.Scheme, resource schema.GroupVersionResource, list runtime.Object,
	opts ListOptions, trim func(*T),
) ([]T, error) {
	client, err := c.typed(scheme, resource.GroupVersion())
	if err != nil {
		return nil, err
	}
	parameters := runtime.NewParameterCodec(scheme)
	p := pager{connection: c, resource: resource, opts: opts}
	var found []T
	err = p.list(ctx, func() { found = nil }, func(ctx context.Context, page metav1.ListOptions) (string, int, error) {
		// Into would silently leave the list empty for another kind.
		answer, err := client.Get().NamespaceIfScoped(opts.Namespace, opts.Namespace != "").Resource(resource.Resource).
			VersionedParams(&page, parameters).Do(ctx).Get()
		if err != nil {
			return "", 0, err
		}
		if reflect.TypeOf(answer) != reflect.TypeOf(list) {
			return "", 0, unexpectedAnswer("a list", resource, kindOfType(scheme, answer))
		}
		if err := meta.EachListItem(answer, func(item runtime.Object) error {
			object, ok := any(item).(*T)
			if !ok {
				return fmt.Errorf("the items of %T are %T", list, item)
			}
			// JSON decodes into any type, and items may lack a kind.
			if said := item.GetObjectKind().GroupVersionKind(); said.Kind != "" && said != kindOfType(scheme, item) {
				return unexpectedAnswer("a list", resource, said)
			}
			if accessor, err := meta.Accessor(item); err == nil {
				accessor.SetManagedFields(nil)
			}
			trim(object)
			found = append(found, *object)
			return nil
		}); err != nil {
			return "", 0, err
		}
		accessor, err := meta.ListAccessor(answer)
		if err != nil {
			return "", 0, err
		}
		return accessor.GetContinue(), len(found), nil
	})
	return found, err
}

// kindOfType returns the kind of a decoded object, which does not carry its kind.
func kindOfType(scheme *runtime.Scheme, object runtime.Object) schema.GroupVersionKind {
	kinds, _, err := scheme.ObjectKinds(object)
	if err != nil || len(kinds) == 0 {
		return schema.GroupVersionKind{}
	}
	return kinds[0]
}

// typed returns a client for the built-in kinds of one group and version.
func (c *Connection) typed(scheme *runtime.Scheme, gv schema.GroupVersion) (rest.Interface, error) {
	if err := c.connect(); err != nil {
		return nil, err
	}
	config := rest.CopyConfig(c.config)
	config.GroupVersion = &gv
	config.APIPath = "/apis"
	if gv.Group == "" {
		config.APIPath = "/api"
	}
	config.NegotiatedSerializer = serializer.NewCodecFactory(scheme).WithoutConversion()
	config.ContentType = runtime.ContentTypeProtobuf
	config.AcceptContentTypes = runtime.ContentTypeProtobuf + "," + runtime.ContentTypeJSON
	client, err := rest.RESTClientForConfigAndClient(config, c.clients.http)
	if err != nil {
		return nil, c.Translate("use the configuration", err)
	}
	return client, nil
}

// pager reads a list page by page.
type pager struct {
	connection *Connection
	resource   schema.GroupVersionResource
	opts       ListOptions
}

// list calls fetch for every page; fetch returns the token of the next page and
// the number of objects so far. If the token expires, the list starts again once,
// without pages, after forget has dropped the objects so far.
//
// The number of objects and pages, the size and the duration of a list are
// limited; exceeding a limit is an error.
func (p *pager) list(ctx context.Context, forget func(), fetch func(context.Context, metav1.ListOptions) (string, int, error)) error {
	limits := p.connection.limits
	ctx, stop := context.WithTimeoutCause(p.connection.withBudget(ctx), limits.time, errDeadline)
	defer stop()
	page := metav1.ListOptions{LabelSelector: p.opts.Labels, FieldSelector: p.opts.Fields, Limit: pageSize}
	restarted := false
	for pages := 1; ; pages++ {
		next, count, err := fetch(ctx, page)
		switch {
		case err != nil && page.Continue != "" && !restarted && (apierrors.IsResourceExpired(err) || apierrors.IsGone(err)):
			restarted = true
			forget()
			page.Limit, page.Continue = 0, ""
		case err != nil:
			return p.explain(ctx, err)
		case count > limits.objects:
			return p.explain(ctx, &tooMuchError{what: fmt.Sprintf("the list has more than %d objects", limits.objects)})
		case next == "":
			return nil
		case pages >= limits.pages:
			return p.explain(ctx, &tooMuchError{what: fmt.Sprintf("the list has not ended after %d pages with %d objects", pages, count)})
		case next == page.Continue:
			return p.explain(ctx, &foreignAnswerError{what: "gives the same page of a list again and again"})
		default:
			page.Continue = next
		}
	}
}

func (p *pager) explain(ctx context.Context, err error) error {
	e := p.connection.Translate(p.action(), err)
	if !e.Skippable() {
		return e
	}
	served, unknown := p.connection.serves(ctx, p.resource)
	switch {
	case unknown == nil && !served: // a server also forbids resources that it does not serve
		e = p.connection.noSuchKind(ctx, p.action(), p.resource.GroupVersion())
	case e.Reason == ReasonForbidden:
		return e
	case unknown != nil:
		e = p.connection.Translate(p.action(), unknown)
	default:
		e = &Error{
			Cluster: p.connection.Name, Action: p.action(), Reason: ReasonServerTrouble,
			Why: p.connection.server() + " serves the kind but did not find it", Hint: "try again, or check the log of the API server",
		}
	}
	explained := *e // the error may be that of other lists on the connection, too
	explained.cause = err
	return &explained
}

func (p *pager) action() string {
	action := "list " + p.resource.GroupResource().String()
	if p.opts.Namespace != "" {
		action += " in " + p.opts.Namespace
	}
	return action
}
