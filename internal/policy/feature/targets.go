package feature

import (
	"fmt"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// ShiftTarget returns the Service that requests are shifted to.
func ShiftTarget(d *networkingv1.KubeDestination) core.ClusterObjectRef {
	return core.ClusterObjectRef{Name: d.Name, Namespace: d.Namespace, ClusterName: d.ClusterName}
}

func shiftTargets(s *networkingv1.MultiDestination) []Target {
	var found []Target
	for i, d := range s.Destinations {
		if k := d.KubeService; k != nil {
			found = append(found, Target{At: fmt.Sprintf(".destinations[%d]", i), Service: ShiftTarget(k), Port: k.Port, Subset: k.Subset})
		}
	}
	return found
}

func mirrorTargets(m *networkingv1.Mirror) []Target {
	if m.KubeService == nil {
		return nil
	}
	return []Target{{Service: *m.KubeService, Port: m.Port}}
}
