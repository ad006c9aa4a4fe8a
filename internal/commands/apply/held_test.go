package apply

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/world"
)

// controller returns a run of apply --watch, and what it said since this was last asked.
func controller() (w *watchRun, said func() []string) {
	streams, _, stderr := cli.Test("")
	streams.Complete = func(text string) string {
		return strings.ReplaceAll(text, "'meshctl apply --accept-loss'", "'meshctl apply --accept-loss --context mgmt'")
	}
	now := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	w = &watchRun{metrics: &metrics{}, options: &options{
		streams: streams, clock: func() time.Time { return now }, verbosity: func() int { return 0 },
		dryRun: cmdutil.NewEnumValue("none", "none"), output: cmdutil.NewOutput(output.FormatTable),
	}}
	return w, func() []string {
		text := stderr.String()
		stderr.Reset()
		return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "2026-06-01T12:00:00Z ", ""), "\n"), "\n")
	}
}

// scraped returns the samples that /metrics serves.
func scraped(t *testing.T, w *watchRun) []string {
	t.Helper()
	recorder := httptest.NewRecorder()
	w.healthHandler().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", http.NoBody))
	if got := recorder.Header().Get("Content-Type"); recorder.Code != http.StatusOK || got != "text/plain; version=0.0.4; charset=utf-8" {
		t.Errorf("/metrics answers %d with %s", recorder.Code, got)
	}
	var samples []string
	for line := range strings.Lines(recorder.Body.String()) {
		if !strings.HasPrefix(line, "# ") {
			samples = append(samples, strings.TrimSpace(line))
		}
	}
	return samples
}

// TestHeldBack holds that the log says what is held back when that changes, and not in
// every pass, and that the metrics have it all the time.
func TestHeldBack(t *testing.T) {
	t.Parallel()
	w, said := controller()
	nothing := policy.Evaluate(world.New(world.Objects{}))
	refused := func(held bool, name string) rollout.Change {
		key := kube.ObjectKey{GVK: istio.KindPeerAuthentication.GVK(), Namespace: "shop", Name: name}
		return rollout.Change{
			Kind: kube.ChangeRefuse, Key: key, Held: held,
			Err: &kube.Error{Cluster: "east", Action: "delete PeerAuthentication " + name + " in shop", Reason: kube.ReasonConflict, Why: "of a reason", Hint: "do something"},
		}
	}
	changed := &rollout.TrustDomainError{Cluster: "west", Mesh: "istiod-west", Accepted: "west.example", Found: "fresh.example"}
	plan := func(changes ...rollout.Change) *rollout.Plan {
		return &rollout.Plan{Result: nothing, Clusters: []rollout.Cluster{{Name: "east", Changes: changes}, {Name: "west", Err: changed}}}
	}
	loss := rollout.Hold{Cluster: "east", Kind: rollout.HoldLoss, Subject: "delete PeerAuthentication a in shop", Message: "cannot delete PeerAuthentication a in shop on cluster east: of a reason"}
	domain := rollout.Hold{Cluster: "west", Kind: rollout.HoldTrustDomain, Subject: "trust domain of mesh istiod-west", Message: changed.Error()}
	pass := func(name string, p *rollout.Pass, want ...string) {
		t.Helper()
		p.Input.World = world.New(world.Objects{})
		if err := w.reportPass(p); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, said()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
	const (
		counted  = "east: nothing to do"
		failures = "Some objects could not be applied to east, west. Fix the errors and run 'meshctl apply' again."
	)
	before := []string{`meshctl_leader 0`, `meshctl_passes_total{result="succeeded"} 0`, `meshctl_passes_total{result="failed"} 0`}
	if diff := cmp.Diff(before, scraped(t, w)); diff != "" {
		t.Errorf("metrics before the first pass (-want +got):\n%s", diff)
	}
	held := []rollout.Hold{loss, domain}
	pass("begins", &rollout.Pass{Plan: plan(refused(true, "a"), refused(false, "b")), Held: held, NewlyHeld: held},
		"error: cannot delete PeerAuthentication b in shop on cluster east: of a reason: do something", counted, failures,
		"warning: held back: cannot delete PeerAuthentication a in shop on cluster east: of a reason",
		"warning: held back: cluster west: the trust domain of mesh istiod-west changed from west.example to fresh.example: "+
			"if that is intended, accept it with 'meshctl apply --accept-trust-domain istiod-west=fresh.example'",
		"hint: repair the causes, or remove the protection with 'meshctl apply --accept-loss --context mgmt'")
	pass("goes on", &rollout.Pass{Plan: plan(refused(true, "a")), Held: held}, counted, failures)
	pass("goes on without anything new", &rollout.Pass{Plan: plan(refused(true, "a")), Held: held, Repeated: true}, "")
	during := []string{
		`meshctl_leader 1`, `meshctl_passes_total{result="succeeded"} 0`, `meshctl_passes_total{result="failed"} 3`,
		`meshctl_held_changes{cluster="east"} 1`, `meshctl_held_changes{cluster="west"} 0`,
		`meshctl_unaccepted_trust_domains{cluster="east"} 0`, `meshctl_unaccepted_trust_domains{cluster="west"} 1`,
	}
	if diff := cmp.Diff(during, scraped(t, w)); diff != "" {
		t.Errorf("metrics (-want +got):\n%s", diff)
	}
	released := &rollout.Plan{Result: nothing, Clusters: []rollout.Cluster{{Name: "east"}, {Name: "west"}}}
	pass("ends", &rollout.Pass{Plan: released, Released: held},
		"east: no longer held back: delete PeerAuthentication a in shop", "west: no longer held back: trust domain of mesh istiod-west")
	after := []string{
		`meshctl_leader 1`, `meshctl_passes_total{result="succeeded"} 1`, `meshctl_passes_total{result="failed"} 3`,
		`meshctl_held_changes{cluster="east"} 0`, `meshctl_held_changes{cluster="west"} 0`,
		`meshctl_unaccepted_trust_domains{cluster="east"} 0`, `meshctl_unaccepted_trust_domains{cluster="west"} 0`,
	}
	if diff := cmp.Diff(after, scraped(t, w)); diff != "" {
		t.Errorf("metrics after that (-want +got):\n%s", diff)
	}
	pass("is interrupted", &rollout.Pass{Plan: plan(refused(true, "a")), Repeated: true, Interrupted: true}, "")
	if diff := cmp.Diff(after, scraped(t, w)); diff != "" {
		t.Errorf("metrics of an interrupted pass (-want +got):\n%s", diff)
	}
	w.metrics.standBy()
	if got := scraped(t, w); got[0] != "meshctl_leader 0" || len(got) != 3 {
		t.Errorf("metrics of a process that stands by: %q", got)
	}
}

// TestWatchedFederation holds that the log warns like apply when federation ends
// because its VirtualMesh became INVALID.
func TestWatchedFederation(t *testing.T) {
	t.Parallel()
	east, west := &member{}, &member{}
	in := rollout.Input{Members: map[string]*kube.Connection{"east": east.connect(t, "east"), "west": west.connect(t, "west")}, Complete: true}
	in.World = bookinfo(t, func(*world.Objects) {})
	first, err := rollout.NewPlan(t.Context(), in, rollout.Options{Namespace: world.DefaultNamespace})
	if err != nil {
		t.Fatal(err)
	}
	for i, m := range []*member{east, west} {
		for k := range first.Clusters[i].Changes {
			object, err := first.Clusters[i].Changes[k].After()
			if err != nil {
				t.Fatal(err)
			}
			m.objects = append(m.objects, object)
		}
	}
	in.World = recorded(t, in.World, bookinfo(t, func(o *world.Objects) {
		o.VirtualMeshes[0].Errors = []string{"spec.meshes: must be a list"}
	}))
	plan, err := rollout.NewPlan(t.Context(), in, rollout.Options{Namespace: world.DefaultNamespace})
	if err != nil {
		t.Fatal(err)
	}
	w, said := controller()
	const warning = "warning: federation of VirtualMesh/bookinfo.gloo-mesh ends in clusters east, west: 22 objects are deleted because it is INVALID"
	for repeated, want := range []int{1, 0} {
		if err := w.reportPass(&rollout.Pass{Plan: plan, Input: in, Repeated: repeated > 0}); err != nil {
			t.Fatal(err)
		}
		lines := said()
		count := 0
		for _, line := range lines {
			if line == warning {
				count++
			}
		}
		if count != want {
			t.Errorf("pass %d warns %d times, want %d:\n%s", repeated, count, want, strings.Join(lines, "\n"))
		}
	}
}

func TestLabelValue(t *testing.T) {
	t.Parallel()
	if got, want := labelValue("a\"b\\c\nd"), `a\"b\\c\nd`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestDraining holds that access rules that were written are said to act on new
// connections (D78), and nothing is said about other objects.
func TestDraining(t *testing.T) {
	t.Parallel()
	tests := []struct {
		kind    istio.Kind
		outcome kube.Outcome
		says    bool
	}{
		{istio.KindAuthorizationPolicy, kube.Created, true},
		{istio.KindAuthorizationPolicy, kube.Configured, true},
		{istio.KindAuthorizationPolicy, kube.Failed, false},
		{istio.KindAuthorizationPolicy, "", false},
		{istio.KindVirtualService, kube.Created, false},
	}
	for _, tt := range tests {
		w, said := controller()
		change := rollout.Change{Outcome: tt.outcome}
		change.Key.GVK.Kind = string(tt.kind)
		a := &applyRun{options: w.options, plan: &rollout.Plan{Clusters: []rollout.Cluster{{Name: "east", Changes: []rollout.Change{change}}}}}
		a.reportDraining()
		if got := strings.Contains(strings.Join(said(), "\n"), "drainDuration, 45s by default"); got != tt.says {
			t.Errorf("%s %s: says how long existing connections keep their rules: %t, want %t", tt.kind, tt.outcome, got, tt.says)
		}
	}
}
