//go:build e2e && unix

package e2e

import (
	"bytes"
	"context"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// clear deletes everything that meshctl wrote to a cluster.
func (g *governed) clear(t *testing.T, c *clustertest.Cluster) {
	t.Helper()
	for _, gvk := range istioGVKs() {
		keys, err := kube.Stale(t.Context(), connection(c.Admin()), []schema.GroupVersionKind{gvk},
			map[string]string{istio.OwnerLabel: "gloo-mesh"}, nil)
		if err != nil {
			t.Fatal(err)
		}
		kube.DeleteAll(t.Context(), connection(c.Admin()), keys, kube.DeleteOptions{})
	}
}

// expectRendered expects that a cluster has what is rendered for it.
func (g *governed) expectRendered(t *testing.T, all ...*clustertest.Cluster) {
	t.Helper()
	for _, c := range all {
		name := c.Name[strings.LastIndex(c.Name, "-")+1:]
		if diff := cmp.Diff(rendered(t, g, name), configured(t, c, false)); diff != "" {
			t.Errorf("%s (-rendered +written):\n%s", name, diff)
		}
	}
}

// holdWrite lets an intermediary hold back one write of an Istio object, the
// N-th, until it is released or meshctl gives it up. Reached is closed when that
// write comes.
func holdWrite(p *intermediary, n int32) (reached <-chan struct{}, release func()) {
	came, released := make(chan struct{}), make(chan struct{})
	p.writes.Store(0)
	var once sync.Once
	p.does(func(r *http.Request) {
		if r.Method == http.MethodGet || p.writes.Load() < n {
			return
		}
		mine := false
		once.Do(func() { mine = true; close(came) })
		if mine {
			select {
			case <-released:
			case <-r.Context().Done():
			}
		}
	})
	return came, sync.OnceFunc(func() { close(released) })
}

// background starts an apply.
func (g *governed) background(t *testing.T) (cmd *exec.Cmd, said *bytes.Buffer) {
	t.Helper()
	said = &bytes.Buffer{}
	cmd = exec.CommandContext(t.Context(), shared.binary, "apply", "--yes")
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=" + g.kubeconfig}
	cmd.Stdout, cmd.Stderr = said, said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, said
}

func await(t *testing.T, reached <-chan struct{}) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*patience)
	defer cancel()
	select {
	case <-reached:
	case <-ctx.Done():
		t.Fatal("it does not get that far")
	}
}

// testInterruptedWriting interrupts an apply while one of its writes is on the
// way, and applies again.
func (g *governed) testInterruptedWriting(t *testing.T) {
	p, restore := g.intercept(t, "east", g.east)
	defer restore()
	all := len(rendered(t, g, "east"))
	for _, n := range []int32{1, 4, int32(all)} {
		g.clear(t, g.east)
		theirs := parse(t, "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: theirs, namespace: bookinfo}, spec: {host: theirs}}")
		put(t, g.east, theirs)
		before, west := g.versions(t), configured(t, g.west, true)
		reached, release := holdWrite(p, n)
		cmd, said := g.background(t)
		await(t, reached)
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		release()
		if code := cmd.ProcessState.ExitCode(); code != 130 {
			t.Errorf("interrupted at write %d: exit code %d\n%s", n, code, said)
		}
		g.expect(t, said.String(), " cancelled", "Interrupted. What was written stays; run 'meshctl apply", "again to continue.\n", "\ncancelled\n")
		expectOwnWords(t, said.String())
		if written := len(configured(t, g.east, false)) - 1; written >= all {
			t.Errorf("interrupted at write %d, it wrote all %d", n, written)
		}
		if diff := cmp.Diff(before, g.versions(t)) + cmp.Diff(west, configured(t, g.west, true)); diff != "" {
			t.Errorf("interrupted at write %d, it wrote statuses, or to west (-before +after):\n%s", n, diff)
		}
		if _, err := kube.Get(t.Context(), connection(g.east.Admin()), istioKey(istio.KindDestinationRule, "bookinfo", "theirs")); err != nil {
			t.Errorf("interrupted at write %d: %v", n, err)
		}
		kube.Delete(t.Context(), connection(g.east.Admin()), istioKey(istio.KindDestinationRule, "bookinfo", "theirs"), kube.DeleteOptions{})
		got := g.run(t, 0, "apply", "--yes")
		g.expect(t, got.stdout, " created on east\n")
		g.expectRendered(t, g.east, g.west)
		g.expect(t, g.run(t, 0, "apply", "--yes").stderr, "Nothing to do")
	}
}

// expectOwnWords expects that an interrupted apply neither lets a library write to
// standard error nor says that anything failed.
func expectOwnWords(t *testing.T, stderr string) {
	t.Helper()
	if regexp.MustCompile(`(?m)^[IWEF]\d{4} |^\d{4}/\d\d/\d\d | failed|^error: `).MatchString(stderr) {
		t.Errorf("an interrupted apply says\n%s", stderr)
	}
}

// testOvertaken lets one apply overtake another one that is in the middle of
// writing.
func (g *governed) testOvertaken(t *testing.T) {
	p, restore := g.intercept(t, "east", g.east)
	defer restore()
	g.clear(t, g.east)
	reached, release := holdWrite(p, 3)
	first, said := g.background(t)
	await(t, reached)
	g.run(t, 0, "apply", "--yes")
	g.expectRendered(t, g.east)
	release()
	if err := first.Wait(); err != nil {
		t.Errorf("the one that was overtaken ends with %v:\n%s", err, said)
	}
	g.expectRendered(t, g.east, g.west)
	g.expect(t, g.run(t, 0, "apply", "--yes").stderr, "Nothing to do")
}

// testForeignMeanwhile makes an object of somebody else just before meshctl
// creates one of that name.
func (g *governed) testForeignMeanwhile(t *testing.T) {
	p, restore := g.intercept(t, "east", g.east)
	defer restore()
	key := istioKey(istio.KindDestinationRule, "bookinfo", "details")
	path := "/namespaces/bookinfo/destinationrules/details"
	for name, spec := range map[string]string{"another specification": "{host: theirs}", "the same host": "{host: details.bookinfo.svc.cluster.local}"} {
		if result := kube.Delete(t.Context(), connection(g.east.Admin()), key, kube.DeleteOptions{}); result.Err != nil {
			t.Fatal(result.Err)
		}
		theirs := parse(t, "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: details, namespace: bookinfo, labels: {team: blue}}, spec: "+spec+"}")
		var once sync.Once
		p.does(func(r *http.Request) {
			if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, path) {
				once.Do(func() { put(t, g.east, theirs) })
			}
		})
		got := g.run(t, 1, "apply", "--yes")
		g.expect(t, got.stderr, "cannot apply DestinationRule details in bookinfo on cluster east: exists with another owner: it has no label cluster.multicluster.solo.io=east: rename or remove it")
		object, err := kube.Get(t.Context(), connection(g.east.Admin()), key)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(map[string]string{"team": "blue"}, object.GetLabels()) + cmp.Diff(theirs.Object["spec"], object.Object["spec"]); diff != "" {
			t.Errorf("%s: meshctl took it over (-theirs +now):\n%s", name, diff)
		}
		for _, entry := range object.GetManagedFields() {
			if entry.Manager == kube.DefaultFieldManager {
				t.Errorf("%s: meshctl owns fields of it: %v", name, entry.FieldsV1)
			}
		}
	}
	p.does(func(*http.Request) {})
	if result := kube.Delete(t.Context(), connection(g.east.Admin()), key, kube.DeleteOptions{}); result.Err != nil {
		t.Fatal(result.Err)
	}
	g.run(t, 0, "apply", "--yes")
	g.expectRendered(t, g.east)
}

// testRemadeMeanwhile replaces an object of meshctl's by one of somebody else just
// before meshctl changes it.
func (g *governed) testRemadeMeanwhile(t *testing.T) {
	p, restore := g.intercept(t, "east", g.east)
	defer restore()
	east, key := connection(g.east.Admin()), istioKey(istio.KindDestinationRule, "bookinfo", "details")
	write(t, east, key, `{"spec": {"host": "drifted"}}`)
	theirs := parse(t, "{apiVersion: networking.istio.io/v1, kind: DestinationRule, metadata: {name: details, namespace: bookinfo}, spec: {host: theirs}}")
	var once sync.Once
	p.does(func(r *http.Request) {
		if r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/namespaces/bookinfo/destinationrules/details") {
			once.Do(func() {
				kube.Delete(t.Context(), east, key, kube.DeleteOptions{})
				put(t, g.east, theirs)
			})
		}
	})
	got := g.run(t, 1, "apply", "--yes")
	g.expect(t, got.stderr, "cannot apply DestinationRule details in bookinfo on cluster east: exists with another owner: it has no label cluster.multicluster.solo.io=east: rename or remove it")
	object, err := kube.Get(t.Context(), east, key)
	if err != nil {
		t.Fatal(err)
	}
	if host, _, _ := unstructured.NestedString(object.Object, "spec", "host"); host != "theirs" {
		t.Errorf("the object of somebody else has host %q", host)
	}
	p.does(func(*http.Request) {})
	kube.Delete(t.Context(), east, key, kube.DeleteOptions{})
	g.run(t, 0, "apply", "--yes")
	g.expectRendered(t, g.east)
}
