package restart

import (
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/kubectl/pkg/polymorphichelpers"
)

// rolloutStatus says of a Deployment, DaemonSet or StatefulSet what `kubectl
// rollout status` says: what it waits for, and whether it is done. The error is
// that the rollout has failed, or cannot be watched.
func rolloutStatus(kind string, object runtime.Object) (message string, done bool, err error) {
	content, isUnstructured := object.(*unstructured.Unstructured)
	if !isUnstructured {
		fields, err := runtime.DefaultUnstructuredConverter.ToUnstructured(object)
		if err != nil {
			return "", false, err
		}
		content = &unstructured.Unstructured{Object: fields}
	}
	viewer, err := polymorphichelpers.StatusViewerFor(schema.GroupKind{Group: appsv1.GroupName, Kind: kind})
	if err != nil {
		return "", false, err
	}
	message, done, err = viewer.Status(content, 0)
	return plain(message), done, err
}

// plain makes a phrase of kubectl's message.
func plain(message string) string {
	message = strings.TrimRight(message, ".\n")
	if rest, found := strings.CutPrefix(message, "Waiting for "); found {
		return "waiting for " + rest
	}
	return message
}
