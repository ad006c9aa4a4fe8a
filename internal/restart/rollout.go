package restart

import (
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// progressDeadlineExceeded is the reason of the Progressing condition of a Deployment whose
// rollout has failed.
const progressDeadlineExceeded = "ProgressDeadlineExceeded"

// rolloutStatus returns the status of the rollout of a Deployment, DaemonSet or StatefulSet by
// the rules of `kubectl rollout status`: what it is waiting for, and whether it is done. It
// returns an error if the rollout has failed or if the object does not support rollouts. The
// rules are reimplemented because the library links all of kubectl, which would slow down the
// start of every command.
func rolloutStatus(kind string, object runtime.Object) (message string, done bool, err error) {
	switch kind {
	case "Deployment":
		return statusOf(object, deploymentStatus)
	case "DaemonSet":
		return statusOf(object, daemonSetStatus)
	case "StatefulSet":
		return statusOf(object, statefulSetStatus)
	default:
		return "", false, fmt.Errorf("kind %s does not support rollouts", kind)
	}
}

// statusOf applies the rules of a kind to an object, typed or unstructured.
func statusOf[T any](object runtime.Object, status func(*T) (string, bool, error)) (string, bool, error) {
	if typed, ok := any(object).(*T); ok {
		return status(typed)
	}
	content, ok := object.(*unstructured.Unstructured)
	if !ok {
		return "", false, fmt.Errorf("unexpected type %T", object)
	}
	var typed T
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(content.Object, &typed); err != nil {
		return "", false, fmt.Errorf("read the status of the rollout: %w", err)
	}
	return status(&typed)
}

const (
	waitingForController = "waiting for its controller to observe the change"
	rolledOut            = "rolled out"
)

func deploymentStatus(d *appsv1.Deployment) (string, bool, error) {
	if d.Generation > d.Status.ObservedGeneration {
		return waitingForController, false, nil
	}
	for _, condition := range d.Status.Conditions {
		if condition.Type == appsv1.DeploymentProgressing && condition.Reason == progressDeadlineExceeded {
			return "", false, errors.New("it exceeded its progress deadline")
		}
	}
	s := d.Status
	switch {
	case d.Spec.Replicas != nil && s.UpdatedReplicas < *d.Spec.Replicas:
		return fmt.Sprintf("waiting for its rollout: %d of %d replicas updated", s.UpdatedReplicas, *d.Spec.Replicas), false, nil
	case s.Replicas > s.UpdatedReplicas:
		return fmt.Sprintf("waiting for its rollout: %s pending termination", text.Count(int(s.Replicas-s.UpdatedReplicas), "old replica")), false, nil
	case s.AvailableReplicas < s.UpdatedReplicas:
		return fmt.Sprintf("waiting for its rollout: %d of %d updated replicas available", s.AvailableReplicas, s.UpdatedReplicas), false, nil
	default:
		return rolledOut, true, nil
	}
}

func daemonSetStatus(d *appsv1.DaemonSet) (string, bool, error) {
	if d.Spec.UpdateStrategy.Type != appsv1.RollingUpdateDaemonSetStrategyType {
		return "", true, notRolling(string(d.Spec.UpdateStrategy.Type))
	}
	s := d.Status
	switch {
	case d.Generation > s.ObservedGeneration:
		return waitingForController, false, nil
	case s.UpdatedNumberScheduled < s.DesiredNumberScheduled:
		return fmt.Sprintf("waiting for its rollout: %d of %d pods updated", s.UpdatedNumberScheduled, s.DesiredNumberScheduled), false, nil
	case s.NumberAvailable < s.DesiredNumberScheduled:
		return fmt.Sprintf("waiting for its rollout: %d of %d updated pods available", s.NumberAvailable, s.DesiredNumberScheduled), false, nil
	default:
		return rolledOut, true, nil
	}
}

func statefulSetStatus(d *appsv1.StatefulSet) (string, bool, error) {
	if d.Spec.UpdateStrategy.Type != appsv1.RollingUpdateStatefulSetStrategyType {
		return "", true, notRolling(string(d.Spec.UpdateStrategy.Type))
	}
	s, replicas := d.Status, int32(1)
	if d.Spec.Replicas != nil {
		replicas = *d.Spec.Replicas
	}
	rolling := d.Spec.UpdateStrategy.RollingUpdate
	wanted := replicas // pods below the partition stay as they are
	if rolling != nil && rolling.Partition != nil {
		wanted -= *rolling.Partition
	}
	switch {
	case s.ObservedGeneration == 0 || d.Generation > s.ObservedGeneration:
		return waitingForController, false, nil
	case s.ReadyReplicas < replicas:
		return fmt.Sprintf("waiting for its rollout: %d of %d pods ready", s.ReadyReplicas, replicas), false, nil
	case rolling != nil && s.UpdatedReplicas < wanted, rolling == nil && s.UpdateRevision != s.CurrentRevision:
		return fmt.Sprintf("waiting for its rollout: %d of %d pods updated", s.UpdatedReplicas, wanted), false, nil
	default:
		return rolledOut, true, nil
	}
}

func notRolling(strategy string) error {
	return fmt.Errorf("its update strategy is %s, so it is not rolled out", strategy)
}
