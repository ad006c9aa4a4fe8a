package commands

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func accessPolicyNoun() describeNoun {
	return describeNoun{
		objectKind: accessPolicyKind(), aliases: []string{"accesspolicies", "ap"},
		short: "Show whom access policies admit, to what, and where they are in force",
		long: dedent(`
			Show whom access policies admit, to what, and where they are in force.

			Without a name, print one line per policy. A name is NAME or NAME.NAMESPACE, and
			gives the full description of that policy, with the workloads it lets in.`),
		example: dedent(`
			# every access policy, one line each
			meshctl describe accesspolicy -f manifests -R

			# which workloads one policy lets in where, as YAML
			meshctl describe ap health-checks-east -f manifests -R -o yaml`),
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.AccessPolicies(result, positions, describe.Options{Details: detail.full})
		},
		status: describe.StatusAccessPolicy,
	}
}
