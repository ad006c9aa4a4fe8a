package rollout

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// What is held is not written, and what its stored object needs stays.
func TestHold(t *testing.T) {
	t.Parallel()
	s := newStore("Host", "Route")
	s.put(routeTo("r", "a", "v1"), hostWith("a", "v1"), routeTo("other", "b", "v1"), hostWith("b", "v1"))
	plan, err := NewPlan(t.Context(), s.connect(t), objectsOf(
		routeTo("r", "b", "v2"), routeTo("other", "b", "v2"), routeTo("new", "b", "v2"), hostWith("b", "v2"),
	), options(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	run := plan.Begin(RunOptions{})
	run.Write(t.Context(), 1)
	asked := map[string]bool{}
	run.Hold(func(stored, desired *unstructured.Unstructured) *kube.Error {
		asked[desired.GetName()] = stored != nil
		if desired.GetName() == "other" {
			return nil
		}
		// As an error of another cluster may be; this one can be used.
		return &kube.Error{Reason: kube.ReasonUnreachable, Why: "it is not to be"}
	})
	if diff := cmp.Diff(map[string]bool{"r": true, "other": true, "new": false}, asked); diff != "" {
		t.Errorf("objects that are asked about, and whether they are stored (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"new failed: it is not to be", "r failed: it is not to be"}, outcomeLines(run.Failures())); diff != "" {
		t.Errorf("failures (-want +got):\n%s", diff)
	}
	run.Write(t.Context(), 2)
	const stays = "requests may still be sent there, because meshctl cannot apply Route r in shop"
	want := []string{
		"a failed: " + stays, "b configured", "new failed: it is not to be", "other configured", "r failed: it is not to be",
	}
	if diff := cmp.Diff(want, outcomeLines(run.Finish(t.Context()))); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	want = []string{`a {"subsets":["v1"]}`, `b {"subsets":["v2"]}`, `other {"host":"b","subset":"v2"}`, `r {"host":"a","subset":"v1"}`}
	if diff := cmp.Diff(want, s.names()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// What is used elsewhere stays; the rest is removed, stage by stage.
func TestUsedElsewhere(t *testing.T) {
	t.Parallel()
	s := newStore("Host", "Route")
	s.put(routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("b", "v1"), hostWith("c", "v1"))
	plan, err := NewPlan(t.Context(), s.connect(t), objectsOf(hostWith("a"), hostWith("b")), options(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	run := plan.Begin(RunOptions{})
	run.Write(t.Context(), 2)
	run.Reduce(t.Context(), 2)
	want := []string{`a {"subsets":["v1"]}`, `b {"subsets":["v1"]}`, `c {"subsets":["v1"]}`}
	if diff := cmp.Diff(want, s.names()); diff != "" {
		t.Errorf("stored when the last stage is reduced (-want +got):\n%s", diff)
	}
	user := &kube.Error{Action: "change the routes of cluster far", Reason: kube.ReasonOther}
	run.UsedElsewhere(map[string]*kube.Error{"b": user, "c": user})
	const stays = "requests may still be sent there, because meshctl cannot change the routes of cluster far"
	want = []string{"a configured", "b failed: " + stays, "c failed: " + stays, "r deleted"}
	if diff := cmp.Diff(want, outcomeLines(run.Finish(t.Context()))); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	want = []string{`a {"subsets":null}`, `b {"subsets":["v1"]}`, `c {"subsets":["v1"]}`}
	if diff := cmp.Diff(want, s.names()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}
