package commands

import (
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestDiffWithoutBase holds that diff shows no difference from a current state that
// could not be read at all, and from a partial one those that it finds.
func TestDiffWithoutBase(t *testing.T) {
	t.Parallel()
	const bookinfo = "../../testdata/worlds/bookinfo-two-clusters"
	for name, tt := range map[string]struct {
		kubeconfig string
		shown      bool
		cause      string
	}{
		"forbidden":               {(&managementAPI{installed: true, forbidden: true}).start(t, "mgmt"), false, "forbidden"},
		"no management cluster":   {(&managementAPI{}).start(t, "mgmt"), false, "not a management cluster"},
		"unreachable":             {writeKubeconfig(t, "mgmt"), false, "connection refused"},
		"a part of it is unknown": {(&managementAPI{installed: true, broken: true}).start(t, "mgmt"), false, "out of order"},
		"only one kind is hidden": {(&managementAPI{installed: true, unlisted: []string{"settings"}}).stored(t, bookinfo).start(t, "mgmt"), true, "settings"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			streams, out, errOut := cli.Test("")
			code := run(t.Context(), append(strings.Fields("diff -R -f "+bookinfo), "--kubeconfig", tt.kubeconfig), cmdutil.NewFactory(streams))
			if !strings.Contains(errOut.String(), tt.cause) || (out.String() != "") != tt.shown || !tt.shown && code != 2 {
				t.Errorf("exit code %d, output:\n%s\nerrors:\n%s", code, out, errOut)
			}
		})
	}
}
