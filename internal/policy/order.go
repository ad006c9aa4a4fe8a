package policy

import (
	"cmp"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// precedence is everything that decides which of two objects goes first
// (semantics D11).
type precedence struct {
	// accepted says that the previous status accepted the object, order its
	// place then.
	accepted bool
	order    uint32
	// created is zero for manifests that never were in a cluster.
	created time.Time
	key     string
}

func precedenceOf(meta *metav1.ObjectMeta, accepted bool, order uint32) precedence {
	return precedence{
		accepted: accepted, order: order, created: meta.CreationTimestamp.Time,
		key: meta.Namespace + "/" + meta.Name,
	}
}

// compare orders previously accepted objects first, by their previous order,
// then older ones, then by namespace/name. An object without timestamp is
// newer than every object that a cluster has stamped.
func (p precedence) compare(q precedence) int {
	if p.accepted != q.accepted {
		if p.accepted {
			return -1
		}
		return 1
	}
	if p.accepted {
		if c := cmp.Compare(p.order, q.order); c != 0 {
			return c
		}
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
