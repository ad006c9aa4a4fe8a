//go:build e2e && unix

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/testkit/ptytest"
)

// terminal starts meshctl on a terminal.
func (g *governed) terminal(t *testing.T, args ...string) *ptytest.Dialogue {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), shared.binary, args...)
	cmd.Env = ptytest.Environ([]string{"HOME=" + t.TempDir(), "KUBECONFIG=" + g.kubeconfig})
	return ptytest.Start(t, cmd, 2*time.Minute)
}

// end ends a dialogue, and checks its exit code and what the screen shows.
func end(t *testing.T, d *ptytest.Dialogue, code int, want ...string) {
	t.Helper()
	screen, got := d.End()
	if got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	screen = strings.ReplaceAll(screen, "\r\n", "\n")
	for _, text := range want {
		if !strings.Contains(screen, text) {
			t.Errorf("the screen does not show %q:\n%s", text, screen)
		}
	}
}

// On a terminal, everything that changes is shown and confirmed before it is
// written, and a loss of protection by itself.
func TestReviewOnTerminals(t *testing.T) {
	t.Parallel()
	g := newGoverned(t, "review")
	installIstioCRDs(t, g.east)
	installIstioCRDs(t, g.west)
	const protection = "PeerAuthentication/istio-system/default"

	t.Run("create", func(t *testing.T) {
		args := []string{"create", "trafficpolicy", "reviewed", "--destination=ratings.bookinfo.east", "--timeout=7s"}
		key := kube.ObjectKey{GVK: schema.GroupVersionKind{Group: "networking.mesh.gloo.solo.io", Version: "v1", Kind: "TrafficPolicy"}, Namespace: "gloo-mesh", Name: "reviewed"}
		d := g.terminal(t, args...)
		d.Answer("Apply this trafficpolicy to cluster", "n"+ptytest.Enter)
		end(t, d, 130, "requestTimeout: 7s", "cancelled")
		var e *kube.Error
		if _, err := kube.Get(t.Context(), g.management, key); !errors.As(err, &e) || e.Reason != kube.ReasonNotFound {
			t.Fatalf("it was created all the same: %v", err)
		}
		d = g.terminal(t, args...)
		d.Answer("Apply this trafficpolicy to cluster", "y"+ptytest.Enter)
		end(t, d, 0, "Run 'meshctl apply --context management' to write the configuration to the clusters.", "/reviewed created")
		if result := kube.Delete(t.Context(), g.management, key, kube.DeleteOptions{}); result.Err != nil {
			t.Fatal(result.Err)
		}
	})
	written := func(t *testing.T, code int, want ...string) {
		t.Helper()
		problems := slices.DeleteFunc(checked(t, g.registry, code, "configuration"), func(line string) bool { return !strings.Contains(line, "configuration-written") })
		if diff := cmp.Diff(want, problems, cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("check says (-want +got):\n%s", diff)
		}
	}
	t.Run("check before", func(t *testing.T) {
		written(t, 3, "failed configuration-written east", "failed configuration-written west")
	})
	t.Run("apply for the first time", func(t *testing.T) {
		d := g.terminal(t, "apply")
		d.Answer("Apply these changes to 2 clusters?", "n"+ptytest.Enter)
		end(t, d, 130, "Behaviour:\n", "cancelled")
		if got := configured(t, g.east, false); len(got) > 0 {
			t.Errorf("it wrote %v", got)
		}
		d = g.terminal(t, "apply")
		d.Answer("Apply these changes to 2 clusters?", "y"+ptytest.Enter)
		end(t, d, 0, "peerauthentication.security.istio.io/default in istio-system created on east")
	})
	t.Run("check afterwards", func(t *testing.T) {
		written(t, 3)
		rule, err := kube.Get(t.Context(), connection(g.east.Admin()), istioKey(istio.KindVirtualService, "bookinfo", "ratings"))
		if err != nil {
			t.Fatal(err)
		}
		if err := unstructured.SetNestedStringSlice(rule.Object, []string{"elsewhere"}, "spec", "hosts"); err != nil {
			t.Fatal(err)
		}
		rule.SetResourceVersion("")
		put(t, g.east, rule)
		written(t, 3, "warning configuration-written east")
		g.registry.run(t, 0, "apply", "--yes")
		written(t, 3)
	})
	t.Run("apply --watch", func(t *testing.T) {
		put(t, g.registry.management, trafficPolicy(t, "v1"))
		before := configured(t, g.east, false)
		d := g.terminal(t, "apply", "--watch")
		d.Answer("and every later change without asking?", "n"+ptytest.Enter)
		end(t, d, 130, "Behaviour:\n", "~ VirtualService bookinfo/ratings: ~spec.http")
		if diff := cmp.Diff(before, configured(t, g.east, false)); diff != "" {
			t.Errorf("it wrote (-before +after):\n%s", diff)
		}
	})
	g.registry.run(t, 0, "apply", "--yes")
	if result := kube.Delete(t.Context(), g.management, meshKey(), kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	t.Run("manifests do not prove that protection is unwanted", func(t *testing.T) {
		before := configured(t, g.east, false)
		file := filepath.Join(t.TempDir(), "timeout.yaml")
		timeout := "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: TrafficPolicy, metadata: {name: e2e-timeout, namespace: gloo-mesh}, " +
			"spec: {destinationSelector: [{kubeServiceRefs: {services: [{name: ratings, namespace: bookinfo, clusterName: east}]}}], policy: {requestTimeout: 9s}}}\n"
		if err := os.WriteFile(file, []byte(timeout), 0o600); err != nil {
			t.Fatal(err)
		}
		d := g.terminal(t, "apply", "-f", file, "--context", "management")
		d.Answer("objects anyway?", "n"+ptytest.Enter)
		d.Answer("Apply these changes to", "y"+ptytest.Enter)
		end(t, d, 1, "each protects workloads, and its source VirtualMesh/bookinfo.gloo-mesh is missing from the input")
		if got := configured(t, g.east, false); got[protection] == "" || got[protection] != before[protection] {
			t.Errorf("the protection is gone: %v", got)
		}
	})
	t.Run("what is deleted on the management cluster is unwanted", func(t *testing.T) {
		d := g.terminal(t, "apply")
		d.Answer("This removes protection", "n"+ptytest.Enter)
		end(t, d, 130, "mutual TLS is no longer enforced as strictly (PeerAuthentication istio-system/", "calls that no access policy allows are no longer denied")
		if got := configured(t, g.east, false); got[protection] == "" {
			t.Errorf("the protection is gone: %v", got)
		}
		d = g.terminal(t, "apply")
		d.Answer("This removes protection", "y"+ptytest.Enter)
		d.Answer("Apply these changes to 2 clusters?", "y"+ptytest.Enter)
		end(t, d, 0)
		if got := configured(t, g.east, false); got[protection] != "" {
			t.Errorf("the protection stays: %v", got)
		}
	})
}
