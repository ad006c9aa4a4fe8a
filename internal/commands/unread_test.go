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
