package commands

import (
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/check"
	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestCheckWithoutPermissions holds that no check is green for a user who may read
// nothing, or about a cluster that is none of meshctl's, and that the report says
// why.
func TestCheckWithoutPermissions(t *testing.T) {
	t.Parallel()
	for name, api := range map[string]*managementAPI{"nobody": {installed: true, forbidden: true}, "no management cluster": {}} {
		kubeconfig := api.start(t, "mgmt")
		for _, category := range append(check.CategoryIDs(), "") {
			t.Run(name+" "+category, func(t *testing.T) {
				t.Parallel()
				streams, out, errOut := cli.Test("")
				args := append(strings.Fields("check "+category), "--kubeconfig", kubeconfig)
				if code := run(t.Context(), args, cmdutil.NewFactory(streams)); code != 3 || !strings.Contains(out.String(), "\nFAIL ") {
					t.Errorf("exit code %d\n%s%s", code, out, errOut)
				}
			})
		}
	}
}
