package rollout

import (
	"fmt"
	"net/http"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/internal/kube"
)

// A Route leads to a Host; a Host has subsets.
func kindOf(kind string) schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: kind}
}

func objectOf(kind, name string, spec map[string]any) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	object.SetGroupVersionKind(kindOf(kind))
	object.SetNamespace("shop")
	object.SetName(name)
	object.SetLabels(map[string]string{"owner": "us"})
	return object
}

func hostWith(name string, subsets ...any) *unstructured.Unstructured {
	return objectOf("Host", name, map[string]any{"subsets": subsets})
}

func routeTo(name, host, subset string) *unstructured.Unstructured {
	return objectOf("Route", name, map[string]any{"host": host, "subset": subset})
}

func textOf(u *unstructured.Unstructured, field string) []string {
	text, _, _ := unstructured.NestedString(u.Object, "spec", field)
	return []string{text}
}

func options() Options {
	return Options{
		Kinds: []schema.GroupVersionKind{kindOf("Host"), kindOf("Route")},
		Owner: map[string]string{"owner": "us"},
		StageOf: func(u *unstructured.Unstructured) int {
			return map[string]int{"Host": 1, "Route": 2}[u.GetKind()]
		},
		Routing: Routing{
			Kind:     schema.GroupKind{Group: "example.com", Kind: "Route"},
			LeadsTo:  func(u *unstructured.Unstructured) []string { return textOf(u, "host") },
			Provides: func(u *unstructured.Unstructured) []string { return []string{u.GetName()} },
		},
	}
}

// objectsOf are the objects as desired objects. Hosts lose subsets only at the end.
func objectsOf(objects ...*unstructured.Unstructured) []Object {
	var outputs []Object
	for _, object := range objects {
		output := Object{
			Key: kube.KeyOf(object), Stage: options().StageOf(object),
			Build: func() (*unstructured.Unstructured, error) { return object.DeepCopy(), nil },
		}
		if object.GetKind() == "Host" {
			output.Transition = func(stored, desired *unstructured.Unstructured) (*unstructured.Unstructured, int) {
				old, _, _ := unstructured.NestedSlice(stored.Object, "spec", "subsets")
				wanted, _, _ := unstructured.NestedSlice(desired.Object, "spec", "subsets")
				if len(old) == 0 {
					return nil, 0
				}
				return hostWith(desired.GetName(), append(wanted, old...)...), 1
			}
		}
		outputs = append(outputs, output)
	}
	return outputs
}

// outcomeLines are results as lines.
func outcomeLines(results []kube.Result) []string {
	lines := []string{}
	for i := range results {
		r := &results[i]
		line := fmt.Sprintf("%s %s", r.Name, r.Outcome)
		if r.Err != nil {
			line += ": " + r.Err.Why
		}
		lines = append(lines, line)
	}
	return lines
}

// A route leads to nothing that is not there, whatever changes and whatever
// cannot be changed.
func TestOrderOfWriting(t *testing.T) {
	t.Parallel()
	const stays = "requests may still be sent there, because meshctl cannot "
	for name, test := range map[string]struct {
		stored, wanted []*unstructured.Unstructured
		rejects        []string
		forbidden      []string
		keep           bool
		log, outcomes  []string
	}{
		"everything is new": {
			wanted:   []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			log:      []string{`write a {"subsets":["v1"]}`, `write r {"host":"a","subset":"v1"}`},
			outcomes: []string{"a created", "r created"},
		},
		"another subset": {
			stored: []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			wanted: []*unstructured.Unstructured{routeTo("r", "a", "v2"), hostWith("a", "v2")},
			log: []string{
				`write a {"subsets":["v2","v1"]}`, `write r {"host":"a","subset":"v2"}`, `write a {"subsets":["v2"]}`,
			},
			outcomes: []string{"a configured", "r configured"},
		},
		"a route goes with its subset": {
			stored:   []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			wanted:   []*unstructured.Unstructured{hostWith("a")},
			log:      []string{`write a {"subsets":["v1"]}`, "delete r", `write a {"subsets":null}`},
			outcomes: []string{"a configured", "r deleted"},
		},
		"a route goes with its host": {
			stored:   []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			log:      []string{"delete r", "delete a"},
			outcomes: []string{"a deleted", "r deleted"},
		},
		"a route cannot be changed": {
			stored:  []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("b", "v1"), hostWith("c")},
			wanted:  []*unstructured.Unstructured{routeTo("r", "b", "v2"), hostWith("b", "v2")},
			rejects: []string{"r"},
			log:     []string{`write b {"subsets":["v2","v1"]}`, "delete c", `write b {"subsets":["v2"]}`},
			outcomes: []string{
				"a failed: " + stays + "apply Route r in shop", "b configured", "c deleted", "r failed: forbidden: a webhook says no",
			},
		},
		"a route to a subset cannot be changed": {
			stored:  []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			wanted:  []*unstructured.Unstructured{routeTo("r", "a", "v2"), hostWith("a", "v2")},
			rejects: []string{"r"},
			log:     []string{`write a {"subsets":["v2","v1"]}`},
			outcomes: []string{
				"a failed: " + stays + "apply Route r in shop", "r failed: forbidden: a webhook says no",
			},
		},
		"a route cannot be deleted": {
			stored:   []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			rejects:  []string{"r"},
			log:      []string{},
			outcomes: []string{"a failed: " + stays + "delete Route r in shop", "r failed: forbidden: a webhook says no"},
		},
		"a route is kept": {
			stored:   []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("b", "v1")},
			wanted:   []*unstructured.Unstructured{hostWith("a", "v2")},
			keep:     true,
			log:      []string{`write a {"subsets":["v2","v1"]}`},
			outcomes: []string{"a configured"},
		},
		"routes cannot be seen": {
			stored:    []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			forbidden: []string{"routes"},
			log:       []string{},
			outcomes:  []string{"a failed: " + stays + "list routes.example.com"},
		},
		"hosts cannot be seen": {
			stored:    []*unstructured.Unstructured{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			forbidden: []string{"hosts"},
			log:       []string{"delete r"},
			outcomes:  []string{"r deleted"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore("Host", "Route")
			s.put(test.stored...)
			s.rejects, s.forbidden = test.rejects, test.forbidden
			c := s.connect(t)
			plan, err := NewPlan(t.Context(), c, objectsOf(test.wanted...), options(), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			s.log = []string{}
			results := plan.Run(t.Context(), RunOptions{Keep: test.keep})
			if diff := cmp.Diff(test.outcomes, outcomeLines(results)); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.log, s.log); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

// Whatever stopped a run, another one gets to the same end.
func TestRunAgain(t *testing.T) {
	t.Parallel()
	s := newStore("Host", "Route")
	s.put(routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("gone", "v1"))
	s.rejects = []string{"r", "gone"}
	c := s.connect(t)
	wanted := objectsOf(routeTo("r", "a", "v2"), hostWith("a", "v2"))
	run := func() []string {
		t.Helper()
		plan, err := NewPlan(t.Context(), c, wanted, options(), time.Minute)
		if err != nil {
			t.Fatal(err)
		}
		return outcomeLines(plan.Run(t.Context(), RunOptions{}))
	}
	run()
	s.rejects = nil
	if diff := cmp.Diff([]string{"a configured", "gone deleted", "r configured"}, run()); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`a {"subsets":["v2"]}`, `r {"host":"a","subset":"v2"}`}, s.names()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if got := run(); len(got) > 0 {
		t.Errorf("a third run does something: %q", got)
	}
}

// A run can stop between stages, so that clusters wait for each other.
func TestRunInParts(t *testing.T) {
	t.Parallel()
	s := newStore("Host", "Route")
	s.put(routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("gone", "v1"))
	plan, err := NewPlan(t.Context(), s.connect(t), objectsOf(routeTo("r", "a", "v2"), hostWith("a", "v2")), options(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	run := plan.Begin(RunOptions{})
	var stored [][]string
	for _, last := range []int{1, 2, 2} {
		run.Write(t.Context(), last)
		stored = append(stored, s.names())
	}
	outcomes := outcomeLines(run.Finish(t.Context()))
	stored = append(stored, s.names())
	want := [][]string{
		{`a {"subsets":["v2","v1"]}`, `gone {"subsets":["v1"]}`, `r {"host":"a","subset":"v1"}`},
		{`a {"subsets":["v2","v1"]}`, `gone {"subsets":["v1"]}`, `r {"host":"a","subset":"v2"}`},
		{`a {"subsets":["v2","v1"]}`, `gone {"subsets":["v1"]}`, `r {"host":"a","subset":"v2"}`},
		{`a {"subsets":["v2"]}`, `r {"host":"a","subset":"v2"}`},
	}
	if diff := cmp.Diff(want, stored); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a configured", "gone deleted", "r configured"}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// Of a kind that could not be listed before, nothing is written or removed.
func TestKindThatWasNotListed(t *testing.T) {
	t.Parallel()
	s := newStore("Host", "Route")
	s.put(routeTo("r", "a", ""), hostWith("a"), hostWith("gone"))
	opts := options()
	opts.Unlisted = map[schema.GroupKind]error{kindOf("Host").GroupKind(): &kube.Error{Reason: kube.ReasonForbidden, Why: "it is forbidden"}}
	plan, err := NewPlan(t.Context(), s.connect(t), objectsOf(hostWith("a", "v1")), opts, time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	outcomes := outcomeLines(plan.Run(t.Context(), RunOptions{}))
	if diff := cmp.Diff([]string{"a failed: it is forbidden", "r deleted"}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if len(plan.Unread) != 1 {
		t.Errorf("not read is %v", plan.Unread)
	}
}

// What is being deleted is not taken for being there.
func TestObjectThatIsBeingDeleted(t *testing.T) {
	t.Parallel()
	s := newStore("Host", "Route")
	going := hostWith("a", "v1")
	now := metav1.Now()
	going.SetDeletionTimestamp(&now)
	s.put(going)
	plan, err := NewPlan(t.Context(), s.connect(t), objectsOf(hostWith("a", "v1")), options(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"a conflict: it is being deleted, and its finalizers keep it for now"}
	if diff := cmp.Diff(want, outcomeLines(plan.Run(t.Context(), RunOptions{}))); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// An object of meshctl's without its label is told from those of others.
func TestObjectThatLostItsLabel(t *testing.T) {
	t.Parallel()
	s := newStore("Host", "Route")
	ours, theirs := hostWith("a", "v1"), hostWith("b", "v1")
	for _, object := range []*unstructured.Unstructured{ours, theirs} {
		object.SetLabels(nil)
	}
	ours.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: kube.DefaultFieldManager, Operation: metav1.ManagedFieldsOperationApply}})
	theirs.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kubectl", Operation: metav1.ManagedFieldsOperationApply}})
	s.put(ours, theirs)
	plan, err := NewPlan(t.Context(), s.connect(t), objectsOf(hostWith("a", "v1"), hostWith("b", "v1")), options(), time.Minute)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"a conflict: meshctl wrote it, but it does not carry the label owner=us any more, and so is not meshctl's",
		"b conflict: it exists and was not made by meshctl: it lacks the label owner=us",
	}
	if diff := cmp.Diff(want, outcomeLines(plan.Run(t.Context(), RunOptions{}))); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// Of a cluster that stops answering nothing more is asked.
func TestClusterThatStopsAnswering(t *testing.T) {
	t.Parallel()
	const many = 300
	for method, test := range map[string]struct{ stored, wanted int }{
		http.MethodPatch:  {0, many},
		http.MethodDelete: {many, 0},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newStore("Host", "Route")
			s.hangs = method
			var stored, wanted []*unstructured.Unstructured
			for i := range test.stored {
				stored = append(stored, hostWith(fmt.Sprintf("h%d", i)), routeTo(fmt.Sprintf("r%d", i), "elsewhere", ""))
			}
			for i := range test.wanted {
				wanted = append(wanted, hostWith(fmt.Sprintf("h%d", i)), routeTo(fmt.Sprintf("r%d", i), "elsewhere", ""))
			}
			s.put(stored...)
			plan, err := NewPlan(t.Context(), s.connect(t), objectsOf(wanted...), options(), time.Minute)
			if err != nil {
				t.Fatal(err)
			}
			results := plan.Run(t.Context(), RunOptions{})
			if len(results) != 2*many {
				t.Errorf("%d results, want %d", len(results), 2*many)
			}
			for i := range results {
				if e := results[i].Err; e == nil || e.Reason != kube.ReasonTimeout {
					t.Fatalf("%s: %v", results[i].Name, e)
				}
			}
			if asked := s.unanswered(); asked > 2*kube.MaxQuestions {
				t.Errorf("it was asked %d times", asked)
			}
		})
	}
}

func TestWriteStatuses(t *testing.T) {
	t.Parallel()
	with := func(name string, status map[string]any) *unstructured.Unstructured {
		object := hostWith(name)
		object.Object["status"] = status
		return object
	}
	update := func(name string, fields map[string]any, keep ...string) kube.StatusUpdate {
		return kube.StatusUpdate{Key: kube.KeyOf(hostWith(name)), UID: types.UID("uid-" + name), Fields: fields, Keep: keep}
	}
	s := newStore("Host")
	s.put(
		with("same", map[string]any{"state": "ACCEPTED", "observedGeneration": int64(1)}),
		with("other", map[string]any{"state": "ACCEPTED", "conditions": "theirs", "gone": "x"}),
		with("later", map[string]any{"state": "FAILED", "observedGeneration": "3"}),
		with("anew", map[string]any{}),
	)
	fields := func() map[string]any { return map[string]any{"state": "ACCEPTED", "observedGeneration": int64(1)} }
	another := update("anew", fields())
	another.UID = "the one before"
	results := kube.WriteStatuses(t.Context(), s.connect(t), []kube.StatusUpdate{
		update("same", fields()), update("other", fields(), "conditions"), update("later", fields()), another, update("missing", fields()),
	}, kube.DryRunNone)
	if diff := cmp.Diff([]string{"same unchanged", "other configured", "later kept", "anew absent", "missing absent"}, outcomeLines(results)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	want := map[string]any{"state": "ACCEPTED", "observedGeneration": int64(1), "conditions": "theirs"}
	stored, err := kube.Get(t.Context(), s.connect(t), kube.KeyOf(hostWith("other")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, stored.Object["status"]); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestStatusesOfAClusterThatStopsAnswering(t *testing.T) {
	t.Parallel()
	s := newStore("Host")
	var updates []kube.StatusUpdate
	for i := range 500 {
		host := hostWith(fmt.Sprintf("h%d", i))
		s.put(host)
		updates = append(updates, kube.StatusUpdate{Key: kube.KeyOf(host), Fields: map[string]any{"state": "ACCEPTED"}})
	}
	s.hangs = http.MethodPut
	for _, r := range kube.WriteStatuses(t.Context(), s.connect(t), updates, kube.DryRunNone) {
		if r.Err == nil || r.Err.Reason != kube.ReasonTimeout {
			t.Fatalf("%s: %v", r.Name, r.Err)
		}
	}
	if asked := s.unanswered(); asked > 2*kube.MaxQuestions {
		t.Errorf("it was asked %d times", asked)
	}
}
