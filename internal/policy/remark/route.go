package remark

import (
	"cmp"
	"fmt"
	"time"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Setting is a setting of a route and the name of its policy.
type Setting struct {
	Value  any
	Policy int
	Name   string
}

// OfRoute is a remark about settings that act on each other in one route.
type OfRoute struct {
	// Policy is the policy that it is about.
	Policy  int
	Code    finding.Code
	Message string
}

// AboutRoute returns remarks about the settings of a route, which may come from
// several policies (D57, D76).
func AboutRoute(setting func(field string) (Setting, bool)) []OfRoute {
	timeout, _ := setting(feature.RequestTimeout)
	retries, _ := setting(feature.Retries)
	fault, _ := setting(feature.FaultInjection)
	var found []OfRoute
	request, try := requestTimeout(timeout.Value), perTryTimeout(retries.Value)
	if request > 0 && try >= request {
		found = append(found, OfRoute{retries.Policy, finding.CodeRetryTooLong, fmt.Sprintf(
			"spec.policy.retries.perTryTimeout (%s) is not shorter than requestTimeout (%s) %s, so a slow try is never repeated",
			try, request, of(timeout, retries))})
	}
	f, ok := fault.Value.(*networkingv1.FaultInjection)
	if !ok || f.Percentage != nil && *f.Percentage == 0 {
		return found
	}
	about := func(s Setting, format string, args ...any) {
		found = append(found, OfRoute{s.Policy, finding.CodeFaultFirst, fmt.Sprintf(format, args...)})
	}
	repeats := attempts(retries.Value) > 0
	switch {
	case f.FixedDelay != nil && request > 0:
		about(timeout, "spec.policy.requestTimeout (%s) does not count the fixedDelay (%s) of faultInjection %s, which comes before it: delayed requests take up to %s",
			request, f.FixedDelay, of(fault, timeout), f.FixedDelay.Std()+request)
	case f.Abort != nil:
		if request > 0 {
			about(timeout, "spec.policy.requestTimeout has no effect on requests that faultInjection %s aborts: they are answered at once", of(fault, timeout))
		}
		if repeats {
			about(retries, "spec.policy.retries has no effect on requests that faultInjection %s aborts: an abort is not retried", of(fault, retries))
		}
	}
	return found
}

// of names the policy of a setting, as seen from another one.
func of(s, other Setting) string {
	if s.Policy == other.Policy {
		return "of the policy"
	}
	return "of TrafficPolicy " + s.Name
}

// Interact reports whether AboutRoute could remark anything about a route with
// some of the values. It avoids composing the routes of most Destinations.
func Interact(values []any) bool {
	longest, shortest := time.Duration(0), time.Duration(0)
	faults, repeats := false, false
	for _, value := range values {
		longest = max(longest, perTryTimeout(value))
		if timeout := requestTimeout(value); timeout > 0 {
			shortest = min(cmp.Or(shortest, timeout), timeout)
		}
		_, isFault := value.(*networkingv1.FaultInjection)
		faults, repeats = faults || isFault, repeats || attempts(value) > 0
	}
	return shortest > 0 && longest >= shortest || faults && (shortest > 0 || repeats)
}

func attempts(value any) int32 {
	if retries, ok := value.(*networkingv1.RetryPolicy); ok {
		return retries.Attempts
	}
	return 0
}

// perTryTimeout returns the timeout of a try; 0 if there is none or no retry.
func perTryTimeout(value any) time.Duration {
	retries, ok := value.(*networkingv1.RetryPolicy)
	if !ok || retries.Attempts == 0 {
		return 0
	}
	return retries.PerTryTimeout.Std()
}

// requestTimeout returns the timeout of a request; 0 if there is none.
func requestTimeout(value any) time.Duration {
	timeout, ok := value.(*core.Duration)
	if !ok {
		return 0
	}
	return timeout.Std()
}
