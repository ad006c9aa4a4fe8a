package policy

import (
	"fmt"
	"slices"
	"time"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/policy/finding"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// slowTry is a retry setting whose single try may take as long as the whole
// request.
type slowTry struct {
	// retries and timeout are the positions of the policies that set them.
	retries, timeout int
	try, request     time.Duration
}

// remarkRetries reports retries that never happen because the request times out
// first (semantics D57). The two settings may come from different policies, so
// the routes are examined.
func (e *evaluator) remarkRetries() {
	found := map[slowTry][]string{}
	for id := range e.result.Destinations {
		if !e.mayTryTooLong(id) {
			continue
		}
		d := &e.world.Destinations[id]
		for _, cluster := range e.result.originClusters(d) {
			for _, route := range e.result.routesFrom(cluster, id) {
				retries, hasRetries := route.Setting(feature.Retries)
				timeout, hasTimeout := route.Setting(feature.RequestTimeout)
				if !hasRetries || !hasTimeout {
					continue
				}
				slow := slowTry{retries.Policy, timeout.Policy, perTryTimeout(retries.Value), requestTimeout(timeout.Value)}
				if keys := found[slow]; slow.request > 0 && slow.try >= slow.request && (len(keys) == 0 || keys[len(keys)-1] != d.Key()) {
					found[slow] = append(keys, d.Key())
				}
			}
		}
	}
	for slow, destinations := range found {
		slices.Sort(destinations)
		of := "of the policy"
		if slow.timeout != slow.retries {
			other := e.result.TrafficPolicies[slow.timeout].Resource
			of = fmt.Sprintf("of TrafficPolicy %s.%s", other.Name, other.Namespace)
		}
		e.report(finding.New(finding.CodeRetryTooLong, e.result.TrafficPolicies[slow.retries].ID(), fmt.Sprintf(
			"spec.policy.retries.perTryTimeout (%s) is not shorter than requestTimeout (%s) %s, so a slow try is never repeated (on %s)",
			slow.try, slow.request, of, text.Bounded(destinations, 1))))
	}
}

// mayTryTooLong reports whether a policy on a Destination has a per-try timeout
// that is not shorter than the request timeout of a policy there. It avoids
// composing the routes of most Destinations.
func (e *evaluator) mayTryTooLong(destination int) bool {
	longest, shortest := time.Duration(0), time.Duration(0)
	for _, i := range e.result.Destinations[destination].Traffic {
		for _, f := range e.result.TrafficPolicies[i].RouteFeatures {
			longest = max(longest, perTryTimeout(f.Value))
			if timeout := requestTimeout(f.Value); timeout > 0 && (shortest == 0 || timeout < shortest) {
				shortest = timeout
			}
		}
	}
	return shortest > 0 && longest >= shortest
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
