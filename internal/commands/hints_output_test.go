package commands

import (
	"regexp"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestHintsOnStandardOutput holds that results suggest commands with the flags that
// name the clusters of the run, in every format, as messages do.
func TestHintsOnStandardOutput(t *testing.T) {
	t.Parallel()
	suggested := regexp.MustCompile("['`]meshctl [^'`]+['`]")
	unapplied := (&managementAPI{installed: true}).stored(t, "../../testdata/worlds/bookinfo-two-clusters").start(t, "mgmt", "my mgmt")
	empty := (&managementAPI{}).start(t, "mgmt", "my mgmt")
	for _, tt := range []struct {
		command, kubeconfig string
		want                string
	}{
		{"check configuration", empty, "meshctl install"},
		{"check configuration -o short", empty, "meshctl install"},
		{"check configuration -o json", empty, "meshctl install"},
		{"check configuration -o yaml", empty, "meshctl install"},
		{"describe virtualmesh bookinfo", unapplied, "meshctl apply"},
		{"describe trafficpolicy reviews-retries", unapplied, "meshctl apply"},
		{"describe workload productpage-v1.bookinfo.east", unapplied, "meshctl apply"},
	} {
		t.Run(tt.command, func(t *testing.T) {
			t.Parallel()
			streams, out, errOut := cli.Test("")
			args := append(strings.Fields(tt.command), "--kubeconfig", tt.kubeconfig, "--context", "my mgmt")
			run(t.Context(), args, cmdutil.NewFactory(streams))
			text := strings.Join(strings.Fields(out.String()), " ")
			found := suggested.FindAllString(text, -1)
			for _, command := range found {
				if !strings.Contains(command, "--context") || !strings.Contains(command, tt.kubeconfig) {
					t.Errorf("%s does not name its cluster", command)
				}
			}
			if !strings.Contains(strings.Join(found, "\n"), tt.want) {
				t.Errorf("no command %s in:\n%s%s", tt.want, out, errOut)
			}
		})
	}
}
