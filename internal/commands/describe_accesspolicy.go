package commands

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func accessPolicyNoun() describeNoun {
	return describeNoun{
		name: "accesspolicy", plural: "access policies", aliases: []string{"accesspolicies", "ap"}, kind: "AccessPolicy",
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
		objects: func(w *world.World) []world.Names {
			return resourceNames("AccessPolicy", w.AccessPolicies, func(r *networkingv1.AccessPolicy) *metav1.ObjectMeta { return &r.ObjectMeta })
		},
		labels:   func(w *world.World, i int) map[string]string { return w.AccessPolicies[i].Resource.Labels },
		labelled: "labels",
		hint:     hintPolicy(policy.KindAccessPolicy),
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.AccessPolicies(result, positions, describe.Options{Details: detail.full})
		},
		status: describe.StatusAccessPolicy,
	}
}
