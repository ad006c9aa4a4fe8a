package policy

import (
	"cmp"
	"slices"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// precedence holds everything that decides which of two objects takes precedence
// (D11).
type precedence struct {
	// accepted is true if the previous status accepted the object.
	accepted bool
	// created is zero for manifests that were never in a cluster.
	created time.Time
	key     string
}

// StatusKey returns the key of a resource in status maps and lists,
// NAME.NAMESPACE and a dot: resources of the management cluster have no cluster
// name to put behind it.
func StatusKey(meta *metav1.ObjectMeta) string { return meta.Name + "." + meta.Namespace + "." }

func precedenceOf(meta *metav1.ObjectMeta, accepted bool) precedence {
	return precedence{
		accepted: accepted, created: meta.CreationTimestamp.Time,
		key: meta.Namespace + "/" + meta.Name,
	}
}

// compare orders previously accepted objects first, then older ones, then by
// namespace/name. An object without a creation time is newer than all others.
func (p precedence) compare(q precedence) int {
	if p.accepted != q.accepted {
		if p.accepted {
			return -1
		}
		return 1
	}
	return cmp.Or(compareAge(p.created, q.created), strings.Compare(p.key, q.key))
}

func compareAge(a, b time.Time) int {
	switch {
	case a.Equal(b):
		return 0
	case a.IsZero():
		return 1
	case b.IsZero():
		return -1
	default:
		return a.Compare(b)
	}
}

// ordered is the part of a policy that its order depends on.
type ordered interface {
	meta() *metav1.ObjectMeta
	// previous returns the policy's previous status on each Destination.
	previous() map[string]core.ApprovalStatus
}

// orderPolicies sorts the policies of every Destination in the order of D11,
// which may differ by Destination because of previous acceptance. list returns
// the positions of those on a Destination, which are sorted in place.
func orderPolicies[P any, T interface {
	*P
	ordered
}](w *world.World, policies []P, list func(*Destination) []int, destinations []Destination) {
	// Without previous acceptance, one global order applies to every Destination.
	order := make([]int, len(policies))
	for i := range order {
		order[i] = i
	}
	slices.SortFunc(order, func(a, b int) int {
		return precedenceOf(T(&policies[a]).meta(), false).compare(precedenceOf(T(&policies[b]).meta(), false))
	})
	rank := make([]int, len(policies))
	for place, i := range order {
		rank[i] = place
	}
	for id := range destinations {
		key := StatusKey(&w.Destinations[id].Resource.ObjectMeta)
		slices.SortFunc(list(&destinations[id]), func(a, b int) int {
			return cmp.Or(
				comparePrevious(T(&policies[a]).previous(), T(&policies[b]).previous(), key),
				cmp.Compare(rank[a], rank[b]),
			)
		})
	}
}

func (p *TrafficPolicy) meta() *metav1.ObjectMeta { return &p.Resource.ObjectMeta }

func (p *TrafficPolicy) previous() map[string]core.ApprovalStatus {
	return p.Resource.Status.Destinations
}

func (p *AccessPolicy) meta() *metav1.ObjectMeta { return &p.Resource.ObjectMeta }

func (p *AccessPolicy) previous() map[string]core.ApprovalStatus {
	return p.Resource.Status.Destinations
}

// comparePrevious puts policies that the previous status accepted on a
// Destination first, in their previous order.
func comparePrevious(a, b map[string]core.ApprovalStatus, destination string) int {
	pa, okA := a[destination]
	pb, okB := b[destination]
	okA = okA && pa.State == core.ApprovalStateAccepted
	okB = okB && pb.State == core.ApprovalStateAccepted
	switch {
	case okA && okB:
		return cmp.Compare(pa.AcceptanceOrder, pb.AcceptanceOrder)
	case okA:
		return -1
	case okB:
		return 1
	default:
		return 0
	}
}
