//go:build unix

package commands_test

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWaitingForHangingCluster checks that every command that contacts clusters reports when
// it waits for one.
func TestWaitingForHangingCluster(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // accepts connections but never responds
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: mgmt\nclusters: [{name: c, cluster: {server: 'http://" + listener.Addr().String() +
		"'}}]\nusers: [{name: u, user: {token: t}}]\ncontexts: [{name: mgmt, context: {cluster: c, user: u}}, {name: east, context: {cluster: c, user: u}}]\n"
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		"describe workload":         "Waiting for cluster mgmt",
		"check":                     "Waiting for cluster mgmt",
		"apply --dry-run":           "Waiting for cluster mgmt",
		"diff --delete vm/prod":     "Waiting for cluster mgmt",
		"render istio":              "Waiting for cluster mgmt",
		"cluster list":              "Waiting for cluster mgmt",
		"mesh list --clusters east": "Waiting for cluster east",
		"mesh list":                 "Waiting for cluster mgmt",
		"trust status":              "Waiting for cluster mgmt",
		"discover --contexts east":  "Waiting for cluster mgmt",
		"uninstall":                 "mgmt: look for resources ...",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			d := converseWith(t, dir, []string{"KUBECONFIG=" + kubeconfig}, strings.Fields(command)...)
			d.Wait(want)
			d.Interrupt()
			d.Wait("cancelled")
			if screen, code := d.End(); code != 130 {
				t.Errorf("exit code %d, the screen:\n%s", code, screen)
			}
		})
	}
}
