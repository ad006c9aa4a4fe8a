package restart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// Stage is a step of a restart. A stage starts when the previous one has finished.
type Stage string

// The stages in their order: proxies get their certificates from the control plane, and
// gateways must be ready before the workloads behind them are restarted.
const (
	StageControlPlane Stage = "control-plane"
	StageGateways     Stage = "gateways"
	StageWorkloads    Stage = "workloads"
)

// Stages returns all stages in their order.
func Stages() []Stage { return []Stage{StageControlPlane, StageGateways, StageWorkloads} }

// Action is the planned action for an item.
type Action string

// The actions.
const (
	// ActionNone: the item needs no restart.
	ActionNone Action = "none"
	// ActionRestart: the item is restarted.
	ActionRestart Action = "restart"
	// ActionWait: the item is already being restarted; the run waits for it.
	ActionWait Action = "wait"
	// ActionManual: the item needs a restart that only its owner can perform; the notes say how.
	ActionManual Action = "manual"
	// ActionExpire: the item needs a restart, but its pods end on their own.
	ActionExpire Action = "expire"
)

// ReasonCode is the reason for a restart.
type ReasonCode string

// The reasons.
const (
	// ReasonOlderThanCA: pods are older than the CA.
	ReasonOlderThanCA ReasonCode = "older-than-ca"
	// ReasonControlPlane: the control plane that signed the certificates is older than the CA.
	ReasonControlPlane ReasonCode = "control-plane-older-than-ca"
	// ReasonNamespace: the caller requested it for the namespace (PlanOptions.Namespaces).
	ReasonNamespace ReasonCode = "namespace"
	// ReasonRequested: the user selected all workloads.
	ReasonRequested ReasonCode = "requested"
)

// Reason is one reason for a restart.
type Reason struct {
	Code    ReasonCode `json:"code"`
	Message string     `json:"message"`
}

// Item is a controller whose pods belong to the mesh, or a pod without a controller.
type Item struct {
	Stage Stage `json:"stage"`
	Ref
	// Pods is the number of running pods, OlderPods the number of those with outdated
	// certificates.
	Pods      int    `json:"pods"`
	OlderPods int    `json:"olderPods"`
	Action    Action `json:"action"`
	// Reasons are why the item needs a restart, Notes what to expect of it.
	Reasons []Reason `json:"reasons,omitempty"`
	Notes   []string `json:"notes,omitempty"`

	labels labels.Set
	uid    string
}

// Plan is the restart of one mesh.
type Plan struct {
	// Mesh and Namespace identify the Mesh resource; Cluster is where it is installed.
	Mesh, Namespace, Cluster string
	// TrustChanged is when the CA last changed; zero if the control plane uses a self-generated
	// CA.
	TrustChanged time.Time
	// Items are sorted by stage, namespace, name and kind.
	Items []Item
	// Notes concern the mesh as a whole.
	Notes []string

	// known are all items of the mesh, including those that are filtered out.
	known []Ref
}

// Count returns the number of items with one of the actions.
func (p *Plan) Count(actions ...Action) int {
	count := 0
	for i := range p.Items {
		if slices.Contains(actions, p.Items[i].Action) {
			count++
		}
	}
	return count
}

// PlanOptions select what to restart.
type PlanOptions struct {
	// AllWorkloads also restarts workloads that do not need it.
	AllWorkloads bool
	// RestartedAt is the annotation value of an earlier run to resume: items that have it are
	// not restarted again. It is empty for a new run.
	RestartedAt string
	// Within are the namespaces to restart in; empty means all.
	Within []string
	// Selector selects items by the labels of their pods; nil means all.
	Selector labels.Selector
	// Exclude are names to exclude: NAME, NAME.NAMESPACE or NAME.NAMESPACE.CLUSTER, optionally
	// prefixed with KIND/.
	Exclude []string
	// Namespaces are additional reasons for a restart, by namespace.
	Namespaces map[string][]string
}

// NewPlan plans a restart of the named mesh. It returns an error if the facts do not contain
// the mesh, or if it cannot be determined what needs a restart. The order of the facts does
// not affect the plan.
func NewPlan(facts *Facts, name, namespace string, opts PlanOptions) (Plan, error) {
	i := slices.IndexFunc(facts.Meshes, func(m MeshFacts) bool { return m.Name == name && m.Namespace == namespace })
	if i < 0 {
		return Plan{}, fmt.Errorf("mesh %s.%s does not run on cluster %s: run 'meshctl discover'", name, namespace, facts.Cluster)
	}
	mesh := &facts.Meshes[i]
	if mesh.TrustErr != nil && !opts.AllWorkloads {
		return Plan{}, fmt.Errorf("cannot determine which workloads of mesh %s.%s need a restart: %w", name, namespace, mesh.TrustErr)
	}
	p := &planner{facts: facts, mesh: mesh, opts: opts, plan: Plan{
		Mesh: name, Namespace: namespace, Cluster: facts.Cluster, TrustChanged: mesh.TrustChanged,
	}}
	p.index()
	p.planItems(p.group())
	return p.plan, nil
}

// planner plans one mesh.
type planner struct {
	facts *Facts
	mesh  *MeshFacts
	opts  PlanOptions
	plan  Plan

	controllers map[Ref]*controller
	pods        map[podName]*podFacts
	// threshold is the time after which a pod must have been created to have a certificate of
	// the current CA.
	threshold time.Time
	// controlPlaneOutdated is true if the control plane is older than its CA and is restarted first.
	controlPlaneOutdated bool
}

type podName struct{ namespace, name string }

// podFacts are the facts about a pod that a plan depends on.
type podFacts struct {
	created time.Time
	labels  labels.Set
	owner   Ref
}

// group is the set of pods of one item.
type group struct {
	stage Stage
	ref   Ref
	pods  []*podFacts
}

// group groups the pods of the mesh by their controller, in the order of the plan.
func (p *planner) group() []*group {
	found := map[Ref]*group{}
	add := func(ref Ref, stage Stage) *group {
		g := found[ref]
		if g == nil {
			g = &group{stage: stage, ref: ref}
			found[ref] = g
		}
		return g
	}
	if control := p.mesh.ControlPlane; control != (Ref{}) {
		g := add(control, StageControlPlane)
		for _, pod := range p.pods {
			if pod.owner == control {
				g.pods = append(g.pods, pod)
			}
		}
	}
	for _, m := range p.mesh.Members {
		pod := p.pods[podName{m.Namespace, m.Name}]
		if pod == nil {
			continue // the pod has ended
		}
		ref, stage := m.Owner, StageWorkloads
		if ref == (Ref{}) {
			ref = Ref{Kind: "Pod", Namespace: m.Namespace, Name: m.Name}
		}
		if m.Gateway {
			stage = StageGateways
		}
		if g := add(ref, stage); g.stage != StageControlPlane {
			g.pods = append(g.pods, pod)
		}
	}
	groups := make([]*group, 0, len(found))
	for _, g := range found {
		groups = append(groups, g)
	}
	slices.SortFunc(groups, func(a, b *group) int {
		return cmp.Or(
			cmp.Compare(slices.Index(Stages(), a.stage), slices.Index(Stages(), b.stage)),
			strings.Compare(a.ref.Namespace, b.ref.Namespace), strings.Compare(a.ref.Name, b.ref.Name), strings.Compare(a.ref.Kind, b.ref.Kind),
		)
	})
	return groups
}

// planItems plans the items of the groups.
func (p *planner) planItems(groups []*group) {
	p.threshold = p.mesh.TrustChanged
	for _, g := range groups {
		p.plan.known = append(p.plan.known, g.ref)
		item := p.describe(g)
		included := p.included(&item)
		if g.stage == StageControlPlane {
			p.checkControlPlane(&item, included)
		}
		if !included {
			continue
		}
		p.decide(&item, g)
		p.plan.Items = append(p.plan.Items, item)
	}
	if p.mesh.TrustChanged.IsZero() && p.mesh.TrustErr == nil && p.mesh.ControlPlane != (Ref{}) {
		p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(
			"no Secret cacerts in namespace %s: the control plane uses its own CA, so outdated certificates cannot be detected", p.mesh.InstallationNamespace))
	}
}

// describe returns the item of a group, before any decision about it.
func (p *planner) describe(g *group) Item {
	item := Item{Stage: g.stage, Ref: g.ref, Pods: len(g.pods), Action: ActionNone}
	if c := p.controllers[g.ref]; c != nil {
		item.labels, item.uid = c.template.Labels, string(c.meta.UID)
	} else if len(g.pods) > 0 {
		item.labels = g.pods[0].labels
	}
	for _, pod := range g.pods {
		if isOlder(pod, p.mesh.TrustChanged) {
			item.OlderPods++
		}
	}
	return item
}

// isOlder reports whether a pod existed when the CA changed. Times have a resolution of one
// second, so a pod created in the same second counts as older.
func isOlder(pod *podFacts, changed time.Time) bool {
	return !changed.IsZero() && !pod.created.After(changed)
}

// checkControlPlane determines since when the control plane signs with the current CA. A proxy that
// started earlier needs a restart even if it is younger than the CA.
func (p *planner) checkControlPlane(item *Item, included bool) {
	if p.threshold.IsZero() {
		return
	}
	if item.OlderPods == 0 {
		p.threshold = p.currentSince()
		return
	}
	p.controlPlaneOutdated = included
	if !included {
		p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(
			"the control plane %s is older than its CA and not part of this restart: proxies may get outdated certificates again", item.Ref))
	}
}

// currentSince returns when the control plane was restarted for the current CA: the creation of
// its first ReplicaSet after the change. If the ReplicaSets do not go back that far, it
// returns the time of the change.
func (p *planner) currentSince() time.Time {
	changed := p.mesh.TrustChanged
	var first time.Time
	reachesBack := false
	for i := range p.facts.ReplicaSets {
		set := &p.facts.ReplicaSets[i]
		if ownerOf(&set.ObjectMeta) != p.mesh.ControlPlane {
			continue
		}
		switch created := set.CreationTimestamp.Time; {
		case !created.After(changed):
			reachesBack = true
		case first.IsZero() || created.Before(first):
			first = created
		}
	}
	if !reachesBack || first.IsZero() {
		return changed
	}
	return first
}

// decide sets the action of an item, with reasons and notes.
func (p *planner) decide(item *Item, g *group) {
	if item.Stage != StageControlPlane {
		item.OlderPods = 0
		for _, pod := range g.pods {
			if isOlder(pod, p.threshold) {
				item.OlderPods++
			}
		}
	}
	item.Reasons = p.reasons(item)
	resumed := p.resumed(item)
	if p.opts.AllWorkloads && !resumed {
		item.Reasons = append(item.Reasons, Reason{ReasonRequested, "all workloads of the mesh are selected"})
	}
	underWay, message := p.underWay(item, resumed)
	if len(item.Reasons) == 0 && !(resumed && underWay) {
		return
	}
	feasibility := p.feasibility(item)
	item.Action, item.Notes = feasibility.action, feasibility.notes
	if item.Action == ActionRestart && underWay {
		item.Action = ActionWait
		item.Notes = append([]string{"already being restarted: " + message}, item.Notes...)
	}
}

// reasons returns the reasons that follow from ages and namespaces.
func (p *planner) reasons(item *Item) []Reason {
	var reasons []Reason
	switch {
	case item.OlderPods > 0 && item.Stage == StageControlPlane:
		reasons = append(reasons, Reason{ReasonOlderThanCA, fmt.Sprintf("%s older than its CA of %s", ofPods(item.OlderPods, item.Pods), stamp(p.mesh.TrustChanged))})
	case item.OlderPods > 0:
		reasons = append(reasons, Reason{ReasonOlderThanCA, fmt.Sprintf("%s older than the CA of %s", ofPods(item.OlderPods, item.Pods), stamp(p.threshold))})
	case item.Stage != StageControlPlane && p.controlPlaneOutdated && item.Pods > 0:
		reasons = append(reasons, Reason{ReasonControlPlane, "its certificate was issued by a control plane that is older than the CA"})
	}
	if item.Stage != StageControlPlane {
		for _, message := range p.opts.Namespaces[item.Namespace] {
			reasons = append(reasons, Reason{ReasonNamespace, message})
		}
	}
	return reasons
}

func ofPods(count, all int) string {
	switch {
	case all == 1:
		return "its pod is"
	case count == all:
		return fmt.Sprintf("all %d pods are", all)
	case count == 1:
		return fmt.Sprintf("1 of %d pods is", all)
	default:
		return fmt.Sprintf("%d of %d pods are", count, all)
	}
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }
