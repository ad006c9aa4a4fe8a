package commands

import (
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestCreateOutOfReach holds that create says, before it writes, that the namespace of
// a resource is none from which resources take effect, and what to do; its effect is
// then none.
func TestCreateOutOfReach(t *testing.T) {
	t.Parallel()
	const warning = "warning: resources in namespace team-b have no effect (MC0111): create the KIND in namespace gloo-mesh, " +
		"or ask an administrator to run 'meshctl install --policy-namespaces team-a,team-b --kubeconfig KUBECONFIG --context mgmt'\n"
	for _, tt := range []struct {
		command string
		// says is the first line, written whether anything reaches the cluster.
		says    string
		written bool
	}{
		{"virtualmesh other -n team-b --mesh istiod-istio-system-east", warning, true},
		{"trafficpolicy slow -n team-b --destination details.bookinfo.east --timeout 3s", warning, true},
		{"accesspolicy readers -n team-b --source any --destination details.bookinfo.east", warning, true},
		{"accesspolicy readers -n team-b --source any --destination details.bookinfo.east --dry-run=server", warning, true},
		{"trafficpolicy slow -n team-a --destination details.bookinfo.east --timeout 3s", "", true},
		{"trafficpolicy slow --destination details.bookinfo.east --timeout 3s", "", true},
		{"trafficpolicy slow -n team-b --destination details.bookinfo.east --timeout 3s --context mgmt --dry-run=client", "", false},
		{"trafficpolicy slow -n team-b --destination details.bookinfo.east --timeout 3s -f ../../testdata/worlds/bookinfo-two-clusters -R", "", false},
	} {
		t.Run(tt.command, func(t *testing.T) {
			t.Parallel()
			api := (&managementAPI{installed: true, policyNamespaces: "team-a"}).stored(t, "../../testdata/worlds/bookinfo-two-clusters")
			kubeconfig := api.start(t, "mgmt")
			streams, out, errOut := cli.Test("")
			args := append(append([]string{"create"}, strings.Fields(tt.command)...), "--kubeconfig", kubeconfig)
			want := 0
			if tt.says != "" { // an object without effect is an error, although it can be written
				want = 1
			}
			if code := run(t.Context(), args, cmdutil.NewFactory(streams)); code != want {
				t.Errorf("exit code %d, want %d\n%s%s", code, want, out, errOut)
			}
			said := strings.ReplaceAll(errOut.String(), kubeconfig, "KUBECONFIG")
			kind, _, _ := strings.Cut(tt.command, " ")
			if !strings.HasPrefix(said, strings.Replace(tt.says, "KIND", kind, 1)) || tt.says == "" && strings.Contains(said, "MC0111") {
				t.Errorf("it says\n%s", said)
			}
			if tt.says != "" && !strings.Contains(said, "is INVALID and ") {
				t.Errorf("it has an effect:\n%s", said)
			}
			if next := strings.Contains(said, "meshctl apply"); next != (tt.written && tt.says == "") {
				t.Errorf("it recommends to apply: %v\n%s", next, said)
			}
			api.mu.Lock()
			defer api.mu.Unlock()
			if written := len(api.written) > 0; written != tt.written {
				t.Errorf("written = %v", written)
			}
		})
	}
}
