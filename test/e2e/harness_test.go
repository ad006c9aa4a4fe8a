//go:build e2e && unix

package e2e

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// patience is how long a cluster may take to do what it was asked for.
const patience = 30 * time.Second

// result is what a run of meshctl left behind.
type result struct {
	stdout, stderr string
	code           int
}

// meshctl runs the binary with the shared clusters in its kubeconfig.
func meshctl(t *testing.T, args ...string) result {
	t.Helper()
	return meshctlWith(t, shared.kubeconfig, "", args...)
}

// meshctlWith runs the binary with the kubeconfig file, an empty home
// directory, and the input. Nothing of the caller's environment but PATH reaches
// it.
func meshctlWith(t *testing.T, kubeconfig, input string, args ...string) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), shared.binary, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=" + kubeconfig}
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("run meshctl %s: %v", strings.Join(args, " "), err)
	}
	return result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
}

// cluster returns one of the shared clusters.
func cluster(t *testing.T, name string) *clustertest.Cluster {
	t.Helper()
	c := shared.fleet.Cluster(name)
	if c == nil {
		t.Fatalf("there is no cluster %s", name)
	}
	return c
}

// newCluster starts a cluster for this test alone. The name must be unique in
// the package.
func newCluster(t *testing.T, name string) *clustertest.Cluster {
	t.Helper()
	c, err := shared.fleet.Add(t.Context(), name)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { shared.fleet.Remove(name) })
	return c
}

// kubeconfigOf writes a kubeconfig file with the contexts, none of them
// current, and returns its path.
func kubeconfigOf(t *testing.T, contexts map[string]*clustertest.Credentials) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clustertest.WriteKubeconfig(path, "", contexts); err != nil {
		t.Fatal(err)
	}
	return path
}
