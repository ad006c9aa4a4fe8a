package restart

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// prospect is what can be done about an item, and what will happen.
type prospect struct {
	action Action
	notes  []string
}

func manual(format string, args ...any) prospect {
	return prospect{ActionManual, []string{fmt.Sprintf(format, args...)}}
}

// prospect says what a restart of the item comes to.
func (p *planner) prospect(item *Item) prospect {
	c := p.controllers[item.Ref]
	if c == nil {
		return withoutRollout(item)
	}
	var found prospect
	away := ""
	switch object := c.object.(type) {
	case *appsv1.Deployment:
		found, away = prospectOfDeployment(object)
	case *appsv1.StatefulSet:
		found, away = prospectOfStatefulSet(object), "1 pod"
	case *appsv1.DaemonSet:
		found, away = prospectOfDaemonSet(object)
	}
	if found.action == ActionRestart {
		found.notes = append(found.notes, p.budgetNotes(item, away)...)
	}
	return found
}

// withoutRollout is about pods whose controller has no rolling restart.
func withoutRollout(item *Item) prospect {
	switch item.Kind {
	case "Pod":
		return manual("no controller recreates this pod: delete it and create it again")
	case "Job.batch":
		return prospect{ActionExpire, []string{"its pods run to completion; the next ones start with a new certificate"}}
	case "ReplicaSet":
		return manual("it has no Deployment: delete its pods one by one")
	case kindDeployment, kindDaemonSet, kindStatefulSet:
		return manual("this %s no longer exists, but its pods do: delete them", item.Kind)
	default:
		return manual("meshctl cannot restart the kind %s: use the tool that manages it", item.Kind)
	}
}

func prospectOfDeployment(d *appsv1.Deployment) (found prospect, away string) {
	replicas := numberOf(d.Spec.Replicas)
	switch {
	case d.Spec.Paused:
		return manual("paused: resume its rollout, then restart again"), ""
	case replicas == 0:
		return prospect{ActionNone, []string{"it is scaled to zero"}}, ""
	case d.Spec.Strategy.Type == appsv1.RecreateDeploymentStrategyType:
		return prospect{ActionRestart, []string{"short outage: it is recreated, all its pods stop before new ones start"}}, "all pods"
	}
	unavailable, surge := 0, 0
	if rolling := d.Spec.Strategy.RollingUpdate; rolling != nil {
		unavailable = scaled(rolling.MaxUnavailable, "25%", replicas, false)
		surge = scaled(rolling.MaxSurge, "25%", replicas, true)
	} else {
		unavailable, surge = scaled(nil, "25%", replicas, false), scaled(nil, "25%", replicas, true)
	}
	if unavailable == 0 && surge == 0 {
		unavailable = 1 // as the Deployment controller decides
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

func prospectOfStatefulSet(s *appsv1.StatefulSet) prospect {
	replicas := numberOf(s.Spec.Replicas)
	if s.Spec.UpdateStrategy.Type == appsv1.OnDeleteStatefulSetStrategyType {
		return manual("its strategy is OnDelete: a pod is replaced only when it is deleted; delete them one after the other")
	}
	if replicas == 0 {
		return prospect{ActionNone, []string{"it is scaled to zero"}}
	}
	found := prospect{action: ActionRestart}
	if rolling := s.Spec.UpdateStrategy.RollingUpdate; rolling != nil && rolling.Partition != nil && *rolling.Partition > 0 {
		if int(*rolling.Partition) >= replicas {
			return manual("its partition %d keeps all pods from being replaced: lower spec.updateStrategy.rollingUpdate.partition, or delete the pods one after the other", *rolling.Partition)
		}
		found.notes = append(found.notes, fmt.Sprintf("its partition keeps the pods before ordinal %d as they are", *rolling.Partition))
	}
	if replicas == 1 {
		found.notes = append(found.notes, "short outage: its only pod stops before the new one starts")
	}
	if ready := int(s.Status.ReadyReplicas); ready < replicas {
		found.notes = append(found.notes, fmt.Sprintf("already unhealthy before the restart: %d of %d pods are ready", ready, replicas))
	}
	return found
}

func prospectOfDaemonSet(d *appsv1.DaemonSet) (found prospect, away string) {
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
		found.notes = append(found.notes, fmt.Sprintf("each node is without its pod for a moment, %s at a time", text.Count(max(unavailable, 1), "node")))
	}
	if ready := int(d.Status.NumberAvailable); ready < wanted {
		found.notes = append(found.notes, fmt.Sprintf("already unhealthy before the restart: %d of %d pods are available", ready, wanted))
	}
	return found, text.Count(unavailable, "pod")
}

// budgetNotes names the PodDisruptionBudgets that allow nothing at the moment.
// Controllers that roll do not ask them, evictions do.
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
			"PodDisruptionBudget %s allows no disruption now, but rollouts ignore it: this one removes %s at a time", budget.Name, away))
	}
	return notes
}

// numberOf returns the number of replicas, by default 1.
func numberOf(replicas *int32) int {
	if replicas == nil {
		return 1
	}
	return int(*replicas)
}

// scaled returns a number or percentage of the whole; what cannot be read counts
// as the default.
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
