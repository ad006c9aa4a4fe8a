package kube

import (
	"context"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
)

// DefaultWait bounds each wait of a registration: for a token, for permissions
// to take effect, for something to be gone.
const DefaultWait = 30 * time.Second

// pollInterval is the time between two looks at something that is waited for.
const pollInterval = 200 * time.Millisecond

// ErrWaited says that what was waited for did not come in time.
var ErrWaited = fmt.Errorf("it did not come in time: %w", context.DeadlineExceeded)

// Await calls look until it is done, fails, or the time is up; why says what is
// missing then, and hint what to do about it.
func (c *Connection) Await(ctx context.Context, limit time.Duration, action, why, hint string, look func(context.Context) (bool, error)) error {
	if limit <= 0 {
		limit = DefaultWait
	}
	err := wait.PollUntilContextTimeout(ctx, pollInterval, limit, true, look)
	if err != nil && ctx.Err() == nil && wait.Interrupted(err) {
		return &Error{Cluster: c.Name, Action: action, Reason: ReasonTimeout, Why: fmt.Sprintf("%s after %s", why, limit), Hint: hint, cause: ErrWaited}
	}
	return c.Explain(action, err)
}

// WaitUntilGone waits until an object does not exist any more.
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
