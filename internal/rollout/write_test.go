package rollout

import (
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// A withheld object is not written, and the objects that its stored version needs are kept.
func TestHold(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(stored(t, routeTo("r", "a", "v1"), hostWith("a", "v1"), routeTo("other", "b", "v1"), hostWith("b", "v1"))...)
	c := compared(t, s, compareOptions{}, routeTo("r", "b", "v2"), routeTo("other", "b", "v2"), routeTo("new", "b", "v2"), hostWith("b", "v2"))
	w := newWriter(c, kube.DryRunNone)
	w.write(t.Context(), istio.LastExportStage)
	asked := map[string]bool{}
	w.withhold(func(stored, desired *unstructured.Unstructured) *kube.Error {
		asked[desired.GetName()] = stored != nil
		if desired.GetName() == "other" {
			return nil
		}
		// An error like that of another, unreachable cluster; this one is usable.
		return &kube.Error{Reason: kube.ReasonUnreachable, Why: "it is not to be"}
	})
	if diff := cmp.Diff(map[string]bool{"r": true, "other": true, "new": false}, asked); diff != "" {
		t.Errorf("objects that are asked about, and whether they are stored (-want +got):\n%s", diff)
	}
	var failures []string
	for _, change := range w.failures() {
		failures = append(failures, outcomeLine(change.Key.Name, change.Outcome, change.Err))
	}
	if diff := cmp.Diff([]string{"new failed: it is not to be", "r failed: it is not to be"}, failures); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	w.write(t.Context(), math.MaxInt)
	w.reduce(t.Context(), math.MinInt)
	const stays = "requests may still be sent there, because meshctl cannot apply VirtualService r in shop"
	want := []string{
		"a failed: " + stays, "b configured", "new failed: it is not to be", "other configured", "r failed: it is not to be",
	}
	if diff := cmp.Diff(want, outcomeLines(c)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	want = []string{`a {"subsets":["v1"]}`, `b {"subsets":["v2"]}`, `other {"host":"b","subset":"v2"}`, `r {"host":"a","subset":"v1"}`}
	if diff := cmp.Diff(want, s.names()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// Objects used by other clusters are kept; the rest is removed stage by stage.
func TestUsedElsewhere(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(stored(t, routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("b", "v1"), hostWith("c", "v1"))...)
	c := compared(t, s, compareOptions{}, hostWith("a"), hostWith("b"))
	w := newWriter(c, kube.DryRunNone)
	w.write(t.Context(), math.MaxInt)
	w.reduce(t.Context(), istio.LastExportStage+1)
	want := []string{`a {"subsets":["v1"]}`, `b {"subsets":["v1"]}`, `c {"subsets":["v1"]}`}
	if diff := cmp.Diff(want, s.names()); diff != "" {
		t.Errorf("stored when the last stage is reduced (-want +got):\n%s", diff)
	}
	user := &kube.Error{Action: "change the routes of cluster far", Reason: kube.ReasonOther}
	w.elsewhere = map[string]*kube.Error{"b": user, "c": user}
	w.reduce(t.Context(), math.MinInt)
	const stays = "requests may still be sent there, because meshctl cannot change the routes of cluster far"
	want = []string{"a configured", "b failed: " + stays, "c failed: " + stays, "r deleted"}
	if diff := cmp.Diff(want, outcomeLines(c)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	want = []string{`a {"subsets":null}`, `b {"subsets":["v1"]}`, `c {"subsets":["v1"]}`}
	if diff := cmp.Diff(want, s.names()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}
