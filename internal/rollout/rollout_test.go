package rollout

import (
	"context"
	"fmt"
	"math"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	networking "istio.io/api/networking/v1"
	security "istio.io/api/security/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// object returns an object rendered for cluster east.
func object(kind istio.Kind, name string, spec proto.Message) *istio.Object {
	return &istio.Object{Cluster: "east", Kind: kind, Namespace: "shop", Name: name, Spec: spec, Owner: "meshes"}
}

// hostWith returns a DestinationRule with subsets of a host.
func hostWith(name string, subsets ...string) *istio.Object {
	rule := &networking.DestinationRule{Host: name}
	for _, subset := range subsets {
		rule.Subsets = append(rule.Subsets, &networking.Subset{Name: subset})
	}
	return object(istio.KindDestinationRule, name, rule)
}

// routeTo returns a route to a subset of a host.
func routeTo(name, host, subset string) *istio.Object {
	to := &networking.HTTPRouteDestination{Destination: &networking.Destination{Host: host, Subset: subset}}
	return object(istio.KindVirtualService, name, &networking.VirtualService{
		Hosts: []string{name}, Http: []*networking.HTTPRoute{{Route: []*networking.HTTPRouteDestination{to}}},
	})
}

// stored returns objects as stored in a cluster.
func stored(t *testing.T, objects ...*istio.Object) []*unstructured.Unstructured {
	t.Helper()
	var all []*unstructured.Unstructured
	for _, o := range objects {
		u, err := manifest(o)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, u)
	}
	return all
}

// compared returns the plan after which the cluster of the store has the objects.
func compared(t *testing.T, s *store, opts compareOptions, objects ...*istio.Object) *Cluster {
	t.Helper()
	c := &Cluster{Name: "east", connection: s.connect(t), owner: istio.OwnerLabels("meshes", "east")}
	for _, o := range objects {
		c.Objects = append(c.Objects, *o)
	}
	opts.deadline = time.Minute
	if err := c.compare(t.Context(), opts); err != nil {
		t.Fatal(err)
	}
	return c
}

// run executes the plan of one cluster and returns the outcomes as lines.
func run(t *testing.T, c *Cluster) []string {
	t.Helper()
	w := newWriter(c, kube.DryRunNone)
	w.write(t.Context(), math.MaxInt)
	w.reduce(t.Context(), math.MinInt)
	return outcomeLines(c)
}

// outcomeLines returns the outcomes of changes as lines.
func outcomeLines(c *Cluster) []string {
	lines := []string{}
	for i := range c.Changes {
		if change := &c.Changes[i]; change.Outcome != "" {
			lines = append(lines, outcomeLine(change.Key.Name, change.Outcome, change.Err))
		}
	}
	return lines
}

func outcomeLine(name string, outcome kube.Outcome, e *kube.Error) string {
	line := name + " " + string(outcome)
	if e != nil {
		line += ": " + e.Why
	}
	return line
}

// No route ever refers to an object that does not exist, whatever changes and whatever cannot
// be changed.
func TestOrderOfWriting(t *testing.T) {
	t.Parallel()
	const stays = "requests may still be sent there, because meshctl cannot "
	for name, test := range map[string]struct {
		stored, wanted []*istio.Object
		rejects        []string
		forbidden      []string
		keep           bool
		log, outcomes  []string
	}{
		"everything is new": {
			wanted:   []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			log:      []string{`write a {"subsets":["v1"]}`, `write r {"host":"a","subset":"v1"}`},
			outcomes: []string{"a created", "r created"},
		},
		"another subset": {
			stored: []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			wanted: []*istio.Object{routeTo("r", "a", "v2"), hostWith("a", "v2")},
			log: []string{
				`write a {"subsets":["v2","v1"]}`, `write r {"host":"a","subset":"v2"}`, `write a {"subsets":["v2"]}`,
			},
			outcomes: []string{"a configured", "r configured"},
		},
		"a route goes with its subset": {
			stored:   []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			wanted:   []*istio.Object{hostWith("a")},
			log:      []string{`write a {"subsets":["v1"]}`, "delete r", `write a {"subsets":null}`},
			outcomes: []string{"a configured", "r deleted"},
		},
		"a route goes with its host": {
			stored:   []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			log:      []string{"delete r", "delete a"},
			outcomes: []string{"a deleted", "r deleted"},
		},
		"a route cannot be changed": {
			stored:  []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("b", "v1"), hostWith("c")},
			wanted:  []*istio.Object{routeTo("r", "b", "v2"), hostWith("b", "v2")},
			rejects: []string{"r"},
			log:     []string{`write b {"subsets":["v2","v1"]}`, "delete c", `write b {"subsets":["v2"]}`},
			outcomes: []string{
				"a failed: " + stays + "apply VirtualService r in shop", "b configured", "c deleted", "r failed: forbidden: a webhook says no",
			},
		},
		"a route to a subset cannot be changed": {
			stored:  []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			wanted:  []*istio.Object{routeTo("r", "a", "v2"), hostWith("a", "v2")},
			rejects: []string{"r"},
			log:     []string{`write a {"subsets":["v2","v1"]}`},
			outcomes: []string{
				"a failed: " + stays + "apply VirtualService r in shop", "r failed: forbidden: a webhook says no",
			},
		},
		"a route cannot be deleted": {
			stored:   []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			rejects:  []string{"r"},
			log:      []string{},
			outcomes: []string{"a failed: " + stays + "delete VirtualService r in shop", "r failed: forbidden: a webhook says no"},
		},
		"a route is kept": {
			stored:   []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("b", "v1")},
			wanted:   []*istio.Object{hostWith("a", "v2")},
			keep:     true,
			log:      []string{`write a {"subsets":["v2","v1"]}`},
			outcomes: []string{"a configured"},
		},
		"routes cannot be seen": {
			stored:    []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			forbidden: []string{"virtualservices"},
			log:       []string{},
			outcomes:  []string{"a failed: " + stays + "list virtualservices.networking.istio.io"},
		},
		"a host cannot be made known": {
			wanted:  []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1"), routeTo("other", "b", "")},
			rejects: []string{"a"},
			log:     []string{`write other {"host":"b","subset":""}`},
			outcomes: []string{
				"a failed: forbidden: a webhook says no", "other created",
				"r failed: skipped because it needs DestinationRule a in shop, which could not be written",
			},
		},
		"hosts cannot be seen": {
			stored:    []*istio.Object{routeTo("r", "a", "v1"), hostWith("a", "v1")},
			forbidden: []string{"destinationrules"},
			log:       []string{"delete r"},
			outcomes:  []string{"r deleted"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStore()
			s.put(stored(t, test.stored...)...)
			s.rejects, s.forbidden = test.rejects, test.forbidden
			c := compared(t, s, compareOptions{keep: test.keep}, test.wanted...)
			s.log = []string{}
			if diff := cmp.Diff(test.outcomes, run(t, c)); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(test.log, s.log); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

// After an interrupted run, the next one reaches the same result.
func TestRunAgain(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(stored(t, routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("gone", "v1"))...)
	s.rejects = []string{"r", "gone"}
	again := func() []string {
		t.Helper()
		return run(t, compared(t, s, compareOptions{}, routeTo("r", "a", "v2"), hostWith("a", "v2")))
	}
	again()
	s.rejects = nil
	if diff := cmp.Diff([]string{"a configured", "gone deleted", "r configured"}, again()); diff != "" {
		t.Errorf("again (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{`a {"subsets":["v2"]}`, `r {"host":"a","subset":"v2"}`}, s.names()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if got := again(); len(got) > 0 {
		t.Errorf("a third run does something: %q", got)
	}
}

// A run can stop between stages, so that clusters can wait for one another.
func TestRunInParts(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(stored(t, routeTo("r", "a", "v1"), hostWith("a", "v1"), hostWith("gone", "v1"))...)
	c := compared(t, s, compareOptions{}, routeTo("r", "a", "v2"), hostWith("a", "v2"))
	w := newWriter(c, kube.DryRunNone)
	var states [][]string
	for _, last := range []int{istio.LastExportStage, math.MaxInt, math.MaxInt} {
		w.write(t.Context(), last)
		states = append(states, s.names())
	}
	w.reduce(t.Context(), math.MinInt)
	outcomes := outcomeLines(c)
	states = append(states, s.names())
	want := [][]string{
		{`a {"subsets":["v2","v1"]}`, `gone {"subsets":["v1"]}`, `r {"host":"a","subset":"v1"}`},
		{`a {"subsets":["v2","v1"]}`, `gone {"subsets":["v1"]}`, `r {"host":"a","subset":"v2"}`},
		{`a {"subsets":["v2","v1"]}`, `gone {"subsets":["v1"]}`, `r {"host":"a","subset":"v2"}`},
		{`a {"subsets":["v2"]}`, `r {"host":"a","subset":"v2"}`},
	}
	if diff := cmp.Diff(want, states); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"a configured", "gone deleted", "r configured"}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// If a kind could not be listed, none of its objects is written or pruned.
func TestKindThatWasNotListed(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(stored(t, routeTo("r", "a", ""), hostWith("a"), hostWith("gone"))...)
	unlisted := map[schema.GroupKind]error{istio.KindDestinationRule.GVK().GroupKind(): &kube.Error{Reason: kube.ReasonForbidden, Why: "it is forbidden"}}
	c := compared(t, s, compareOptions{unlisted: unlisted}, hostWith("a", "v1"))
	if diff := cmp.Diff([]string{"a failed: it is forbidden", "r deleted"}, run(t, c)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if len(c.Unread) != 1 {
		t.Errorf("not read is %v", c.Unread)
	}
}

// Protection is neither deleted nor loosened unless the user accepts that; everything else is
// applied (D70).
func TestProtectionStays(t *testing.T) {
	t.Parallel()
	parent := world.ObjectID{Kind: "VirtualMesh", Namespace: "meshes", Name: "prod"}
	peers := func(name string, mode security.PeerAuthentication_MutualTLS_Mode) *istio.Object {
		o := object(istio.KindPeerAuthentication, name, &security.PeerAuthentication{Mtls: &security.PeerAuthentication_MutualTLS{Mode: mode}})
		o.Parents = []world.ObjectID{parent}
		return o
	}
	strict, permissive := security.PeerAuthentication_MutualTLS_STRICT, security.PeerAuthentication_MutualTLS_PERMISSIVE
	denial := object(istio.KindAuthorizationPolicy, "denial", &security.AuthorizationPolicy{})
	denial.Parents = []world.ObjectID{parent}
	vm := &networkingv1.VirtualMesh{}
	vm.Name, vm.Namespace = parent.Name, parent.Namespace
	broken := world.Objects{VirtualMeshes: []world.Object[networkingv1.VirtualMesh]{{Resource: vm, Errors: []string{"broken"}}}}
	const kept = " conflict: it protects workloads, and its source VirtualMesh/prod.meshes is INVALID: broken"
	done := []string{"denial deleted", "old deleted", "peers configured", "rule deleted"}
	for _, c := range []struct {
		name    string
		objects world.Objects
		accept  bool
		want    []string
	}{
		{"it is deleted", world.Objects{}, false, done},
		{"it is invalid", broken, false, []string{"denial" + kept, "old" + kept, "peers" + kept, "rule deleted"}},
		{"the loss is accepted", broken, true, done},
	} {
		s := newStore()
		s.put(stored(t, denial, peers("peers", strict), peers("old", strict), hostWith("rule"))...)
		opts := compareOptions{}
		if !c.accept {
			opts.guard = istio.NewGuard(policy.Evaluate(world.New(c.objects)), true)
		}
		got := run(t, compared(t, s, opts, peers("peers", permissive)))
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%s (-want +got)\n%s", c.name, diff)
		}
	}
}

// An object that is being deleted does not count as existing.
func TestObjectThatIsBeingDeleted(t *testing.T) {
	t.Parallel()
	s := newStore()
	going := stored(t, hostWith("a", "v1"))
	now := metav1.Now()
	going[0].SetDeletionTimestamp(&now)
	s.put(going...)
	want := []string{"a conflict: it is being deleted and has finalizers"}
	if diff := cmp.Diff(want, run(t, compared(t, s, compareOptions{}, hostWith("a", "v1")))); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// An object of meshctl that lost its label is distinguished from those of others.
func TestObjectThatLostItsLabel(t *testing.T) {
	t.Parallel()
	s := newStore()
	there := stored(t, hostWith("a", "v1"), hostWith("b", "v1"))
	for _, object := range there {
		object.SetLabels(nil)
	}
	there[0].SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: kube.DefaultFieldManager, Operation: metav1.ManagedFieldsOperationApply}})
	there[1].SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: "kubectl", Operation: metav1.ManagedFieldsOperationApply}})
	s.put(there...)
	want := []string{
		"a conflict: meshctl created it, but it no longer has the label cluster.multicluster.solo.io=east",
		"b conflict: exists with another owner: it has no label cluster.multicluster.solo.io=east",
	}
	if diff := cmp.Diff(want, run(t, compared(t, s, compareOptions{}, hostWith("a", "v1"), hostWith("b", "v1")))); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
}

// No further requests are sent to a cluster that stops responding.
func TestClusterThatStopsAnswering(t *testing.T) {
	t.Parallel()
	const many = 300
	for method, test := range map[string]struct{ stored, wanted int }{
		http.MethodPatch:  {0, many},
		http.MethodDelete: {many, 0},
	} {
		t.Run(method, func(t *testing.T) {
			t.Parallel()
			s := newStore()
			s.hangs = method
			var has, wanted []*istio.Object
			for i := range test.stored {
				has = append(has, hostWith(fmt.Sprintf("h%d", i)), routeTo(fmt.Sprintf("r%d", i), "elsewhere", ""))
			}
			for i := range test.wanted {
				wanted = append(wanted, hostWith(fmt.Sprintf("h%d", i)), routeTo(fmt.Sprintf("r%d", i), "elsewhere", ""))
			}
			s.put(stored(t, has...)...)
			c := compared(t, s, compareOptions{}, wanted...)
			if outcomes := run(t, c); len(outcomes) != 2*many {
				t.Errorf("%d outcomes, want %d", len(outcomes), 2*many)
			}
			for i := range c.Changes {
				if e := c.Changes[i].Err; e == nil || e.Reason != kube.ReasonTimeout {
					t.Fatalf("%s: %v", c.Changes[i].Key.Name, e)
				}
			}
			if asked := s.unanswered(); asked > 2*kube.MaxQuestions {
				t.Errorf("it was asked %d times", asked)
			}
		})
	}
}

// Changes that an interrupt prevents are cancelled rather than failed, as are those that
// depend on them.
func TestInterruptedRun(t *testing.T) {
	t.Parallel()
	s := newStore()
	s.put(stored(t, routeTo("stale", "old", "v1"), hostWith("old", "v1"))...)
	c := compared(t, s, compareOptions{}, hostWith("a", "v1"), routeTo("r", "a", "v1"), hostWith("old"))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	s.interrupt, s.interruptedBy = cancel, "r"
	p := &Plan{Clusters: []Cluster{*c}, Result: policy.Evaluate(world.New(world.Objects{}))}
	p.Run(ctx, RunOptions{})
	want := []string{
		"a created", "old cancelled: requests may still be sent there, because meshctl cannot delete VirtualService stale in shop",
		"r cancelled: cancelled", "stale cancelled: cancelled",
	}
	if diff := cmp.Diff(want, outcomeLines(&p.Clusters[0])); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	wantCounts := map[kube.Outcome]int{kube.Created: 1, kube.Cancelled: 3, kube.Unchanged: 0}
	if diff := cmp.Diff(wantCounts, p.Clusters[0].Outcomes()); diff != "" {
		t.Errorf("counts (-want +got):\n%s", diff)
	}
	s.interrupt = nil
	want = []string{"old configured", "r created", "stale deleted"}
	if diff := cmp.Diff(want, run(t, compared(t, s, compareOptions{}, hostWith("a", "v1"), routeTo("r", "a", "v1"), hostWith("old")))); diff != "" {
		t.Errorf("outcomes of the next run (-want +got):\n%s", diff)
	}
}

func TestWriteStatuses(t *testing.T) {
	t.Parallel()
	with := func(name string, status map[string]any) *unstructured.Unstructured {
		object := stored(t, hostWith(name))[0]
		object.Object["status"] = status
		return object
	}
	update := func(name string, fields map[string]any, keep ...string) kube.StatusUpdate {
		return kube.StatusUpdate{Key: keyOf(hostWith(name)), UID: types.UID("uid-" + name), Fields: fields, Keep: keep}
	}
	s := newStore()
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
	var outcomes []string
	for i := range results {
		outcomes = append(outcomes, outcomeLine(results[i].Name, results[i].Outcome, results[i].Err))
	}
	if diff := cmp.Diff([]string{"same unchanged", "other configured", "later kept", "anew absent", "missing absent"}, outcomes); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	want := map[string]any{"state": "ACCEPTED", "observedGeneration": int64(1), "conditions": "theirs"}
	now, err := kube.Get(t.Context(), s.connect(t), keyOf(hostWith("other")))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, now.Object["status"]); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
}

func TestStatusesOfAClusterThatStopsAnswering(t *testing.T) {
	t.Parallel()
	s := newStore()
	var updates []kube.StatusUpdate
	for i := range 500 {
		host := hostWith(fmt.Sprintf("h%d", i))
		s.put(stored(t, host)...)
		updates = append(updates, kube.StatusUpdate{Key: keyOf(host), Fields: map[string]any{"state": "ACCEPTED"}})
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
