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

// The times of a Lease: how long it is taken for held after it was last seen to
// be renewed, how long its holder tries to renew it, and how often everybody
// tries. The pauses are up to 1 + leaderelection.JitterFactor times as long.
//
// They make sure that somebody else takes over within LeaseTakeover of the death
// of the holder: the last renewal is seen one pause later, and that the Lease has
// expired is noticed another pause after that.
const (
	leaseDuration = 10 * time.Second
	renewDeadline = 7 * time.Second
	leaseRetry    = time.Second
)

// LeaseTakeover is how long it takes at most until somebody else holds the Lease
// of a process that died, if the API server is reachable at once.
const LeaseTakeover = 15 * time.Second

// LeaseOptions say which Lease is to be held.
type LeaseOptions struct {
	Namespace, Name string
	// Identity tells this process from all others.
	Identity string
	// Action is what the Lease decides, as a verb with its object, such as "decide
	// who applies by a Lease".
	Action string
	// Observe is told who leads now; it may be nil.
	Observe func(leader string)
	// Lost is told when this process leads no more, although it would like to; it
	// may be nil.
	Lost func()
}

// Lead waits until this process holds the Lease, and then runs. When the Lease
// is lost, because the API server could not be reached for too long, the context
// of run ends, and it waits again. It returns what run returns, or when ctx ends;
// the Lease is given back only after run has ended, so that two never run at the
// same time. Missing permissions are an *Error.
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

// leaseLock returns the Lease for an election, if the permissions suffice.
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

// errLeaseLost says that somebody else may lead now.
var errLeaseLost = errors.New("the Lease was lost")

// lead takes part in one election and runs if it is won. The requests to the lock
// are made by way of watched, if it is not nil, which may withdraw from it. The
// error is errLeaseLost if the election ended before run did.
func lead(ctx context.Context, lock resourcelock.Interface, opts LeaseOptions, watched func(lock resourcelock.Interface, withdraw func()) resourcelock.Interface, run func(context.Context) error) error {
	// What runs ends first, and then the Lease is given back.
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
	case <-ended: // it withdrew, or had no time to begin
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
	giveBack(context.WithoutCancel(ctx), lock)
	return result
}

// giveBack makes sure that this process does not hold the Lease any more. The
// elector has tried, but fails if a renewal that it broke off reaches the API
// server just then. If the API server is not reached either, the Lease expires.
func giveBack(ctx context.Context, lock resourcelock.Interface) {
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
