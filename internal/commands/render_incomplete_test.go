package commands

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestRenderIncomplete holds that render prints what it can of incomplete input, in
// every format, says last that this is not all, and fails.
func TestRenderIncomplete(t *testing.T) {
	t.Parallel()
	const bookinfo = "../../testdata/worlds/bookinfo-two-clusters"
	unlisted := (&managementAPI{installed: true, unlisted: []string{"trafficpolicies"}}).stored(t, bookinfo).start(t, "mgmt")
	dead := writeKubeconfig(t, "mgmt", "north")
	for name, tt := range map[string]struct{ args, missing string }{
		"a kind that may not be listed": {"--kubeconfig " + unlisted, "cluster mgmt"},
		"a management cluster":          {"-f " + bookinfo + " -R --context mgmt --kubeconfig " + dead, "cluster mgmt"},
		"a member":                      {"-f " + bookinfo + " -R --clusters north --kubeconfig " + dead, "cluster north"},
	} {
		for _, format := range []string{"yaml", "json", "table", "name"} {
			t.Run(name+" as "+format, func(t *testing.T) {
				t.Parallel()
				streams, out, errOut := cli.Test("")
				code := run(t.Context(), append(strings.Fields("render istio -o "+format+" "+tt.args), "--accept-loss"), cmdutil.NewFactory(streams))
				lines := strings.Split(strings.TrimSuffix(errOut.String(), "\n"), "\n")
				want := "error: the output is not complete: " + tt.missing + " could not be read; do not apply it with pruning"
				if diff := cmp.Diff(want, lines[len(lines)-1]); diff != "" || !strings.Contains(errOut.String(), tt.missing+": ") {
					t.Errorf("it says (-want +got)\n%s\nof\n%s", diff, errOut)
				}
				if code != 1 || !strings.Contains(strings.ToLower(out.String()), "peerauthentication") {
					t.Errorf("exit code %d, and it prints\n%s", code, out)
				}
			})
		}
	}
}
