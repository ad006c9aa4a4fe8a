package kube

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/rest"
)

// pageSize is how many objects one request asks for.
const pageSize = 500

// ListOptions narrow a list.
type ListOptions struct {
	// Namespace is the one to list; all if empty.
	Namespace string
	// Labels is a label selector as kubectl takes it; empty selects all.
	Labels string
	// Fields is a field selector, such as metadata.name=settings; empty selects all.
	Fields string
}

// List returns what keep makes of every object of a resource, in the order of
// the API server, which is by namespace and name. It reads page by page, so
// that only what keep returns stays in memory. The error is an *Error; one with
// ReasonNoSuchKind if the cluster does not serve the resource.
func List[T any](
	ctx context.Context, c *Connection, resource schema.GroupVersionResource, opts ListOptions, keep func(*unstructured.Unstructured) T,
) ([]T, error) {
	client, err := c.Dynamic()
	if err != nil {
		return nil, err
	}
	p := pager{connection: c, resource: resource, opts: opts}
	var kept []T
	err = p.list(ctx, func() { kept = nil }, func(ctx context.Context, page metav1.ListOptions) (string, error) {
		list, err := client.Resource(resource).Namespace(opts.Namespace).List(ctx, page)
		if err != nil {
			return "", err
		}
		for i := range list.Items {
			kept = append(kept, keep(&list.Items[i]))
		}
		return list.GetContinue(), nil
	})
	return kept, err
}

// ListMetadata returns the metadata of every object of a resource and reads
// nothing else of them, which is cheap enough for completion.
func ListMetadata(ctx context.Context, c *Connection, resource schema.GroupVersionResource, opts ListOptions) ([]metav1.ObjectMeta, error) {
	client, err := c.Metadata()
	if err != nil {
		return nil, err
	}
	p := pager{connection: c, resource: resource, opts: opts}
	var found []metav1.ObjectMeta
	err = p.list(ctx, func() { found = nil }, func(ctx context.Context, page metav1.ListOptions) (string, error) {
		list, err := client.Resource(resource).Namespace(opts.Namespace).List(ctx, page)
		if err != nil {
			return "", err
		}
		for i := range list.Items {
			list.Items[i].ManagedFields = nil
			found = append(found, list.Items[i].ObjectMeta)
		}
		return list.GetContinue(), nil
	})
	return found, err
}

// ListTyped returns every object of a built-in resource as Go values, without
// their managed fields and what trim removes. It reads protobuf, which takes a
// fraction of the time and memory of JSON. T must be the type of the items of
// the list that is passed to say what is listed, for example corev1.Pod and
// &corev1.PodList{}; the scheme must know both.
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
	err = p.list(ctx, func() { found = nil }, func(ctx context.Context, page metav1.ListOptions) (string, error) {
		into := list.DeepCopyObject()
		err := client.Get().NamespaceIfScoped(opts.Namespace, opts.Namespace != "").Resource(resource.Resource).
			VersionedParams(&page, parameters).Do(ctx).Into(into)
		if err != nil {
			return "", err
		}
		if err := meta.EachListItem(into, func(item runtime.Object) error {
			object, ok := any(item).(*T)
			if !ok {
				return fmt.Errorf("the items of %T are %T", list, item)
			}
			if accessor, err := meta.Accessor(item); err == nil {
				accessor.SetManagedFields(nil)
			}
			trim(object)
			found = append(found, *object)
			return nil
		}); err != nil {
			return "", err
		}
		accessor, err := meta.ListAccessor(into)
		if err != nil {
			return "", err
		}
		return accessor.GetContinue(), nil
	})
	return found, err
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

// pager reads a list in pages.
type pager struct {
	connection *Connection
	resource   schema.GroupVersionResource
	opts       ListOptions
}

// list calls fetch for every page; fetch returns where the next one starts. A
// list that took so long that the server forgot where it was starts again, once
// and without pages; forget drops what came before.
func (p *pager) list(ctx context.Context, forget func(), fetch func(context.Context, metav1.ListOptions) (string, error)) error {
	page := metav1.ListOptions{LabelSelector: p.opts.Labels, FieldSelector: p.opts.Fields, Limit: pageSize}
	for restarted := false; ; {
		next, err := fetch(ctx, page)
		switch {
		case err != nil && page.Continue != "" && !restarted && (apierrors.IsResourceExpired(err) || apierrors.IsGone(err)):
			restarted = true
			forget()
			page.Limit, page.Continue = 0, ""
		case err != nil:
			return p.explain(ctx, err)
		case next == "":
			return nil
		case next == page.Continue:
			return p.explain(ctx, fmt.Errorf("the API server gives the same page again and again"))
		default:
			page.Continue = next
		}
	}
}

func (p *pager) explain(ctx context.Context, err error) error {
	e := p.connection.Translate(p.action(), err)
	// A server forbids also what it does not have.
	if e.Reason == ReasonNoSuchKind || e.Reason == ReasonForbidden && p.connection.lacks(ctx, p.resource) {
		e = p.connection.noSuchKind(ctx, p.action(), p.resource.GroupVersion())
		e.cause = err
	}
	return e
}

func (p *pager) action() string {
	action := "list " + p.resource.GroupResource().String()
	if p.opts.Namespace != "" {
		action += " in " + p.opts.Namespace
	}
	return action
}
