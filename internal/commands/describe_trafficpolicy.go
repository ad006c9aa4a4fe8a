package commands

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func trafficPolicyNoun() describeNoun {
	return describeNoun{
		name: "trafficpolicy", plural: "traffic policies", aliases: []string{"trafficpolicies", "tp"}, kind: "TrafficPolicy",
		short: "Show where traffic policies are in force, where they lose and to whom",
		long: dedent(`
			Show where traffic policies are in force, where they lose and to whom, and which
			workloads they affect.

			Without a name, print one line per policy. A name is NAME or NAME.NAMESPACE, and
			gives the full description of that policy.`),
		example: dedent(`
			# every traffic policy, one line each, with its selectors in words
			meshctl describe trafficpolicy -f manifests -R -o wide

			# where one policy loses, and to which other policy
			meshctl describe tp reviews-timeout-storefront -f manifests -R`),
		objects: func(w *world.World) []world.Names {
			return resourceNames("TrafficPolicy", w.TrafficPolicies, func(r *networkingv1.TrafficPolicy) *metav1.ObjectMeta { return &r.ObjectMeta })
		},
		labels:   func(w *world.World, i int) map[string]string { return w.TrafficPolicies[i].Resource.Labels },
		labelled: "labels",
		hint:     hintPolicy(policy.KindTrafficPolicy),
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.TrafficPolicies(result, positions, describe.Options{Details: detail.full})
		},
		status: describe.StatusTrafficPolicy,
	}
}
