//go:build e2e && unix

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"github.com/meshctl/meshctl/pkg/api/crds"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// TestCreate creates resources on a real cluster, from nothing to a policy that
// is described.
func TestCreate(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "create")
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clustertest.WriteKubeconfig(kubeconfig, "create", map[string]*clustertest.Credentials{"create": c.Admin()}); err != nil {
		t.Fatal(err)
	}
	run := func(args ...string) result { return meshctlWith(t, kubeconfig, "", args...) }
	must := func(args ...string) result {
		t.Helper()
		r := run(args...)
		if r.code != 0 {
			t.Fatalf("meshctl %s: exit code %d\n%s%s", strings.Join(args, " "), r.code, r.stdout, r.stderr)
		}
		return r
	}
	fails := func(code int, said string, args ...string) {
		t.Helper()
		r := run(args...)
		if r.code != code || !strings.Contains(r.stderr, said) {
			t.Errorf("meshctl %s: exit code %d, want %d and %q\n%s%s", strings.Join(args, " "), r.code, code, said, r.stdout, r.stderr)
		}
	}

	fails(1, "meshctl install", "create", "virtualmesh", "prod", "--mesh", "istiod-istio-system-east")
	must("install")
	applyDiscovered(t, c)

	dry := must("create", "vm", "prod", "--mesh", "istiod-istio-system-east", "--trust", "shared", "--dry-run=server")
	if dry.stdout != "virtualmesh.networking.mesh.gloo.solo.io/prod created (server dry run)\n" {
		t.Errorf("a dry run prints %q", dry.stdout)
	}
	created := must("create", "vm", "prod", "--mesh", "istiod-istio-system-east", "--mesh", "istiod-istio-system-west", "--trust", "shared", "--federate", "everything")
	if created.stdout != "virtualmesh.networking.mesh.gloo.solo.io/prod created\n" || !strings.Contains(created.stderr, "groups") {
		t.Errorf("create prints %q and says %q", created.stdout, created.stderr)
	}
	fails(1, "virtualmesh prod.gloo-mesh already exists", "create", "vm", "prod", "--mesh", "istiod-istio-system-east")

	// A name is completed from the cluster.
	must("create", "tp", "slow", "--destination", "ratings.bookinfo.east", "--timeout", "3s")
	described := must("describe", "tp", "slow")
	if !strings.Contains(described.stdout, "requestTimeout   3s") {
		t.Errorf("describe prints:\n%s", described.stdout)
	}

	// A manifest of the cluster is where a change starts.
	file := filepath.Join(t.TempDir(), "slow.yaml")
	must("create", "tp", "slow", "--destination", "ratings.bookinfo.east", "--timeout", "3s", "--save", file)
	changed := must("create", "tp", "--from", file, "--timeout", "5s")
	if changed.stdout != "trafficpolicy.networking.mesh.gloo.solo.io/slow configured\n" {
		t.Errorf("a change prints %q", changed.stdout)
	}

	// Manifests on top of the cluster: what if?
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(must("create", "ap", "readers", "--source", "any",
		"--destination", "ratings.bookinfo.east", "--dry-run=client").stdout, "\t", " ")), 0o600); err != nil {
		t.Fatal(err)
	}
	both := must("describe", "accesspolicy", "-o", "name", "-f", file, "--context", "create")
	if both.stdout != "accesspolicy/readers.gloo-mesh\n" {
		t.Errorf("with a manifest on top, describe prints %q", both.stdout)
	}
	if only := must("describe", "accesspolicy", "-o", "name"); only.stdout != "" {
		t.Errorf("the manifest reached the cluster: %q", only.stdout)
	}
}

// applyDiscovered writes what was discovered in the bundled world to a cluster
// that meshctl is installed on.
func applyDiscovered(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	all, err := crds.All()
	if err != nil {
		t.Fatal(err)
	}
	resources := map[schema.GroupKind]schema.GroupVersionResource{}
	for _, crd := range all {
		kind := schema.GroupKind{Group: crd.Spec.Group, Kind: crd.Spec.Names.Kind}
		resources[kind] = schema.GroupVersionResource{Group: crd.Spec.Group, Version: crd.Spec.Versions[0].Name, Resource: crd.Spec.Names.Plural}
	}
	client, err := dynamic.NewForConfig(c.Admin().Config())
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range manifests(t, "../../testdata/worlds/bookinfo-two-clusters") {
		switch m.object.GetKind() {
		case "Mesh", "Workload", "Destination":
			if err := apply(t.Context(), client, resources[m.object.GroupVersionKind().GroupKind()], m.object); err != nil {
				t.Fatalf("%s: %v", m.path, err)
			}
		default: // What is created comes from the test.
		}
	}
}

// TestManifestsOfEveryFlag applies what the examples of docs/flags.md print to a
// real API server.
func TestManifestsOfEveryFlag(t *testing.T) {
	t.Parallel()
	c := newCluster(t, "flags")
	installCRDs(t, c)
	client, err := c.Clientset()
	if err != nil {
		t.Fatal(err)
	}
	namespace(t, client, "gloo-mesh")
	page, err := os.ReadFile("../../docs/flags.md")
	if err != nil {
		t.Fatal(err)
	}
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	if err := clustertest.WriteKubeconfig(kubeconfig, "flags", map[string]*clustertest.Credentials{"flags": c.Admin()}); err != nil {
		t.Fatal(err)
	}
	tried := 0
	for line := range strings.Lines(string(page)) {
		if !strings.HasPrefix(line, "meshctl create ") {
			continue
		}
		tried++
		script := strings.TrimSpace(line) + " --dry-run=server"
		r := shell(t, kubeconfig, script)
		// Nothing is discovered in the cluster, so that what the objects name does not exist.
		dangling := r.code == 1 && (strings.Contains(r.stderr, " does not exist") || strings.Contains(r.stderr, "no Istio mesh is known"))
		if r.code != 0 && !dangling || !strings.Contains(r.stdout, "created (server dry run)") {
			t.Errorf("%s: exit code %d\n%s%s", script, r.code, r.stdout, r.stderr)
		}
	}
	if tried == 0 {
		t.Error("the page has no examples")
	}
}

// shell runs a line of shell in which meshctl is the binary under test.
func shell(t *testing.T, kubeconfig, line string) result {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(shared.binary, filepath.Join(dir, "meshctl")); err != nil {
		t.Fatal(err)
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line)
	cmd.Env = []string{"PATH=" + dir + ":" + os.Getenv("PATH"), "HOME=" + dir, "KUBECONFIG=" + kubeconfig}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		t.Fatalf("run %s: %v", line, err)
	}
	return result{stdout: stdout.String(), stderr: stderr.String(), code: cmd.ProcessState.ExitCode()}
}
