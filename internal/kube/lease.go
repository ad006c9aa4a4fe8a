package kube

import (
	"context"
	"errors"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// The times of a Lease: how long it stays valid after its last observed renewal,
// how long its holder tries to renew it, and how often all candidates poll it.
// Pauses are up to 1 + leaderelection.JitterFactor times as long.
//
// They ensure that another process takes over within LeaseTakeover after the
// holder died: observing the last renewal takes one pause, and noticing the
// expiry another.
const (
	leaseDuration = 10 * time.Second
	renewDeadline = 7 * time.Second
	leaseRetry    = time.Second
)

// LeaseTakeover is the maximum time until another process takes over the Lease of
// a dead one, if the API server is reachable.
const LeaseTakeover = 15 * time.Second

// LeaseOptions identify a Lease and its candidate.
type LeaseOptions struct {
	Namespace, Name string
	// Identity is unique to this process.
	Identity string
	// Action is the purpose of the Lease, as a verb with its object, such as
	// "decide who applies by a Lease".
	Action string
	// Observe is called with the current leader; it may be nil.
	Observe func(leader string)
	// Lost is called when this process loses the Lease involuntarily; it may be
	// nil.
	Lost func()
}

// Lead waits until this process holds the Lease and then calls run. If the Lease
// is lost because the API server was unreachable for too long, the context of run
// is cancelled and Lead waits again. It returns the result of run, or when ctx
// ends. The Lease is released only after run has returned, so that two processes
// never run at the same time. Missing permissions are an *Error.
func Lead(ctx context.Context, c *Connection, opts LeaseOptions, run func(context.Context) error) error {
	lock, err := leaseLock(ctx, c, opts)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		err := lead(ctx, lock, opts, nil, run)
		if !errors.Is(err, errLeaseLost) {
			return err
		}
		if opts.Lost != nil {
			opts.Lost()
		}
	}
	return ctx.Err()
}

// leaseLock returns the Lease for an election, or an error if permissions are
// missing.
func leaseLock(ctx context.Context, c *Connection, opts LeaseOptions) (*resourcelock.LeaseLock, error) {
	needed := append(
		PermissionsFor(Permission{Group: "coordination.k8s.io", Resource: "leases", Namespace: opts.Namespace}, "create"),
		PermissionsFor(Permission{Group: "coordination.k8s.io", Resource: "leases", Namespace: opts.Namespace, Name: opts.Name}, "get", "update")...)
	if err := RequirePermissions(ctx, c, opts.Action, needed); err != nil {
		return nil, err
	}
	client, err := coordinationv1.NewForConfig(c.RESTConfig())
	if err != nil {
		return nil, c.Explain(opts.Action, err)
	}
	return &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: opts.Namespace, Name: opts.Name}, Client: client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: opts.Identity}, Labels: OwnLabels(),
	}, nil
}

// errLeaseLost means that another process may lead now.
var errLeaseLost = errors.New("the Lease was lost")

// lead takes part in one election and calls run if it wins. If watched is not
// nil, it wraps the lock and may withdraw from the election. The error is
// errLeaseLost if the election ended before run did.
func lead(ctx context.Context, lock resourcelock.Interface, opts LeaseOptions, watched func(lock resourcelock.Interface, withdraw func()) resourcelock.Interface, run func(context.Context) error) error {
	// run must return before the Lease is released.
	leading, stopLeading := context.WithCancel(ctx)
	defer stopLeading()
	electing, stopElecting := context.WithCancel(context.WithoutCancel(ctx))
	defer stopElecting()
	if watched != nil {
		lock = watched(lock, stopElecting)
	}
	started := make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: leaseRetry, ReleaseOnCancel: true, Name: opts.Name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) { close(started) },
			OnStoppedLeading: stopLeading,
			OnNewLeader: func(leader string) {
				if opts.Observe != nil {
					opts.Observe(leader)
				}
			},
		},
	})
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() {
		elector.Run(electing)
		close(ended)
	}()
	var result error
	lost := false
	select {
	case <-ctx.Done():
		result = ctx.Err()
	case <-ended: // withdrawn, or ended before run could start
		lost = true
	case <-started:
		result = run(leading)
		lost = ctx.Err() == nil && leading.Err() != nil
	}
	stopElecting()
	<-ended
	if lost {
		return errLeaseLost
	}
	releaseLease(context.WithoutCancel(ctx), lock)
	return result
}

// releaseLease ensures that this process no longer holds the Lease. The elector has
// tried to release it, but fails if a cancelled renewal reaches the API server at
// that moment. If the API server is unreachable, the Lease expires.
func releaseLease(ctx context.Context, lock resourcelock.Interface) {
	ctx, cancel := context.WithTimeout(ctx, renewDeadline)
	defer cancel()
	for ctx.Err() == nil {
		record, _, err := lock.Get(ctx)
		if err != nil || record.HolderIdentity != lock.Identity() {
			return
		}
		record.HolderIdentity, record.LeaseDurationSeconds = "", 1
		if err := lock.Update(ctx, *record); err == nil || !apierrors.IsConflict(err) {
			return
		}
	}
}
