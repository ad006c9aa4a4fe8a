package commands

import (
	"time"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func accessPolicyCreation() creation[render.AccessPolicyInput, *networkingv1.AccessPolicy] {
	return creation[render.AccessPolicyInput, *networkingv1.AccessPolicy]{
		kind: render.AccessPolicy(), aliases: []string{"accesspolicies", "ap"},
		short: "Allow callers to use destinations",
		long: dedent(`
			Create an access policy: it allows the callers that it selects to use the
			destinations that it selects, perhaps only for some paths, methods and ports.

			Without --source it admits the workloads of each destination's own mesh; with
			'--source any' everybody. The first access policy on a destination closes it to
			everyone else. On a terminal, what the flags do not say is asked for. 'meshctl
			help flag-forms' has the grammar of --source and --destination-selector.`),
		example: dedent(`
			# one service account may call one destination
			meshctl create accesspolicy details-to-ratings -f manifests -R \
			  --source service-account=bookinfo-details.bookinfo.east --destination ratings.bookinfo.east

			# a whole namespace may read, and nothing else
			meshctl create ap bookinfo-reads -f manifests -R --source namespace=bookinfo,cluster=west \
			  --destination-selector namespace=bookinfo,cluster=east --method GET --method HEAD`),
		questions: wizard.AccessPolicy, revisit: wizard.RevisitAccessPolicy,
		missing: func(p *networkingv1.AccessPolicy) string {
			s := &p.Spec
			if len(s.SourceSelector)+len(s.DestinationSelector)+len(s.AllowedPaths)+len(s.AllowedMethods)+len(s.AllowedPorts) == 0 {
				return "whom or what the policy allows: at least one of --source, --destination, --destination-selector, --path, --method, --port"
			}
			return ""
		},
		existing: accessPolicyKind().objects,
		joining: func(w *world.World, resource *networkingv1.AccessPolicy, now time.Time) world.Objects {
			return world.Objects{AccessPolicies: joining(w.AccessPolicies, resource, now)}
		},
	}
}
