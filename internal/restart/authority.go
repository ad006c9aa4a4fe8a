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

// authorityChangedAt returns when the certificate authority of a control plane last
// changed: the Secret cacerts in the namespace that it is installed in. It is
// the API server's time, to the second, so that it compares with when the same
// cluster's pods were created, whatever the clock of this machine says.
//
// Nothing but metadata is read, never a key. The time is that of meshctl's own
// writes of the data, else that of the newest write by anybody, else that of the
// creation. Found is false if there is no such Secret: then the control plane
// signs with a certificate authority of its own. The error is a *kube.Error.
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

// authorityPermission is what authorityChangedAt needs.
func authorityPermission(namespace string) kube.Permission {
	return kube.Permission{Verb: "get", Resource: "secrets", Namespace: namespace, Name: trust.CASecretName}
}

// dataChangedAt tells from the managed fields when the data of an object
// changed.
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

// ownsData reports whether a set of fields contains any of a Secret's data.
func ownsData(fields *metav1.FieldsV1) bool {
	var top map[string]json.RawMessage
	_ = json.Unmarshal(fields.GetRawBytes(), &top) // what is no set of fields has none
	_, owns := top["f:data"]
	return owns
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}
