// Package create is `meshctl create`: it makes resources from flags or
// questions, reviews their impact, and prints, saves or applies them.
package create

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// NewCmd returns the command `meshctl create`.
func NewCmd(f *cmdutil.Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "create RESOURCE [NAME]",
		Short:   "Create virtual meshes and policies, with flags or interactively",
		GroupID: cmdutil.GroupAuthor,
		Long: cmdutil.Dedent(`
			Create virtual meshes, traffic policies and access policies with flags. On a
			terminal, meshctl prompts for what the flags leave open. Before anything is
			written, it shows the manifest and its effect on the workloads of all clusters.`),
		Example: cmdutil.Dedent(`
			# create a virtual mesh interactively
			meshctl create virtualmesh -f manifests -R --mesh istiod-istio-system-east prod

			# print a traffic policy with a timeout for one destination
			meshctl create trafficpolicy slow-ratings -f manifests -R --destination ratings.bookinfo.east --timeout 3s

			# allow one service account to call one destination
			meshctl create accesspolicy reviews-to-ratings -f manifests -R \
			  --source service-account=bookinfo-reviews.bookinfo.east --destination ratings.bookinfo.east`),
	}
	cmd.AddCommand(
		newKindCmd(f, virtualMeshCreation()),
		newKindCmd(f, trafficPolicyCreation()),
		newKindCmd(f, accessPolicyCreation()),
	)
	return cmdutil.WithSubcommands(cmd, "resource")
}
