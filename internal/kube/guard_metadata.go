package kube

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"
)

// checkedMetadata is a metadata client that accepts nothing but metadata. The
// wrapped client falls back to reading any JSON as metadata, for API servers
// older than those that meshctl supports.
type checkedMetadata struct {
	metadata.Interface
	connection *Connection
}

// Resource implements metadata.Interface.
func (m checkedMetadata) Resource(resource schema.GroupVersionResource) metadata.Getter {
	inner := m.Interface.Resource(resource)
	return checkedMetadataResource{ResourceInterface: inner, inner: inner, connection: m.connection, resource: resource}
}

// checkedMetadataResource reads the metadata of one resource.
type checkedMetadataResource struct {
	metadata.ResourceInterface
	inner      metadata.Getter
	connection *Connection
	resource   schema.GroupVersionResource
	namespace  string
}

// Namespace implements metadata.Getter.
func (r checkedMetadataResource) Namespace(namespace string) metadata.ResourceInterface {
	r.ResourceInterface, r.namespace = r.inner.Namespace(namespace), namespace
	return r
}

// Get implements metadata.ResourceInterface.
func (r checkedMetadataResource) Get(ctx context.Context, name string, opts metav1.GetOptions, subresources ...string) (*metav1.PartialObjectMetadata, error) {
	answer, err := r.read(ctx, "PartialObjectMetadata", &opts, append([]string{name}, subresources...))
	if err != nil {
		return nil, err
	}
	object, ok := answer.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil, r.unexpected()
	}
	return object, nil
}

// List implements metadata.ResourceInterface.
func (r checkedMetadataResource) List(ctx context.Context, opts metav1.ListOptions) (*metav1.PartialObjectMetadataList, error) {
	answer, err := r.read(ctx, "PartialObjectMetadataList", &opts, nil)
	if err != nil {
		return nil, err
	}
	list, ok := answer.(*metav1.PartialObjectMetadataList)
	if !ok {
		return nil, r.unexpected()
	}
	return list, nil
}

// read requests metadata of a kind without that fallback.
func (r checkedMetadataResource) read(ctx context.Context, kind string, opts runtime.Object, path []string) (runtime.Object, error) {
	scheme := runtime.NewScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		return nil, err
	}
	v1 := schema.GroupVersion{Version: "v1"}
	metav1.AddToGroupVersion(scheme, v1)
	client, err := r.connection.typed(scheme, r.resource.GroupVersion())
	if err != nil {
		return nil, err
	}
	as := ";as=" + kind + ";g=meta.k8s.io;v=v1"
	request := client.Get().NamespaceIfScoped(r.namespace, r.namespace != "").Resource(r.resource.Resource).
		SetHeader("Accept", runtime.ContentTypeProtobuf+as+","+runtime.ContentTypeJSON+as).
		SpecificallyVersionedParams(opts, metav1.ParameterCodec, v1)
	if len(path) > 0 {
		request = request.Name(path[0]).SubResource(path[1:]...)
	}
	answer, err := request.Do(ctx).Get()
	if runtime.IsNotRegisteredError(err) {
		return nil, r.unexpected()
	}
	return answer, err
}

func (r checkedMetadataResource) unexpected() error {
	return &foreignAnswerError{what: "answers the request for metadata of " + r.resource.GroupResource().String() + " with something else"}
}
