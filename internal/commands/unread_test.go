package commands

import (
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestUnreadIsNotNone holds that no command says that there is nothing where it could
// not read what there is.
func TestUnreadIsNotNone(t *testing.T) {
	t.Parallel()
	clusters := map[string]string{
		"unreachable": writeKubeconfig(t, "mgmt"),
		"forbidden":   (&managementAPI{installed: true, forbidden: true}).start(t, "mgmt"),
		"unlisted":    (&managementAPI{installed: true, broken: true}).start(t, "mgmt"),
	}
	for _, command := range []string{
		"describe workload", "describe destination", "describe mesh", "describe virtualmesh", "describe trafficpolicy", "describe accesspolicy",
		"describe cluster", "describe mesh --trust", "render istio", "apply --yes", "mesh list", "mesh restart --all --yes", "cluster list", "trust status",
	} {
		for name, kubeconfig := range clusters {
			t.Run(command+" "+name, func(t *testing.T) {
				t.Parallel()
				streams, out, errOut := cli.Test("")
				code := run(t.Context(), append(strings.Fields(command), "--kubeconfig", kubeconfig), cmdutil.NewFactory(streams))
				all := out.String() + errOut.String()
				for line := range strings.Lines(all) {
					claims := strings.HasPrefix(line, "No ") || strings.HasPrefix(line, "Nothing ") || strings.Contains(line, "<none>")
					if claims && !strings.Contains(line, "could not be read") {
						t.Errorf("it claims %s", line)
					}
				}
				if code != 1 || !strings.Contains(errOut.String(), "cluster mgmt") {
					t.Errorf("exit code %d\n%s", code, all)
				}
			})
		}
	}
}

// TestNotManagementCluster holds that every command says once of a cluster without the
// CRDs of meshctl that it is no management cluster, and what to do.
func TestNotManagementCluster(t *testing.T) {
	t.Parallel()
	kubeconfig := (&managementAPI{}).start(t, "mgmt")
	for _, command := range []string{
		"cluster list", "cluster list east", "discover --contexts mgmt", "discover", "discover --dry-run", "discover -o yaml",
		"describe mesh", "describe cluster", "describe mesh --trust", "mesh list", "mesh restart --all --yes", "render istio",
		"apply --yes", "trust status",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			streams, out, errOut := cli.Test("")
			code := run(t.Context(), append(strings.Fields(command), "--kubeconfig", kubeconfig, "--context", "mgmt"), cmdutil.NewFactory(streams))
			all := out.String() + errOut.String()
			named := strings.Count(all, "not a management cluster: the CRDs of meshctl are not installed")
			if code == 0 || named != 1 || strings.Count(all, "--context") == 0 || strings.Contains(all, "CustomResourceDefinition") {
				t.Errorf("exit code %d, said %d times:\n%s", code, named, all)
			}
		})
	}
}
