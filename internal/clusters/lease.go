package clusters

import (
	"context"
	"errors"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	coordinationv1 "k8s.io/client-go/kubernetes/typed/coordination/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
	"k8s.io/klog/v2"
)

// The times of a Lease: how long it is taken for held after it was last renewed,
// how long its holder tries to renew it, and how often everybody tries.
const (
	leaseDuration = 15 * time.Second
	renewDeadline = 10 * time.Second
	leaseRetry    = 2 * time.Second
)

// LeaseOptions say which Lease decides who leads.
type LeaseOptions struct {
	Namespace, Name string
	// Identity tells this process from all others.
	Identity string
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
	needed := append(
		permissionsFor(Permission{Group: "coordination.k8s.io", Resource: "leases", Namespace: opts.Namespace}, "create"),
		permissionsFor(Permission{Group: "coordination.k8s.io", Resource: "leases", Namespace: opts.Namespace, Name: opts.Name}, "get", "update")...)
	if err := requirePermissions(ctx, c, "decide who applies by a Lease", needed); err != nil {
		return err
	}
	client, err := coordinationv1.NewForConfig(c.RESTConfig())
	if err != nil {
		return c.Explain("decide who applies by a Lease", err)
	}
	lock := &resourcelock.LeaseLock{
		LeaseMeta: metav1.ObjectMeta{Namespace: opts.Namespace, Name: opts.Name}, Client: client,
		LockConfig: resourcelock.ResourceLockConfig{Identity: opts.Identity},
	}
	for ctx.Err() == nil {
		err := lead(ctx, c, lock, opts, run)
		if !errors.Is(err, errLeaseLost) {
			return err
		}
		if opts.Lost != nil {
			opts.Lost()
		}
	}
	return ctx.Err()
}

// errLeaseLost says that somebody else may lead now.
var errLeaseLost = errors.New("the Lease was lost")

// lead takes part in one election and runs if it is won.
func lead(ctx context.Context, c *Connection, lock resourcelock.Interface, opts LeaseOptions, run func(context.Context) error) error {
	// What runs ends first, and then the Lease is given back.
	leading, stopLeading := context.WithCancel(ctx)
	defer stopLeading()
	electing, stopElecting := context.WithCancel(klog.NewContext(context.WithoutCancel(ctx), logr.Discard()))
	defer stopElecting()
	done := make(chan error, 1)
	started := make(chan struct{})
	elector, err := leaderelection.NewLeaderElector(leaderelection.LeaderElectionConfig{
		Lock: lock, LeaseDuration: leaseDuration, RenewDeadline: renewDeadline, RetryPeriod: leaseRetry, ReleaseOnCancel: true, Name: opts.Name,
		Callbacks: leaderelection.LeaderCallbacks{
			OnStartedLeading: func(context.Context) {
				close(started)
				done <- run(leading)
			},
			OnStoppedLeading: stopLeading,
			OnNewLeader: func(leader string) {
				if opts.Observe != nil {
					opts.Observe(leader)
				}
			},
		},
	})
	if err != nil {
		return c.Explain("decide who applies by a Lease", err)
	}
	ended := make(chan struct{})
	go func() {
		elector.Run(electing)
		close(ended)
	}()
	select {
	case <-ctx.Done():
	case <-started:
	}
	select {
	case <-started:
	default: // not elected before the end
		stopElecting()
		<-ended
		select {
		case <-started: // but just then
			return <-done
		default:
			return ctx.Err()
		}
	}
	result := <-done
	lost := ctx.Err() == nil && leading.Err() != nil
	stopElecting()
	<-ended
	if lost {
		return errLeaseLost
	}
	return result
}
