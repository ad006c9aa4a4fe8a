package rollout

import (
	stdcmp "cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

func brokenWorld() *world.World {
	return world.New(world.Objects{Problems: []world.Problem{{Kind: world.UnreadableFile, Message: "no such file"}}})
}

// Missing input never counts as deleted.
func TestIncompleteInput(t *testing.T) {
	t.Parallel()
	in := Input{World: brokenWorld()}
	if _, err := NewPlan(t.Context(), in, Options{}); !errors.Is(err, ErrIncomplete) {
		t.Errorf("got %v, want ErrIncomplete", err)
	}
	plan, err := NewPlan(t.Context(), in, Options{AllowIncomplete: true})
	if err != nil {
		t.Fatal(err)
	}
	if !plan.Incomplete || !plan.Failed() || !plan.opts.Keep {
		t.Errorf("incomplete %t, failed %t, keeps %t; want all", plan.Incomplete, plan.Failed(), plan.opts.Keep)
	}
}

// A world is evaluated once, unless it is not the one to roll out.
func TestEvaluatedOnce(t *testing.T) {
	t.Parallel()
	w := newGovernedWorld(3)
	for name, test := range map[string]struct {
		evaluated  *world.World
		annotation string
		again      bool
	}{
		"the same world":                  {again: false},
		"with a trust domain of before":   {annotation: "before.example.com", again: true},
		"the evaluated one is of another": {evaluated: world.New(w.objects), again: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects := w.objects
			objects.Meshes = slices.Clone(objects.Meshes)
			objects.Meshes[0].Resource = objects.Meshes[0].Resource.DeepCopy()
			objects.Meshes[0].Resource.Annotations = map[string]string{discoveryv1.TrustDomainAnnotation: test.annotation}
			in := Input{World: world.New(objects)}
			in.Result = policy.Evaluate(stdcmp.Or(test.evaluated, in.World))
			plan, err := NewPlan(t.Context(), in, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if again := plan.Result != in.Result; again != test.again {
				t.Errorf("evaluated again: %t, want %t", again, test.again)
			}
			if want := in.World.WithAcceptedTrustDomains().Meshes[0].TrustDomain; plan.Result.World.Meshes[0].TrustDomain != want {
				t.Errorf("the trust domain is %s, want %s", plan.Result.World.Meshes[0].TrustDomain, want)
			}
		})
	}
}

func TestUnknownCluster(t *testing.T) {
	t.Parallel()
	_, err := NewPlan(t.Context(), Input{World: world.New(world.Objects{})}, Options{Only: []string{"west"}})
	var unknown *UnknownClusterError
	if !errors.As(err, &unknown) || unknown.Name != "west" || len(unknown.Known) > 0 {
		t.Errorf("got %v", err)
	}
}

// Passes follow changes, resyncs and failures, and report whether their result is new.
func TestWatchLoop(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		ctx, stop := context.WithCancel(t.Context())
		changed, watched := make(chan struct{}, 1), make(chan error, 1)
		begin := time.Now()
		type pass struct {
			At       time.Duration
			Err      string
			Repeated bool
		}
		var got []pass
		inputs := []Input{
			{World: world.New(world.Objects{})}, {World: world.New(world.Objects{})}, {World: brokenWorld()}, {World: brokenWorld()}, {World: world.New(world.Objects{})},
		}
		w := &watcher{opts: WatchOptions{
			Resync: time.Minute,
			Input:  func(context.Context) (Input, error) { return inputs[len(got)], nil },
			Handle: func(p *Pass) error {
				got = append(got, pass{time.Since(begin), textOf(p.Err), p.Repeated})
				switch len(got) {
				case 2:
					changed <- struct{}{}
				case len(inputs):
					stop()
					watched <- ctx.Err()
				}
				return nil
			},
		}}
		if err := w.loop(ctx, changed, watched); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		want := []pass{
			{At: 0},
			{At: time.Minute, Repeated: true},
			{At: time.Minute + settleTime, Err: ErrIncomplete.Error()},
			{At: time.Minute + settleTime + firstRetry, Err: ErrIncomplete.Error(), Repeated: true},
			{At: time.Minute + settleTime + 3*firstRetry},
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("passes (-want +got):\n%s", diff)
		}
	})
}

// A permanent error ends watching only in the first pass.
func TestWatchGivesUp(t *testing.T) {
	t.Parallel()
	hopeless := errors.New("hopeless")
	w := &watcher{opts: WatchOptions{
		Input:  func(context.Context) (Input, error) { return Input{}, hopeless },
		Handle: func(*Pass) error { return nil },
		GiveUp: func(err error) bool { return errors.Is(err, hopeless) },
	}}
	if err := w.loop(t.Context(), nil, nil); !errors.Is(err, hopeless) {
		t.Errorf("got %v", err)
	}
}
