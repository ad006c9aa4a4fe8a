package create

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/world"
)

// joining returns a copy of the resource that is ready to join what exists. The
// order of semantics D11 depends on ages: as on a cluster, a new resource is the
// youngest. Files without timestamps have no ages, and then it gets none. One
// that replaces another gets the age of that from World.With.
func joining[T any, P interface {
	*T
	metav1.Object
	DeepCopy() *T
}](existing []world.Object[T], resource P, now time.Time,
) []world.Object[T] {
	joins := P(resource.DeepCopy())
	if slices.ContainsFunc(existing, func(o world.Object[T]) bool {
		created := P(o.Resource).GetCreationTimestamp()
		return !created.IsZero()
	}) {
		joins.SetCreationTimestamp(metav1.NewTime(now))
	}
	return []world.Object[T]{{Resource: joins}}
}
