package describe

import (
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func trafficPolicyNoun() describeNoun {
	return describeNoun{
		ObjectKind: cmdutil.TrafficPolicyKind(), aliases: []string{"trafficpolicies", "tp"},
		short: "Show where traffic policies apply and what overrides them",
		long: cmdutil.Dedent(`
			Show where traffic policies apply and what overrides them, and which workloads
			they affect.

			Without a name, print one line per policy. With names (NAME or NAME.NAMESPACE),
			describe these policies in full.`),
		example: cmdutil.Dedent(`
			# list all traffic policies with their selectors
			meshctl describe trafficpolicy -f manifests -R -o wide

			# show where one policy is overridden, and by which other policy
			meshctl describe tp reviews-timeout-storefront -f manifests -R`),
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.TrafficPolicies(result, positions, describe.Options{Details: detail.full})
		},
		status: describe.StatusTrafficPolicy,
	}
}
