package restart

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

func TestRolloutStatus(t *testing.T) {
	t.Parallel()
	two, one := int32(2), int32(1)
	observed := metav1.ObjectMeta{Generation: 3}
	deployment := func(s appsv1.DeploymentStatus) runtime.Object {
		s.ObservedGeneration = 3
		return &appsv1.Deployment{ObjectMeta: observed, Spec: appsv1.DeploymentSpec{Replicas: &two}, Status: s}
	}
	daemonSet := func(s appsv1.DaemonSetStatus) runtime.Object {
		s.ObservedGeneration = 3
		rolling := appsv1.DaemonSetUpdateStrategy{Type: appsv1.RollingUpdateDaemonSetStrategyType}
		return &appsv1.DaemonSet{ObjectMeta: observed, Spec: appsv1.DaemonSetSpec{UpdateStrategy: rolling}, Status: s}
	}
	statefulSet := func(partition *int32, s appsv1.StatefulSetStatus) runtime.Object {
		s.ObservedGeneration = 3
		spec := appsv1.StatefulSetSpec{Replicas: &two}
		spec.UpdateStrategy.Type = appsv1.RollingUpdateStatefulSetStrategyType
		if partition != nil {
			spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: partition}
		}
		return &appsv1.StatefulSet{ObjectMeta: observed, Spec: spec, Status: s}
	}
	zero := int32(0)
	type answer struct {
		Message string
		Done    bool
		Err     string
	}
	tests := map[string]struct {
		kind   string
		object runtime.Object
		want   answer
	}{
		"unobserved deployment": {
			"Deployment", &appsv1.Deployment{ObjectMeta: observed}, answer{Message: "waiting for its controller to observe the change"},
		},
		"old and new replicas": {
			"Deployment", deployment(appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 1}),
			answer{Message: "waiting for its rollout: 1 of 2 replicas updated"},
		},
		"old replicas left": {
			"Deployment", deployment(appsv1.DeploymentStatus{Replicas: 3, UpdatedReplicas: 2, AvailableReplicas: 2}),
			answer{Message: "waiting for its rollout: 1 old replica pending termination"},
		},
		"not available": {
			"Deployment", deployment(appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 1}),
			answer{Message: "waiting for its rollout: 1 of 2 updated replicas available"},
		},
		"available": {
			"Deployment", deployment(appsv1.DeploymentStatus{Replicas: 2, UpdatedReplicas: 2, AvailableReplicas: 2}),
			answer{Message: "rolled out", Done: true},
		},
		"given up": {
			"Deployment", deployment(appsv1.DeploymentStatus{Conditions: []appsv1.DeploymentCondition{
				{Type: appsv1.DeploymentProgressing, Reason: "ProgressDeadlineExceeded"},
			}}), answer{Err: "it exceeded its progress deadline"},
		},
		"daemon set updating": {
			"DaemonSet", daemonSet(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 1, DesiredNumberScheduled: 2}),
			answer{Message: "waiting for its rollout: 1 of 2 pods updated"},
		},
		"daemon set not available": {
			"DaemonSet", daemonSet(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 2, DesiredNumberScheduled: 2, NumberAvailable: 1}),
			answer{Message: "waiting for its rollout: 1 of 2 updated pods available"},
		},
		"daemon set available": {
			"DaemonSet", daemonSet(appsv1.DaemonSetStatus{UpdatedNumberScheduled: 2, DesiredNumberScheduled: 2, NumberAvailable: 2}),
			answer{Message: "rolled out", Done: true},
		},
		"daemon set on delete": {
			"DaemonSet", &appsv1.DaemonSet{Spec: appsv1.DaemonSetSpec{UpdateStrategy: appsv1.DaemonSetUpdateStrategy{Type: "OnDelete"}}},
			answer{Done: true, Err: "its update strategy is OnDelete, so it is not rolled out"},
		},
		"stateful set not ready": {
			"StatefulSet", statefulSet(nil, appsv1.StatefulSetStatus{ReadyReplicas: 1}),
			answer{Message: "waiting for its rollout: 1 of 2 pods ready"},
		},
		"stateful set updating": {
			"StatefulSet", statefulSet(&zero, appsv1.StatefulSetStatus{ReadyReplicas: 2, UpdatedReplicas: 1}),
			answer{Message: "waiting for its rollout: 1 of 2 pods updated"},
		},
		"stateful set with a partition": {
			"StatefulSet", statefulSet(&one, appsv1.StatefulSetStatus{ReadyReplicas: 2, UpdatedReplicas: 1, CurrentRevision: "a", UpdateRevision: "b"}),
			answer{Message: "rolled out", Done: true},
		},
		"stateful set without parameters": {
			"StatefulSet", statefulSet(nil, appsv1.StatefulSetStatus{ReadyReplicas: 2, UpdatedReplicas: 1, CurrentRevision: "a", UpdateRevision: "b"}),
			answer{Message: "waiting for its rollout: 1 of 2 pods updated"},
		},
		"stateful set updated": {
			"StatefulSet", statefulSet(nil, appsv1.StatefulSetStatus{ReadyReplicas: 2, UpdatedReplicas: 2, CurrentRevision: "b", UpdateRevision: "b"}),
			answer{Message: "rolled out", Done: true},
		},
		"another kind": {"Job", &appsv1.Deployment{}, answer{Err: "kind Job does not support rollouts"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got answer
			var err error
			if got.Message, got.Done, err = rolloutStatus(tt.kind, tt.object); err != nil {
				got.Err = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("status (-want +got):\n%s", diff)
			}
		})
	}
}
