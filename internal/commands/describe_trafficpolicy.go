package commands

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func trafficPolicyNoun() describeNoun {
	return describeNoun{
		objectKind: trafficPolicyKind(), aliases: []string{"trafficpolicies", "tp"},
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
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.TrafficPolicies(result, positions, describe.Options{Details: detail.full})
		},
		status: describe.StatusTrafficPolicy,
	}
}
