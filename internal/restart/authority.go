package restart

import (
	"context"
	"encoding/json"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
)

// authorityChangedAt returns when the CA of a control plane last changed, that is, the Secret
// cacerts in its namespace. The result is in the API server's time, to the second. It can
// therefore be compared with the creation of pods in the same cluster, regardless of the local
// clock.
//
// It reads only metadata, never a key. The result is the time of meshctl's own last write to
// the data, or else of the last write by anyone, or else of the creation. found is false if
// the Secret does not exist: the control plane then signs with a self-generated CA. The error
// is a *kube.Error.
func authorityChangedAt(ctx context.Context, c *kube.Connection, namespace string) (changed time.Time, found bool, err error) {
	client, err := c.Metadata()
	if err != nil {
		return time.Time{}, false, err
	}
	secrets := schema.GroupVersionResource{Version: "v1", Resource: "secrets"}
	secret, err := client.Resource(secrets).Namespace(namespace).Get(ctx, trust.CASecretName, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return time.Time{}, false, nil
	}
	if err != nil {
		return time.Time{}, false, c.Explain("read when Secret "+trust.CASecretName+" in "+namespace+" last changed", err)
	}
	return dataChangedAt(&secret.ObjectMeta), true, nil
}

// authorityPermission returns the permission that authorityChangedAt needs.
func authorityPermission(namespace string) kube.Permission {
	return kube.Permission{Verb: "get", Resource: "secrets", Namespace: namespace, Name: trust.CASecretName}
}

// dataChangedAt returns when the data of an object last changed, according to its managed
// fields.
func dataChangedAt(meta *metav1.ObjectMeta) time.Time {
	var own, newest time.Time
	for _, entry := range meta.ManagedFields {
		if entry.Time == nil || entry.FieldsV1 == nil || entry.Subresource != "" || !ownsData(entry.FieldsV1) {
			continue
		}
		if entry.Manager == kube.DefaultFieldManager {
			own = later(own, entry.Time.Time)
		}
		newest = later(newest, entry.Time.Time)
	}
	switch {
	case !own.IsZero():
		return own
	case !newest.IsZero():
		return newest
	default:
		return meta.CreationTimestamp.Time
	}
}

// ownsData reports whether a set of fields includes the data of a Secret.
func ownsData(fields *metav1.FieldsV1) bool {
	var top map[string]json.RawMessage
	_ = json.Unmarshal(fields.GetRawBytes(), &top) // malformed fields own nothing
	_, owns := top["f:data"]
	return owns
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
