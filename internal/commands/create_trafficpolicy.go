package commands

import (
	"time"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func trafficPolicyCreation() creation[render.TrafficPolicyInput, *networkingv1.TrafficPolicy] {
	return creation[render.TrafficPolicyInput, *networkingv1.TrafficPolicy]{
		kind: render.TrafficPolicy(), aliases: []string{"trafficpolicies", "tp"},
		short: "Say how calls are made: timeouts, retries, shifts, faults and more",
		long: dedent(`
			Create a traffic policy: it selects calls by source, destination and request,
			and says how they are made.

			Without --source it is about calls from everywhere, without --destination and
			--destination-selector about calls to everything. On a terminal, what the flags
			do not say is asked for. 'meshctl help flag-forms' has the grammar of --shift,
			--match and other values that have parts.`),
		example: dedent(`
			# three quarters of the requests go to one version
			meshctl create trafficpolicy reviews-canary -f manifests -R --destination reviews.bookinfo.west \
			  --shift reviews.bookinfo.west:9080@version=v3=75 --shift reviews.bookinfo.east:9080@version=v2=25

			# requests of one namespace to one path get two retries of a second
			meshctl create tp details-retries -f manifests -R --source namespace=bookinfo,cluster=east \
			  --destination details.bookinfo.east --match prefix=/details,method=GET --retries 2 --retry-timeout 1s

			# half of the requests are delayed, as JSON
			meshctl create trafficpolicy slow-ratings -f manifests -R --destination ratings.bookinfo.east \
			  --fault-delay 2s --fault-percentage 50 -o json`),
		questions: wizard.TrafficPolicy, revisit: wizard.RevisitTrafficPolicy,
		missing: func(p *networkingv1.TrafficPolicy) string {
			if p.Spec.Policy == nil {
				return "what the policy does, for example --timeout, --retries or --shift"
			}
			return ""
		},
		existing: trafficPolicyKind().objects,
		joining: func(w *world.World, resource *networkingv1.TrafficPolicy, now time.Time) world.Objects {
			return world.Objects{TrafficPolicies: joining(w.TrafficPolicies, resource, now)}
		},
	}
}
