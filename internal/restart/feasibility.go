package restart

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// feasibility is the action that is possible for an item, and what to expect of it.
type feasibility struct {
	action Action
	notes  []string
}

func manual(format string, args ...any) feasibility {
	return feasibility{ActionManual, []string{fmt.Sprintf(format, args...)}}
}

// feasibility returns the effect of restarting the item.
func (p *planner) feasibility(item *Item) feasibility {
	c := p.controllers[item.Ref]
	if c == nil {
		return withoutRollout(item)
	}
	var found feasibility
	away := ""
	switch object := c.object.(type) {
	case *appsv1.Deployment:
		found, away = feasibilityOfDeployment(object)
	case *appsv1.StatefulSet:
		found, away = feasibilityOfStatefulSet(object), "1 pod"
	case *appsv1.DaemonSet:
		found, away = feasibilityOfDaemonSet(object)
	}
	if found.action == ActionRestart {
		found.notes = append(found.notes, p.budgetNotes(item, away)...)
	}
	return found
}

// withoutRollout returns the result for pods whose controller does not support rolling
// restarts.
func withoutRollout(item *Item) feasibility {
	switch item.Kind {
	case "Pod":
		return manual("no controller recreates this pod: delete it and create it again")
	case "Job.batch":
		return feasibility{ActionExpire, []string{"its pods run to completion; the next ones start with a new certificate"}}
	case "ReplicaSet":
		return manual("it has no Deployment: delete its pods one by one")
	case kindDeployment, kindDaemonSet, kindStatefulSet:
		return manual("this %s no longer exists, but its pods do: delete them", item.Kind)
	default:
		return manual("meshctl cannot restart objects of kind %s: use the tool that manages them", item.Kind)
	}
}

func feasibilityOfDeployment(d *appsv1.Deployment) (found feasibility, away string) {
	replicas := numberOf(d.Spec.Replicas)
	switch {
	case d.Spec.Paused:
		return manual("paused: resume its rollout, then restart again"), ""
	case replicas == 0:
		return feasibility{ActionNone, []string{"it is scaled to zero"}}, ""
	case d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType:
		return feasibility{ActionRestart, []string{"short outage: all its pods stop before new ones start (strategy Recreate)"}}, "all pods"
	}
	unavailable, surge := 0, 0
	if rolling := d.Spec.Strategy.RollingUpdate; rolling != nil {
		unavailable = scaled(rolling.MaxUnavailable, "25%", replicas, false)
		surge = scaled(rolling.MaxSurge, "25%", replicas, true)
	} else {
		unavailable, surge = scaled(nil, "25%", replicas, false), scaled(nil, "25%", replicas, true)
	}
	if unavailable == 0 && surge == 0 {
		unavailable = 1 // as the Deployment controller does
	}
	found.action = ActionRestart
	if unavailable >= replicas {
		if replicas == 1 {
			found.notes = append(found.notes, "short outage: its only pod may stop before the new one is ready")
		} else {
			found.notes = append(found.notes, fmt.Sprintf("short outage: all %d pods may be replaced at the same time", replicas))
		}
	}
	if ready := int(d.Status.AvailableReplicas); ready < replicas || int(d.Status.UpdatedReplicas) < replicas {
		found.notes = append(found.notes, fmt.Sprintf("already unhealthy before the restart: %d of %d pods are up to date, %d available", d.Status.UpdatedReplicas, replicas, ready))
	}
	return found, text.Count(unavailable, "pod")
}

func feasibilityOfStatefulSet(s *appsv1.StatefulSet) feasibility {
	replicas := numberOf(s.Spec.Replicas)
	if s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
		return manual("its strategy is OnDelete: a pod is replaced only when it is deleted; delete them one after the other")
	}
	if replicas == 0 {
		return feasibility{ActionNone, []string{"it is scaled to zero"}}
	}
	found := feasibility{action: ActionRestart}
	if rolling := s.Spec.UpdateStrategy.RollingUpdate; rolling != nil && rolling.Partition != nil && *rolling.Partition > 0 {
		if int(*rolling.Partition) >= replicas {
			return manual("its partition %d keeps all pods from being replaced: lower spec.updateStrategy.rollingUpdate.partition, or delete the pods one after the other", *rolling.Partition)
		}
		found.notes = append(found.notes, fmt.Sprintf("its partition excludes the pods below ordinal %d", *rolling.Partition))
	}
	if replicas == 1 {
		found.notes = append(found.notes, "short outage: its only pod stops before the new one starts")
	}
	if ready := int(s.Status.ReadyReplicas); ready < replicas {
		found.notes = append(found.notes, fmt.Sprintf("already unhealthy before the restart: %d of %d pods are ready", ready, replicas))
	}
	return found
}

func feasibilityOfDaemonSet(d *appsv1.DaemonSet) (found feasibility, away string) {
	if d.Spec.UpdateStrategy.Type == appsv1.OnDeleteDaemonSetStrategyType {
		return manual("its strategy is OnDelete: a pod is replaced only when it is deleted; delete them one after the other"), ""
	}
	wanted := int(d.Status.DesiredNumberScheduled)
	unavailable, surge := 1, 0
	if rolling := d.Spec.UpdateStrategy.RollingUpdate; rolling != nil {
		unavailable = scaled(rolling.MaxUnavailable, "1", wanted, true)
		surge = scaled(rolling.MaxSurge, "0", wanted, true)
	}
	found.action = ActionRestart
	if surge == 0 {
		found.notes = append(found.notes, fmt.Sprintf("each node briefly has no pod, %s at a time", text.Count(max(unavailable, 1), "node")))
	}
	if ready := int(d.Status.NumberAvailable); ready < wanted {
		found.notes = append(found.notes, fmt.Sprintf("already unhealthy before the restart: %d of %d pods are available", ready, wanted))
	}
	return found, text.Count(unavailable, "pod")
}

// budgetNotes returns notes about PodDisruptionBudgets that currently allow no disruption.
// Evictions respect them, but rollouts do not.
func (p *planner) budgetNotes(item *Item, away string) []string {
	var notes []string
	for i := range p.facts.Budgets {
		budget := &p.facts.Budgets[i]
		if budget.Namespace != item.Namespace || budget.Spec.Selector == nil || budget.Status.DisruptionsAllowed > 0 {
			continue
		}
		selector, err := metav1.LabelSelectorAsSelector(budget.Spec.Selector)
		if err != nil || !selector.Matches(item.labels) {
			continue
		}
		notes = append(notes, fmt.Sprintf(
			"PodDisruptionBudget %s currently allows no disruption, but rollouts ignore it: this one removes %s at a time", budget.Name, away))
	}
	return notes
}

// numberOf returns the number of replicas, 1 by default.
func numberOf(replicas *int32) int {
	if replicas == nil {
		return 1
	}
	return int(*replicas)
}

// scaled resolves a number or a percentage of whole; an invalid value counts as the default.
func scaled(value *intstr.IntOrString, fallback string, whole int, up bool) int {
	standard := intstr.Parse(fallback)
	if value == nil {
		value = &standard
	}
	number, err := intstr.GetScaledValueFromIntOrPercent(value, whole, up)
	if err != nil {
		number, _ = intstr.GetScaledValueFromIntOrPercent(&standard, whole, up)
	}
	return number
}
