package kube

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// HeldError means that another process holds a Lease.
type HeldError struct {
	// Namespace and Lease identify the Lease.
	Namespace, Lease string
	// Holder is the identity of the holder, which holds it since Since.
	Holder string
	Since  time.Time
	// Expires is how long the Lease stays valid after its holder died.
	Expires time.Duration
}

// Error names the holder.
func (e *HeldError) Error() string {
	return fmt.Sprintf("Lease %s in %s is held by %s since %s", e.Lease, e.Namespace, e.Holder, e.Since.UTC().Format(time.RFC3339))
}

// LeaseLostError means that a Lease could not be renewed, so that the work under
// it was stopped.
type LeaseLostError struct{ Namespace, Lease string }

// Error names the Lease.
func (e *LeaseLostError) Error() string {
	return fmt.Sprintf("Lease %s in %s could not be renewed or was taken over", e.Lease, e.Namespace)
}

// Hold calls run while this process holds the Lease, and then releases it. Unlike
// Lead it does not wait for a live holder: it returns a *HeldError without
// calling run. For a dead holder it waits until the Lease has expired. If the
// Lease is lost, the context of run is cancelled and, unless run succeeds anyway,
// the error is a *LeaseLostError. now is the clock.
func Hold(ctx context.Context, c *Connection, opts LeaseOptions, now func() time.Time, run func(context.Context) error) error {
	lock, err := leaseLock(ctx, c, opts)
	if err != nil {
		return err
	}
	err = hold(ctx, lock, opts, now, run)
	var request *leaseRequestError
	if errors.As(err, &request) {
		return c.Explain(opts.Action, request.cause)
	}
	return err
}

// leaseRequestError is a failed request for a Lease.
type leaseRequestError struct{ cause error }

func (e *leaseRequestError) Error() string { return e.cause.Error() }

// hold is Hold for any lock.
func hold(ctx context.Context, lock resourcelock.Interface, opts LeaseOptions, now func() time.Time, run func(context.Context) error) error {
	applicant := &candidate{opts: opts, now: now}
	succeeded := false
	err := lead(ctx, lock, opts, applicant.watch, func(ctx context.Context) error {
		err := run(ctx)
		succeeded = err == nil
		return err
	})
	switch {
	case succeeded:
		return nil
	case !errors.Is(err, errLeaseLost):
		return err
	case applicant.refusal != nil:
		return applicant.refusal
	default:
		return &LeaseLostError{Namespace: opts.Namespace, Lease: opts.Name}
	}
}

// candidate is a lock that withdraws from an election if it would have to wait
// for a live holder.
type candidate struct {
	resourcelock.Interface
	opts     LeaseOptions
	now      func() time.Time
	withdraw func()

	// held is true once the Lease is held; later failures are failed renewals.
	held bool
	// lastRenewal is the last renewal of a holder that seems to be dead, by its own
	// clock.
	lastRenewal *metav1.Time
	// refusal is why the Lease could not be taken.
	refusal error
}

func (a *candidate) watch(lock resourcelock.Interface, withdraw func()) resourcelock.Interface {
	a.Interface, a.withdraw = lock, withdraw
	return a
}

// Get implements resourcelock.Interface. It withdraws if the holder is alive: it
// renewed the Lease recently or, as its clock may be wrong, renews it while being
// observed.
func (a *candidate) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	ctx, stop := context.WithTimeout(ctx, renewDeadline)
	defer stop()
	record, raw, err := a.Interface.Get(ctx)
	if a.held {
		return record, raw, err
	}
	if err != nil {
		if !apierrors.IsNotFound(err) {
			a.refuse(&leaseRequestError{err})
		}
		return record, raw, err
	}
	expires := time.Duration(record.LeaseDurationSeconds) * time.Second
	switch {
	case record.HolderIdentity == "":
	case a.now().Sub(record.RenewTime.Time).Abs() <= expires, a.lastRenewal != nil && !a.lastRenewal.Equal(&record.RenewTime):
		a.refuse(&HeldError{Namespace: a.opts.Namespace, Lease: a.opts.Name, Holder: record.HolderIdentity, Since: record.AcquireTime.Time, Expires: expires})
	default:
		a.lastRenewal = &record.RenewTime
	}
	return record, raw, nil
}

// Create implements resourcelock.Interface.
func (a *candidate) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return a.recordResult(a.Interface.Create(ctx, record))
}

// Update implements resourcelock.Interface.
func (a *candidate) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return a.recordResult(a.Interface.Update(ctx, record))
}

// recordResult records whether the Lease was taken. If another process took it first, the
// next Get detects that.
func (a *candidate) recordResult(err error) error {
	switch {
	case err == nil:
		a.held = true
	case a.held, apierrors.IsAlreadyExists(err), apierrors.IsConflict(err):
	default:
		a.refuse(&leaseRequestError{err})
	}
	return err
}

func (a *candidate) refuse(err error) {
	if a.refusal == nil {
		a.refusal = err
	}
	a.withdraw()
}
