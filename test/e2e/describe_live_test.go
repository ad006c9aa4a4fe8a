//go:build e2e && unix

package e2e

import (
	"strings"
	"testing"
)

// TestDescribeSaysWhatTheClusterIs describes a cluster that is no management
// cluster, and one that nothing was discovered on.
func TestDescribeSaysWhatTheClusterIs(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "describing")
	for _, noun := range []string{"workload", "destination", "mesh", "virtualmesh", "trafficpolicy", "accesspolicy", "cluster"} {
		got := r.run(t, 1, "describe", noun, "--context", "east")
		r.expect(t, got.stderr, "error: cluster east: not a management cluster: the CRDs of meshctl are not installed "+
			"(name the management cluster with --context, run 'meshctl install --context east', or use --clusters or --filename)")
	}
	r.run(t, 0, "install")
	const empty = "warning: cluster management has no discovered meshes, workloads and Services yet: "
	got := r.run(t, 0, "describe", "workload")
	r.expect(t, got.stderr, empty+"register clusters with 'meshctl cluster register --context management', then run 'meshctl discover --context management'")
	r.run(t, 0, "cluster", "register", "east", "--remote-context", "east")
	got = r.run(t, 0, "describe", "workload")
	r.expect(t, got.stderr, empty+"run 'meshctl discover --context management'")
	if strings.Contains(got.stderr, "register") {
		t.Errorf("it suggests to register clusters although one is:\n%s", got.stderr)
	}
}
