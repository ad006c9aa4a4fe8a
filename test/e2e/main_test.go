//go:build e2e && unix

package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// startTimeout is how long three clusters may take on a small and busy machine.
const startTimeout = 3 * time.Minute

// suite is what the tests share: three clusters that no test may harm, and the
// built binary. A test that stops a cluster or leaves cluster-wide objects
// behind takes one of its own, with newCluster.
type suite struct {
	fleet *clustertest.Fleet
	// kubeconfig has the contexts management (current), east and west.
	kubeconfig string
	// binary is the meshctl under test.
	binary string
}

var shared suite

func TestMain(m *testing.M) {
	flag.Parse()
	os.Exit(runSuite(m))
}

func runSuite(m *testing.M) int {
	assets := os.Getenv("KUBE_ASSETS")
	if assets == "" {
		if testing.Short() {
			fmt.Fprintln(os.Stderr, "e2e: skipped: KUBE_ASSETS is not set")
			return 0
		}
		fmt.Fprintln(os.Stderr, "e2e: KUBE_ASSETS must name the directory that hack/kube/build.sh prints; `make e2e` sets it")
		return 1
	}
	dir, err := os.MkdirTemp("", "meshctl-e2e-")
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	code := 1
	defer func() {
		if code == 0 {
			os.RemoveAll(dir)
		} else {
			fmt.Fprintln(os.Stderr, "e2e: the logs of the clusters are in", dir)
		}
	}()
	fleet, err := setUp(assets, dir)
	if fleet != nil {
		defer fleet.Stop()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return code
	}
	code = m.Run()
	return code
}

func setUp(assets, dir string) (*clustertest.Fleet, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	binary, err := buildMeshctl(ctx, dir)
	if err != nil {
		return nil, err
	}
	fleet, err := clustertest.StartFleet(ctx, assets, dir)
	if err != nil {
		return nil, err
	}
	shared = suite{fleet: fleet, kubeconfig: filepath.Join(dir, "kubeconfig"), binary: binary}
	return fleet, errors.Join(
		fleet.AddAll(ctx, clustertest.Management, clustertest.East, clustertest.West),
		fleet.Kubeconfig(shared.kubeconfig),
	)
}

// buildMeshctl returns the binary named by MESHCTL, or else builds one.
func buildMeshctl(ctx context.Context, dir string) (string, error) {
	if binary := os.Getenv("MESHCTL"); binary != "" {
		return filepath.Abs(binary)
	}
	binary := filepath.Join(dir, "meshctl")
	output, err := exec.CommandContext(ctx, "go", "build", "-o", binary, "../../cmd/meshctl").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build meshctl: %w\n%s", err, output)
	}
	return binary, nil
}
