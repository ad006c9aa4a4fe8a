package feature

import (
	"cmp"
	"slices"
	"time"

	"k8s.io/apimachinery/pkg/conversion"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Equalities compares effective values by their effect: absent and empty are
// equal, and so are different spellings of a duration. It is expensive to build.
func Equalities() conversion.Equalities {
	return conversion.EqualitiesOrDie(func(x, y core.Duration) bool { return x.Std() == y.Std() })
}

// percent returns a percentage with its default, which is 100 (D24).
func percent(p *float64) *float64 {
	if p != nil {
		return p
	}
	all := 100.0
	return &all
}

func effectiveFault(f *networkingv1.FaultInjection, _ PortResolver) *networkingv1.FaultInjection {
	effective := *f
	effective.Percentage = percent(f.Percentage)
	return &effective
}

func effectiveMirror(m *networkingv1.Mirror, ports PortResolver) *networkingv1.Mirror {
	effective := *m
	effective.Percentage = percent(m.Percentage)
	if m.KubeService != nil && m.Port == 0 {
		effective.Port = ports(*m.KubeService)
	}
	return &effective
}

// effectiveShift returns a shift with all weights and ports filled in; nil
// without destinations.
func effectiveShift(s *networkingv1.MultiDestination, ports PortResolver) *networkingv1.MultiDestination {
	if len(s.Destinations) == 0 {
		return nil
	}
	effective := &networkingv1.MultiDestination{Destinations: slices.Clone(s.Destinations)}
	for i := range effective.Destinations {
		d := &effective.Destinations[i]
		if d.Weight == nil {
			weight := uint32(0)
			if len(effective.Destinations) == 1 { // a single one gets all requests (D25)
				weight = 100
			}
			d.Weight = &weight
		}
		if d.KubeService != nil && d.KubeService.Port == 0 {
			target := *d.KubeService
			target.Port = ports(ShiftTarget(&target))
			d.KubeService = &target
		}
	}
	return effective
}

// effectiveTLS returns the TLS mode of a policy; nil if it has none.
func effectiveTLS(m *networkingv1.MTLS, _ PortResolver) *networkingv1.MTLS {
	if m.Istio == nil {
		return nil
	}
	return &networkingv1.MTLS{Istio: &networkingv1.IstioMTLS{TLSMode: m.Istio.TLSMode.OrDefault()}}
}

// The defaults of outlier detection.
const (
	defaultConsecutiveErrors  = 5
	defaultOutlierInterval    = 10 * time.Second
	defaultBaseEjectionTime   = 30 * time.Second
	defaultMaxEjectionPercent = 100
)

func effectiveOutliers(o *networkingv1.OutlierDetection, _ PortResolver) *networkingv1.OutlierDetection {
	return &networkingv1.OutlierDetection{
		ConsecutiveErrors:  cmp.Or(o.ConsecutiveErrors, defaultConsecutiveErrors),
		Interval:           orDuration(o.Interval, defaultOutlierInterval),
		BaseEjectionTime:   orDuration(o.BaseEjectionTime, defaultBaseEjectionTime),
		MaxEjectionPercent: cmp.Or(o.MaxEjectionPercent, defaultMaxEjectionPercent),
	}
}

func orDuration(d *core.Duration, fallback time.Duration) *core.Duration {
	if d.Std() == 0 {
		return core.NewDuration(fallback)
	}
	return d
}
