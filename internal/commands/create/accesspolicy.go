package create

import (
	"time"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

func accessPolicyCreation() creation[render.AccessPolicyInput, *networkingv1.AccessPolicy] {
	return creation[render.AccessPolicyInput, *networkingv1.AccessPolicy]{
		kind: render.AccessPolicy(), aliases: []string{"accesspolicies", "ap"},
		short: "Create an access policy that allows calls to destinations",
		long: cmdutil.Dedent(`
			Create an access policy. It allows the selected sources to call the selected
			destinations, optionally only for some paths, methods and ports.

			Without --source, it allows the workloads in the mesh of each destination; with
			'--source any', all callers. The first access policy that selects a destination
			denies all other callers. On a terminal, meshctl prompts for what the flags leave
			open. 'meshctl help flag-forms' has the syntax of --source and
			--destination-selector.`),
		example: cmdutil.Dedent(`
			# allow one service account to call one destination
			meshctl create accesspolicy details-to-ratings -f manifests -R \
			  --source service-account=bookinfo-details.bookinfo.east --destination ratings.bookinfo.east

			# allow a whole namespace read-only access
			meshctl create ap bookinfo-reads -f manifests -R --source namespace=bookinfo,cluster=west \
			  --destination-selector namespace=bookinfo,cluster=east --method GET --method HEAD`),
		questions: wizard.AccessPolicy, revisit: wizard.RevisitAccessPolicy,
		missing: func(p *networkingv1.AccessPolicy) string {
			s := &p.Spec
			if len(s.SourceSelector)+len(s.DestinationSelector)+len(s.AllowedPaths)+len(s.AllowedMethods)+len(s.AllowedPorts) == 0 {
				return "at least one of --source, --destination, --destination-selector, --path, --method, --port"
			}
			return ""
		},
		existing: cmdutil.AccessPolicyKind().Objects,
		joining: func(w *world.World, resource *networkingv1.AccessPolicy, now time.Time) world.Objects {
			return world.Objects{AccessPolicies: joining(w.AccessPolicies, resource, now)}
		},
	}
}
