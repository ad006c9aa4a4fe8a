package commands

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/snapshot"
)

// joining returns a copy of the resource that is ready to join what exists. The
// order of semantics D11 depends on ages: as on a cluster, a new resource is the
// youngest. Files without timestamps have no ages, and then it gets none. One
// that replaces another gets the age of that from World.With.
func joining[T any, P interface {
	*T
	metav1.Object
	DeepCopy() *T
}](existing []snapshot.Object[T], resource P, now time.Time,
) []snapshot.Object[T] {
	joins := P(resource.DeepCopy())
	if slices.ContainsFunc(existing, func(o snapshot.Object[T]) bool {
		created := P(o.Resource).GetCreationTimestamp()
		return !created.IsZero()
	}) {
		joins.SetCreationTimestamp(metav1.NewTime(now))
	}
	return []snapshot.Object[T]{{Resource: joins}}
}
