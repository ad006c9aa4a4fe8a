package commands

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestCreateNeedsItsCluster holds that create ends with the error of the management
// cluster where that cannot be read, rather than to go on as if nothing existed;
// whoever names manifests, or needs nothing of the cluster, does not depend on it.
func TestCreateNeedsItsCluster(t *testing.T) {
	t.Parallel()
	const world = " -f ../../testdata/worlds/bookinfo-two-clusters -R"
	clusters := map[string]struct{ kubeconfig, says string }{
		"unreachable": {
			writeKubeconfig(t, "mgmt"),
			"error: cluster mgmt: connection refused (https://127.0.0.1:1) (check that the cluster runs and that the address is right)\n",
		},
		"no management cluster": {
			(&managementAPI{}).start(t, "mgmt"), "error: cluster mgmt: not a management cluster: the CRDs of meshctl are not installed " +
				"(name the management cluster with --context, run 'meshctl install --kubeconfig KUBECONFIG --context mgmt', or use --clusters or --filename)\n",
		},
		"forbidden": {
			(&managementAPI{installed: true, forbidden: true}).start(t, "mgmt"),
			"error: cluster mgmt: cannot list virtualmeshes.networking.mesh.gloo.solo.io, trafficpolicies.networking.mesh.gloo.solo.io, " +
				"accesspolicies.networking.mesh.gloo.solo.io and 5 more: forbidden to user eve (get the ClusterRole meshctl-view, or use other credentials)\n",
		},
	}
	for _, tt := range []struct {
		command string
		offline bool
	}{
		{"virtualmesh prod --mesh istiod-istio-system-east", false},
		{"virtualmesh prod --mesh istiod-istio-system-east.gloo-mesh", false},
		{"virtualmesh", false},
		{"trafficpolicy slow --destination details.bookinfo.east --timeout 3s", false},
		{"trafficpolicy slow --destination details.bookinfo.east --timeout 3s --dry-run=server", false},
		{"accesspolicy readers --source any --destination details.bookinfo.east", false},
		{"accesspolicy --interactive", false},
		{"virtualmesh prod --mesh a.gloo-mesh --dry-run=client", true},
		{"trafficpolicy slow --destination details.bookinfo.east --timeout 3s" + world, true},
	} {
		for name, c := range clusters {
			for _, terminal := range []bool{true, false} {
				t.Run(tt.command+", "+name, func(t *testing.T) {
					t.Parallel()
					streams, out, errOut := cli.Test("")
					streams.InTerminal, streams.OutTerminal = terminal, terminal
					args := append(append([]string{"create"}, strings.Fields(tt.command)...), "--kubeconfig", c.kubeconfig)
					code := run(t.Context(), args, cmdutil.NewFactory(streams))
					if tt.offline {
						if code != 0 || out.Len() == 0 {
							t.Errorf("exit code %d\n%s%s", code, out, errOut)
						}
						return
					}
					if diff := cmp.Diff(c.says, strings.ReplaceAll(errOut.String(), c.kubeconfig, "KUBECONFIG")); diff != "" || code != 1 || out.Len() > 0 {
						t.Errorf("exit code %d, %s (-want +got)\n%s", code, out, diff)
					}
				})
			}
		}
	}
}
