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

// HeldError says that somebody else holds a Lease.
type HeldError struct {
	// Lease is its name, Namespace where it is.
	Namespace, Lease string
	// Holder is the identity of who holds it, since Since.
	Holder string
	Since  time.Time
	// Expires is how long it takes for held after its holder died.
	Expires time.Duration
}

// Error says who holds it.
func (e *HeldError) Error() string {
	return fmt.Sprintf("Lease %s in %s is held by %s since %s", e.Lease, e.Namespace, e.Holder, e.Since.UTC().Format(time.RFC3339))
}

// LeaseLostError says that a Lease could not be renewed, so that what needed it
// was stopped.
type LeaseLostError struct{ Namespace, Lease string }

// Error says which one.
func (e *LeaseLostError) Error() string {
	return fmt.Sprintf("Lease %s in %s could not be renewed or was taken over", e.Lease, e.Namespace)
}

// Hold runs while this process holds the Lease, and gives it back. Unlike Lead it
// does not wait for others: while somebody else holds the Lease, nothing is run
// and the error is a *HeldError. A holder that died is waited for until its Lease
// has expired. If the Lease is lost, the context of run ends, and unless run
// succeeds nevertheless, the error is a *LeaseLostError. now is the time.
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

// leaseRequestError is the failure of a request about a Lease.
type leaseRequestError struct{ cause error }

func (e *leaseRequestError) Error() string { return e.cause.Error() }

// hold is Hold with any lock.
func hold(ctx context.Context, lock resourcelock.Interface, opts LeaseOptions, now func() time.Time, run func(context.Context) error) error {
	applicant := &applicant{opts: opts, now: now}
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

// applicant wants a Lease, but not if it would have to wait for somebody.
type applicant struct {
	resourcelock.Interface
	opts     LeaseOptions
	now      func() time.Time
	withdraw func()

	// got says that the Lease was got, after which failures are only failures to
	// renew it.
	got bool
	// seen is when a holder that seems to be dead renewed the Lease for the last
	// time, by its own clock.
	seen *metav1.Time
	// refusal is why it was not got.
	refusal error
}

func (a *applicant) watch(lock resourcelock.Interface, withdraw func()) resourcelock.Interface {
	a.Interface, a.withdraw = lock, withdraw
	return a
}

// Get implements resourcelock.Interface. It withdraws if the holder lives: if it
// has renewed the Lease just now, or, since its clock may be wrong, if it renews
// it while it is watched.
func (a *applicant) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	ctx, stop := context.WithTimeout(ctx, renewDeadline)
	defer stop()
	record, raw, err := a.Interface.Get(ctx)
	if a.got {
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
	case a.now().Sub(record.RenewTime.Time).Abs() <= expires, a.seen != nil && !a.seen.Equal(&record.RenewTime):
		a.refuse(&HeldError{Namespace: a.opts.Namespace, Lease: a.opts.Name, Holder: record.HolderIdentity, Since: record.AcquireTime.Time, Expires: expires})
	default:
		a.seen = &record.RenewTime
	}
	return record, raw, nil
}

// Create implements resourcelock.Interface.
func (a *applicant) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return a.took(a.Interface.Create(ctx, record))
}

// Update implements resourcelock.Interface.
func (a *applicant) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return a.took(a.Interface.Update(ctx, record))
}

// took notes whether the Lease was got. That somebody else was faster shows when
// it is read again.
func (a *applicant) took(err error) error {
	switch {
	case err == nil:
		a.got = true
	case a.got, apierrors.IsAlreadyExists(err), apierrors.IsConflict(err):
	default:
		a.refuse(&leaseRequestError{err})
	}
	return err
}

func (a *applicant) refuse(err error) {
	if a.refusal == nil {
		a.refusal = err
	}
	a.withdraw()
}
