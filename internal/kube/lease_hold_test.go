package kube

import (
	"context"
	"encoding/json"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// storedLease is a Lease that an API server stores.
type storedLease struct {
	mu      sync.Mutex
	record  *resourcelock.LeaderElectionRecord
	version int
	// broken is the answer to all requests.
	broken error
	// late counts the renewals that were broken off, and reach the API server just
	// before the Lease is given back.
	late int
}

func (s *storedLease) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.version++
	change()
}

// heldBy stores that somebody holds the Lease, and when that was renewed.
func (s *storedLease) heldBy(holder string, renewed time.Time) {
	s.set(func() {
		s.record = &resourcelock.LeaderElectionRecord{
			HolderIdentity: holder, LeaseDurationSeconds: int(leaseDuration / time.Second), AcquireTime: metav1.NewTime(leaseBegan()), RenewTime: metav1.NewTime(renewed),
		}
	})
}

func (s *storedLease) holder() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.record == nil {
		return "(no Lease)"
	}
	return s.record.HolderIdentity
}

func leaseBegan() time.Time { return time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC) }

// leaseClient is how one process sees a storedLease.
type leaseClient struct {
	*storedLease
	identity string
	version  int
}

func (c *leaseClient) Get(context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return nil, nil, c.broken
	}
	if c.record == nil {
		return nil, nil, apierrors.NewNotFound(schema.GroupResource{Resource: "leases"}, "trust")
	}
	c.version = c.storedLease.version
	record := *c.record
	raw, err := json.Marshal(record)
	return &record, raw, err
}

func (c *leaseClient) Create(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	return c.write(record, func() error {
		if c.record != nil {
			return apierrors.NewAlreadyExists(schema.GroupResource{Resource: "leases"}, "trust")
		}
		return nil
	})
}

func (c *leaseClient) Update(_ context.Context, record resourcelock.LeaderElectionRecord) error {
	return c.write(record, func() error {
		if record.HolderIdentity == "" && c.late > 0 {
			c.late--
			c.storedLease.version++
		}
		if c.version != c.storedLease.version {
			return apierrors.NewConflict(schema.GroupResource{Resource: "leases"}, "trust", errors.New("it was modified"))
		}
		return nil
	})
}

func (c *leaseClient) write(record resourcelock.LeaderElectionRecord, allowed func() error) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.broken != nil {
		return c.broken
	}
	if err := allowed(); err != nil {
		return err
	}
	c.storedLease.version++
	c.version, c.record = c.storedLease.version, &record
	return nil
}

func (c *leaseClient) RecordEvent(string) {}
func (c *leaseClient) Identity() string   { return c.identity }
func (c *leaseClient) Describe() string   { return "mesh/trust" }

// holdAs runs while somebody holds the Lease.
func (s *storedLease) holdAs(ctx context.Context, identity string, run func(context.Context) error) error {
	return hold(ctx, &leaseClient{storedLease: s, identity: identity}, LeaseOptions{Namespace: "mesh", Name: "trust", Identity: identity}, time.Now, run)
}

func TestHold(t *testing.T) {
	t.Parallel()
	failure := errors.New("no such mesh")
	tests := []struct {
		name string
		// before prepares the Lease.
		before func(*storedLease)
		// run is what is done while it is held; nil if it must not be.
		run  func(*storedLease) error
		want error
		// waited is whether it took as long as a Lease takes to expire.
		waited bool
		// after is who holds it after that.
		after string
	}{
		{name: "it is free", before: func(*storedLease) {}, run: func(*storedLease) error { return nil }},
		{name: "it was given back", before: func(s *storedLease) { s.heldBy("", time.Now()) }, run: func(*storedLease) error { return nil }},
		{name: "what runs fails", before: func(*storedLease) {}, run: func(*storedLease) error { return failure }, want: failure},
		{
			name: "it is renewed while something runs long", before: func(*storedLease) {},
			run: func(s *storedLease) error {
				time.Sleep(10 * leaseDuration)
				return s.holdAs(context.Background(), "bob", nil)
			},
			want: &HeldError{Namespace: "mesh", Lease: "trust", Holder: "anna", Expires: leaseDuration},
		},
		{
			name: "somebody holds it", before: func(s *storedLease) { s.heldBy("bob", time.Now()) },
			want: &HeldError{Namespace: "mesh", Lease: "trust", Holder: "bob", Since: leaseBegan(), Expires: leaseDuration}, after: "bob",
		},
		{
			name: "its holder died", before: func(s *storedLease) { s.heldBy("bob", time.Now().Add(-time.Minute)) },
			run: func(*storedLease) error { return nil }, waited: true,
		},
		{
			name: "its holder died, and had a clock that is fast", before: func(s *storedLease) { s.heldBy("bob", time.Now().Add(time.Hour)) },
			run: func(*storedLease) error { return nil }, waited: true,
		},
		{
			name: "its holder has a clock that is slow",
			before: func(s *storedLease) {
				slow := func() time.Time { return time.Now().Add(-time.Hour) }
				s.heldBy("bob", slow())
				go func() {
					time.Sleep(leaseRetry)
					s.heldBy("bob", slow())
				}()
			},
			want: &HeldError{Namespace: "mesh", Lease: "trust", Holder: "bob", Since: leaseBegan(), Expires: leaseDuration}, after: "bob",
		},
		{
			name: "the API server refuses", before: func(s *storedLease) { s.set(func() { s.broken = failure }) },
			want: failure, after: "(no Lease)",
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var s storedLease
				tt.before(&s)
				began := time.Now()
				ran := time.Time{}
				err := s.holdAs(t.Context(), "anna", func(context.Context) error {
					ran = time.Now()
					if tt.run == nil {
						return nil
					}
					return tt.run(&s)
				})
				if request := (*leaseRequestError)(nil); errors.As(err, &request) {
					err = request.cause
				}
				var got *HeldError
				if want, held := tt.want.(*HeldError); held && errors.As(err, &got) { //nolint:errorlint // it is what the table has
					if want.Since.IsZero() {
						want.Since = got.Since
					}
					if diff := cmp.Diff(want, got); diff != "" {
						t.Errorf("it is refused (-want +got):\n%s", diff)
					}
				} else if !errors.Is(err, tt.want) {
					t.Errorf("error = %v, want %v", err, tt.want)
				}
				if (tt.run != nil) == ran.IsZero() {
					t.Errorf("it ran: %t", !ran.IsZero())
				}
				if waited := ran.Sub(began) >= leaseDuration; waited != tt.waited {
					t.Errorf("it ran after %s", ran.Sub(began))
				}
				if holder := s.holder(); holder != tt.after {
					t.Errorf("then %q holds it, want %q", holder, tt.after)
				}
			})
		})
	}
}

// TestHoldInterrupted ends what runs, and gives the Lease back only after that.
func TestHoldInterrupted(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var s storedLease
		ctx, interrupt := context.WithCancel(t.Context())
		err := s.holdAs(ctx, "anna", func(ctx context.Context) error {
			interrupt()
			<-ctx.Done()
			time.Sleep(2 * leaseDuration) // it tidies up
			if holder := s.holder(); holder != "anna" {
				t.Errorf("%q holds it while it runs", holder)
			}
			return ctx.Err()
		})
		if !errors.Is(err, context.Canceled) || s.holder() != "" {
			t.Errorf("error = %v, and %q holds it", err, s.holder())
		}
	})
}

// TestHoldGivenBack gives the Lease back although renewals that were broken off
// arrive late.
func TestHoldGivenBack(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := storedLease{late: 2}
		if err := s.holdAs(t.Context(), "anna", func(context.Context) error { return nil }); err != nil || s.holder() != "" {
			t.Errorf("error = %v, and %q holds it", err, s.holder())
		}
	})
}

// TestHoldLost stops what runs when the Lease cannot be renewed, and leaves the
// Lease to who has it then.
func TestHoldLost(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name  string
		lose  func(*storedLease)
		after string
	}{
		{"the API server is gone", func(s *storedLease) { s.set(func() { s.broken = errors.New("connection refused") }) }, "anna"},
		{"it was taken away", func(s *storedLease) { s.heldBy("bob", time.Now()) }, "bob"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				var s storedLease
				err := s.holdAs(t.Context(), "anna", func(ctx context.Context) error {
					tt.lose(&s)
					began := time.Now()
					<-ctx.Done()
					if took := time.Since(began); took >= leaseDuration {
						t.Errorf("it was stopped only after %s, when others may take the Lease", took)
					}
					return ctx.Err()
				})
				want := &LeaseLostError{Namespace: "mesh", Lease: "trust"}
				var lost *LeaseLostError
				if !errors.As(err, &lost) || *lost != *want {
					t.Errorf("error = %v, want %v", err, want)
				}
				if s.holder() != tt.after {
					t.Errorf("%q holds it, want %q", s.holder(), tt.after)
				}
			})
		})
	}
}
