package kube

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// DefaultWait limits each wait of a registration: for a token, for permissions to
// take effect, for a deletion.
const DefaultWait = 30 * time.Second

// pollInterval is the time between two polls.
const pollInterval = 200 * time.Millisecond

// ErrWaitTimeout means that a wait timed out.
var ErrWaitTimeout = fmt.Errorf("it did not come in time: %w", context.DeadlineExceeded)

// Await calls look until it reports success, fails, or the limit is reached; why
// is then the message, and hint the next step.
func (c *Connection) Await(ctx context.Context, limit time.Duration, action, why, hint string, look func(context.Context) (bool, error)) error {
	if limit <= 0 {
		limit = DefaultWait
	}
	err := wait.PollUntilContextTimeout(ctx, pollInterval, limit, true, look)
	if err != nil && ctx.Err() == nil && wait.Interrupted(err) {
		return &Error{Cluster: c.Name, Action: action, Reason: ReasonTimeout, Why: fmt.Sprintf("%s after %s", why, limit), Hint: hint, cause: ErrWaitTimeout}
	}
	return c.Explain(action, err)
}

// WaitUntilGone waits until an object no longer exists.
func WaitUntilGone(ctx context.Context, c *Connection, key ObjectKey, limit time.Duration) error {
	target, err := c.Target(ctx, key.GVK, key.Namespace)
	if err != nil {
		return err
	}
	object := DescribeObject(key.GVK.Kind, key.Namespace, key.Name)
	return c.Await(ctx, limit, "delete "+object, "still exists", "check its finalizers", func(ctx context.Context) (bool, error) {
		_, err := target.Get(ctx, key.Name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return true, nil
		}
		return false, err
	})
}

// Pause waits for a time, or until ctx ends.
func Pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
