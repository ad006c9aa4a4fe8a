package load

import (
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
)

// isSecret reports whether a kind is the Secret of Kubernetes. Secrets are no part of
// a world, which must not hold private keys; FileOptions.Secrets receives them.
func isSecret(gvk schema.GroupVersionKind) bool {
	return gvk == corev1.SchemeGroupVersion.WithKind("Secret")
}

// secretOf decodes a Secret. One that does not fit, such as an encrypted one, has no
// data. There is no error, because it might quote a key.
func secretOf(object map[string]any, id objectID) *kube.Secret {
	secret := &kube.Secret{Namespace: id.namespace, Name: id.name}
	decoded := corev1.Secret{}
	if runtime.DefaultUnstructuredConverter.FromUnstructured(object, &decoded) != nil {
		return secret
	}
	secret.Type, secret.Labels, secret.Annotations = string(decoded.Type), decoded.Labels, decoded.Annotations
	secret.Data = map[string][]byte{}
	for key, value := range decoded.Data {
		secret.Data[key] = value
	}
	for key, value := range decoded.StringData {
		secret.Data[key] = []byte(value)
	}
	return secret
}
