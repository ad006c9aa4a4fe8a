package create

import (
	"slices"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/world"
)

// joining returns a copy of the resource to add to the existing ones. Precedence
// depends on age (D11): as on a cluster, a new resource is the youngest. If
// the existing ones have no timestamps, as in files, the copy gets none either.
// World.With gives a replacement the age of the resource that it replaces.
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
