package create

import (
	"time"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func trafficPolicyCreation() creation[render.TrafficPolicyInput, *networkingv1.TrafficPolicy] {
	return creation[render.TrafficPolicyInput, *networkingv1.TrafficPolicy]{
		kind: render.TrafficPolicy(), aliases: []string{"trafficpolicies", "tp"},
		short: "Create a traffic policy (timeouts, retries, shifts, faults, ...)",
		long: cmdutil.Dedent(`
			Create a traffic policy. It selects calls by source, destination and request,
			and configures them.

			Without --source, it applies to calls from all workloads; without --destination
			and --destination-selector, to calls to all destinations. On a terminal, meshctl
			prompts for what the flags leave open. 'meshctl help flag-forms' has the syntax
			of --shift, --match and other structured values.`),
		example: cmdutil.Dedent(`
			# shift three quarters of the requests to one version
			meshctl create trafficpolicy reviews-canary -f manifests -R --destination reviews.bookinfo.west \
			  --shift reviews.bookinfo.west:9080@version=v3=75 --shift reviews.bookinfo.east:9080@version=v2=25

			# retry requests of one namespace to one path twice, for a second each
			meshctl create tp details-retries -f manifests -R --source namespace=bookinfo,cluster=east \
			  --destination details.bookinfo.east --match prefix=/details,method=GET --retries 2 --retry-timeout 1s

			# delay half of the requests, and print JSON
			meshctl create trafficpolicy slow-ratings -f manifests -R --destination ratings.bookinfo.east \
			  --fault-delay 2s --fault-percentage 50 -o json`),
		questions: wizard.TrafficPolicy, revisit: wizard.RevisitTrafficPolicy,
		missing: func(p *networkingv1.TrafficPolicy) string {
			if p.Spec.Policy == nil {
				return "at least one setting, for example --timeout, --retries or --shift"
			}
			return ""
		},
		existing: cmdutil.TrafficPolicyKind().Objects,
		joining: func(w *world.World, resource *networkingv1.TrafficPolicy, now time.Time) world.Objects {
			return world.Objects{TrafficPolicies: joining(w.TrafficPolicies, resource, now)}
		},
	}
}
