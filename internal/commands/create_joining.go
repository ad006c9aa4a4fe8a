package commands

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/snapshot"
)

// joining prepares a resource for joining what exists, because the order of
// semantics D11 depends on ages. It gets the age of the resource of the same
// name, which is returned; else it is the youngest, as on a cluster. Files
// without timestamps have no ages, and then it gets none.
func joining[T any, P interface {
	*T
	metav1.Object
}](existing []snapshot.Object[T], resource P, now time.Time,
) *T {
	aged := false
	for _, object := range existing {
		other := P(object.Resource)
		if other.GetName() == resource.GetName() && other.GetNamespace() == resource.GetNamespace() {
			resource.SetCreationTimestamp(other.GetCreationTimestamp())
			return object.Resource
		}
		created := other.GetCreationTimestamp()
		aged = aged || !created.IsZero()
	}
	if aged {
		resource.SetCreationTimestamp(metav1.NewTime(now))
	}
	return nil
}
