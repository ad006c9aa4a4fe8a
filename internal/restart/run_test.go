package restart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
)

// fake is a cluster whose rollouts the test controls.
type fake struct {
	mu  sync.Mutex
	log []string
	// stuck items never become ready, refused ones must not be restarted, broken ones fail their
	// rollout, paused ones are paused, replaced ones have another uid, and away ones cannot be
	// read that many times.
	stuck, refused, broken, paused, replaced []string
	away                                     map[string]int
	// began is called after every restart.
	began func(name string)
	// most is the maximum number of restarts in progress at once.
	under, most int
	rolling     map[string]int
}

func (f *fake) note(format string, args ...any) { f.log = append(f.log, fmt.Sprintf(format, args...)) }

func (f *fake) get(ctx context.Context, item *Item) (*unstructured.Unstructured, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	if f.away[item.Name] > 0 && f.rolling[item.Name] > 0 {
		f.away[item.Name]--
		return nil, &kube.Error{Cluster: "east", Reason: kube.ReasonUnreachable, Why: "gone"}
	}
	updated := int64(1)
	if left := f.rolling[item.Name]; left > 0 {
		updated = 0
		if !slices.Contains(f.stuck, item.Name) {
			f.rolling[item.Name]--
		}
		if left == 1 {
			updated = 1
			f.under--
			f.note("ready %s", item.Name)
		}
	}
	status := map[string]any{"replicas": int64(1), "updatedReplicas": updated, "availableReplicas": updated}
	if slices.Contains(f.broken, item.Name) && f.rolling[item.Name] > 0 {
		status["conditions"] = []any{map[string]any{"type": "Progressing", "reason": "ProgressDeadlineExceeded"}}
	}
	uid := item.uid
	if slices.Contains(f.replaced, item.Name) {
		uid = "another"
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": item.Name, "uid": uid},
		"spec":     map[string]any{"replicas": int64(1), "paused": slices.Contains(f.paused, item.Name)},
		"status":   status,
	}}, nil
}

func (f *fake) restart(_ context.Context, item *Item, restartedAt string, dryRun bool) error {
	f.mu.Lock()
	if slices.Contains(f.refused, item.Name) {
		f.mu.Unlock()
		return errors.New("the API server refuses " + item.Name)
	}
	if dryRun {
		f.note("try %s", item.Name)
		f.mu.Unlock()
		return nil
	}
	f.note("restart %s %s", item.Name, restartedAt)
	if f.rolling == nil {
		f.rolling = map[string]int{}
	}
	f.rolling[item.Name] = 3
	f.under++
	f.most = max(f.most, f.under)
	f.mu.Unlock()
	if f.began != nil {
		f.began(item.Name)
	}
	return nil
}

// planOf builds a plan from STAGE:NAME texts. A name that ends in + is only waited for; one
// that ends in - needs nothing.
func planOf(texts ...string) *Plan {
	p := &Plan{Mesh: "mesh", Cluster: "east"}
	for _, text := range texts {
		stage, name, _ := strings.Cut(text, ":")
		action := ActionRestart
		switch {
		case strings.HasSuffix(name, "+"):
			action = ActionWait
		case strings.HasSuffix(name, "-"):
			action = ActionManual
		}
		name = strings.TrimRight(name, "+-")
		p.Items = append(p.Items, Item{Stage: Stage(stage), Ref: Ref{kindDeployment, "shop", name}, Action: action, uid: "uid-of-" + name})
	}
	return p
}

func outcomes(r Report) []string {
	var lines []string
	for _, result := range r.Results {
		line := result.Item.Name + " " + string(result.Outcome)
		if result.Err != nil {
			line += ": " + result.Err.Error()
		}
		lines = append(lines, line)
	}
	return lines
}

func options() RunOptions {
	return RunOptions{RestartedAt: "now", Poll: time.Millisecond, Timeout: time.Minute, Clock: time.Now}
}

func TestRun(t *testing.T) {
	t.Parallel()
	const never = "deployment/%s.shop on cluster east was not ready within 50ms: waiting for its rollout: 0 of 1 replicas updated"
	full := []string{"control-plane:istiod", "gateways:ingress", "workloads:a", "workloads:b"}
	soon := func(o *RunOptions) { o.Timeout = 50 * time.Millisecond }
	tests := map[string]struct {
		plan  []string
		fake  *fake
		opts  func(*RunOptions)
		want  []string
		wrote []string // nil: not compared
	}{
		"in order": {
			plan: append(full, "workloads:bare-"), fake: &fake{}, opts: func(o *RunOptions) { o.MaxParallel = 1 },
			want:  []string{"istiod restarted", "ingress restarted", "a restarted", "b restarted"},
			wrote: []string{"restart istiod now", "ready istiod", "restart ingress now", "ready ingress", "restart a now", "ready a", "restart b now", "ready b"},
		},
		"waits for what has begun": {
			plan: []string{"control-plane:istiod+", "workloads:a"}, fake: &fake{rolling: map[string]int{"istiod": 2}},
			want: []string{"istiod restarted", "a restarted"}, wrote: []string{"ready istiod", "restart a now", "ready a"},
		},
		"a control plane that does not get ready ends it": {
			plan: full, fake: &fake{stuck: []string{"istiod"}}, opts: soon,
			want:  []string{"istiod timed out: " + fmt.Sprintf(never, "istiod"), "ingress not started", "a not started", "b not started"},
			wrote: []string{"restart istiod now"},
		},
		"a control plane that fails ends it": {
			plan: full, fake: &fake{refused: []string{"istiod"}},
			want: []string{"istiod failed: the API server refuses istiod", "ingress not started", "a not started", "b not started"}, wrote: nil,
		},
		"others go on": {
			plan: full, fake: &fake{stuck: []string{"ingress"}, refused: []string{"a"}}, opts: soon,
			want: []string{"istiod restarted", "ingress timed out: " + fmt.Sprintf(never, "ingress"), "a failed: the API server refuses a", "b restarted"},
		},
		"fail fast": {
			plan: full, fake: &fake{refused: []string{"ingress"}}, opts: func(o *RunOptions) { o.FailFast = true },
			want: []string{"istiod restarted", "ingress failed: the API server refuses ingress", "a not started", "b not started"},
		},
		"a rollout that its controller gives up": {
			plan: full[2:], fake: &fake{broken: []string{"a"}},
			want: []string{`a failed: the rollout of deployment/a.shop on cluster east failed: it exceeded its progress deadline`, "b restarted"},
		},
		"paused meanwhile": {
			plan: full[2:3], fake: &fake{paused: []string{"a"}},
			want: []string{"a failed: deployment/a.shop on cluster east is paused now: resume its rollout, then restart again"},
		},
		"replaced meanwhile": {
			plan: full[2:3], fake: &fake{replaced: []string{"a"}},
			want: []string{"a failed: deployment/a.shop on cluster east was replaced after planning: run the command again"},
		},
		"a cluster that is away for a moment": {
			plan: full[2:], fake: &fake{away: map[string]int{"a": 2}}, want: []string{"a restarted", "b restarted"},
		},
		"without waiting, but for the control plane": {
			plan: full, fake: &fake{stuck: []string{"ingress", "a", "b"}}, opts: func(o *RunOptions) { o.NoWait, o.MaxParallel = true, 1 },
			want: []string{"istiod restarted", "ingress begun", "a begun", "b begun"},
		},
		"a dry run": {
			plan: full[:2], fake: &fake{stuck: []string{"istiod"}}, opts: func(o *RunOptions) { o.DryRun = true },
			want: []string{"istiod accepted", "ingress accepted"}, wrote: []string{"try istiod", "try ingress"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			opts := options()
			if tt.opts != nil {
				tt.opts(&opts)
			}
			var report Report
			// The fake clock makes timeouts independent of the load of the machine.
			synctest.Test(t, func(t *testing.T) { report = run(t.Context(), tt.fake, planOf(tt.plan...), opts, nil) })
			if diff := cmp.Diff(tt.want, outcomes(report)); diff != "" {
				t.Errorf("outcomes (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.wrote, tt.fake.log); tt.wrote != nil && diff != "" {
				t.Errorf("log (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRunBoundsWhatIsUnderWay(t *testing.T) {
	t.Parallel()
	var texts []string
	for i := range 20 {
		texts = append(texts, fmt.Sprintf("workloads:w%d", i))
	}
	f := &fake{}
	opts := options()
	opts.MaxParallel = 3
	report := run(t.Context(), f, planOf(texts...), opts, nil)
	if !report.Done() || report.Count(OutcomeRestarted) != 20 || f.most > 3 {
		t.Errorf("%d restarted, %d at the same time", report.Count(OutcomeRestarted), f.most)
	}
}

func TestRunIsInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{stuck: []string{"a"}, began: func(name string) {
		if name == "a" {
			cancel()
		}
	}}
	opts := options()
	opts.MaxParallel = 1
	var told []string
	report := run(ctx, f, planOf("control-plane:istiod", "workloads:a", "workloads:b"), opts, func(e Event) {
		if e.State != StateProgress {
			told = append(told, string(e.State)+" "+e.Item.Name)
		}
	})
	if diff := cmp.Diff([]string{"istiod restarted", "a interrupted", "b not started"}, outcomes(report)); diff != "" {
		t.Errorf("outcomes (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{"started istiod", "ended istiod", "started a", "ended a"}, told); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

func TestRunTellsWhatItWaitsFor(t *testing.T) {
	t.Parallel()
	var details []string
	report := run(t.Context(), &fake{}, planOf("workloads:a"), options(), func(e Event) {
		if e.State == StateProgress {
			details = append(details, e.Detail)
		}
	})
	want := []string{"waiting for its rollout: 0 of 1 replicas updated"}
	if diff := cmp.Diff(want, details); diff != "" || !report.Done() {
		t.Errorf("details (-want +got):\n%s", diff)
	}
}

func TestPermissions(t *testing.T) {
	t.Parallel()
	plan := planOf("control-plane:istiod", "workloads:a", "workloads:b+", "workloads:c-")
	plan.Items = append(plan.Items, Item{Stage: StageWorkloads, Ref: Ref{kindStatefulSet, "bank", "db"}, Action: ActionRestart})
	var got []string
	for _, permission := range plan.Permissions() {
		got = append(got, permission.String())
	}
	if diff := cmp.Diff([]string{"patch deployments.apps in shop", "patch statefulsets.apps in bank"}, got); diff != "" {
		t.Errorf("permissions (-want +got):\n%s", diff)
	}
}

// TestWaitPast checks that no pods are started in the second in which the CA changed, and that
// the wait is bounded.
func TestWaitPast(t *testing.T) {
	t.Parallel()
	changed := time.Date(2026, 3, 1, 12, 0, 5, 0, time.UTC)
	for name, tt := range map[string]struct {
		times []time.Duration // server times after the change
		known bool
		asked int
	}{
		"long ago":                         {[]time.Duration{time.Hour}, true, 1},
		"in the same second":               {[]time.Duration{0, 0, time.Second}, true, 3},
		"a server clock that stands still": {[]time.Duration{0}, true, secondAttempts},
		"not known":                        {[]time.Duration{0}, false, 1},
	} {
		asked := 0
		synctest.Test(t, func(t *testing.T) {
			waitPast(t.Context(), changed, func() (time.Time, bool) {
				at := tt.times[min(asked, len(tt.times)-1)]
				asked++
				return changed.Add(at), tt.known
			})
		})
		if asked != tt.asked {
			t.Errorf("%s: asked %d times, want %d", name, asked, tt.asked)
		}
	}
}
