//go:build e2e && unix

package e2e

import (
	"strings"
	"testing"

	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// TestMissingPermissionIsOneLine holds that a user without permissions is told so
// once, with the permission and the role that grants it, by every command that
// reads the management cluster.
func TestMissingPermissionIsOneLine(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "permissions")
	r.run(t, 0, "install")
	contexts := r.contexts()
	contexts["nobody"] = addUser(t, r.management, "nobody")
	path := t.TempDir() + "/kubeconfig"
	if err := clustertest.WriteKubeconfig(path, "nobody", contexts); err != nil {
		t.Fatal(err)
	}
	for _, command := range []string{
		"cluster list", "mesh list", "mesh list --needs-restart", "mesh restart --all --dry-run", "trust status", "trust issue prod --dry-run", "trust rotate prod --dry-run",
		"describe workload", "describe mesh", "discover --dry-run", "apply --dry-run", "render istio",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			got := meshctlWith(t, path, "", strings.Fields(command)...)
			if got.code == 0 {
				t.Errorf("exit code 0; it said:\n%s%s", got.stdout, got.stderr)
			}
			denials := 0
			for line := range strings.Lines(got.stderr) {
				if strings.Contains(line, "forbidden") {
					denials++
					r.expect(t, line, " list ", "get the ClusterRole meshctl-view")
				}
			}
			if denials != 1 {
				t.Errorf("%d lines say that something is forbidden, want 1:\n%s", denials, got.stderr)
			}
		})
	}
}
