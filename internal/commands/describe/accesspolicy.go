package describe

import (
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func accessPolicyNoun() describeNoun {
	return describeNoun{
		ObjectKind: cmdutil.AccessPolicyKind(), aliases: []string{"accesspolicies", "ap"},
		short: "Show which callers access policies allow, and on which destinations",
		long: cmdutil.Dedent(`
			Show which callers access policies allow, and on which destinations.

			Without a name, print one line per policy. With names (NAME or NAME.NAMESPACE),
			describe these policies in full, with the workloads that they allow.`),
		example: cmdutil.Dedent(`
			# list all access policies
			meshctl describe accesspolicy -f manifests -R

			# show which workloads one policy allows, as YAML
			meshctl describe ap health-checks-east -f manifests -R -o yaml`),
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.AccessPolicies(result, positions, describe.Options{Details: detail.full})
		},
		status: describe.StatusAccessPolicy,
	}
}
