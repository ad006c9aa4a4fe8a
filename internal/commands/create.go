package commands

import (
	"github.com/spf13/cobra"
)

func newCreateCmd(f *Factory) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "create RESOURCE [NAME]",
		Short:   "Create virtual meshes and policies, by flags or by answering questions",
		GroupID: groupAuthor,
		Long: dedent(`
			Create virtual meshes, traffic policies and access policies. Flags say what
			the resource has; on a terminal, questions are asked about what the flags did
			not say. Before anything is written, the manifest is shown with what it would
			change for the workloads of all clusters.`),
		Example: dedent(`
			# answer questions about a new virtual mesh, on a terminal
			meshctl create virtualmesh -f manifests -R --mesh istiod-istio-system-east prod

			# a timeout for one destination; the manifest goes to standard output
			meshctl create trafficpolicy slow-ratings -f manifests -R --destination ratings.bookinfo.east --timeout 3s

			# let one service account call one destination
			meshctl create accesspolicy reviews-to-ratings -f manifests -R \
			  --source service-account=bookinfo-reviews.bookinfo.east --destination ratings.bookinfo.east`),
	}
	cmd.AddCommand(
		newCreateKindCmd(f, virtualMeshCreation()),
		newCreateKindCmd(f, trafficPolicyCreation()),
		newCreateKindCmd(f, accessPolicyCreation()),
	)
	return withSubcommands(cmd, "resource")
}
