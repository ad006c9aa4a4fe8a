package cmdutil

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
)

// TestWordsNameTheContext holds that a command to run later names the context that was used,
// even if it was only the current one.
func TestWordsNameTheContext(t *testing.T) {
	t.Parallel()
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte(`apiVersion: v1
kind: Config
current-context: mgmt
clusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]
contexts: [{name: mgmt, context: {cluster: c, user: u}}]
users: [{name: u, user: {}}]
`), 0o600); err != nil {
		t.Fatal(err)
	}
	streams, _, _ := cli.Test("")
	flags := NewKubeFlags(NewFactory(streams))
	*flags.config.KubeConfig = kubeconfig
	if diff := cmp.Diff([]string{"--kubeconfig=" + kubeconfig}, flags.Words()); diff != "" {
		t.Errorf("before the cluster is used (-want +got):\n%s", diff)
	}
	if _, err := flags.Management(); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"--context=mgmt", "--kubeconfig=" + kubeconfig}, flags.Words()); diff != "" {
		t.Errorf("afterwards (-want +got):\n%s", diff)
	}
}
