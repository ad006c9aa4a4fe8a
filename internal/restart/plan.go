package restart

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/labels"
)

// Stage is one of the steps of a restart. The next one begins when all of this
// one is over.
type Stage string

// The stages, in their order: proxies get their certificates from the control
// plane, and gateways have to be ready for the workloads behind them.
const (
	StageControlPlane Stage = "control-plane"
	StageGateways     Stage = "gateways"
	StageWorkloads    Stage = "workloads"
)

// Stages returns all stages in their order.
func Stages() []Stage { return []Stage{StageControlPlane, StageGateways, StageWorkloads} }

// Action is what a plan wants done with an item.
type Action string

// The actions.
const (
	// ActionNone: it needs no restart.
	ActionNone Action = "none"
	// ActionRestart: it is restarted.
	ActionRestart Action = "restart"
	// ActionWait: it is being restarted already, which is waited for.
	ActionWait Action = "wait"
	// ActionManual: it needs a restart, but only its owner can do that; the notes
	// say how.
	ActionManual Action = "manual"
	// ActionExpire: it needs a restart, and what makes its pods ends by itself.
	ActionExpire Action = "expire"
)

// ReasonCode says why an item needs a restart.
type ReasonCode string

// The reasons.
const (
	// ReasonOlderThanCA: pods are older than the certificate authority.
	ReasonOlderThanCA ReasonCode = "older-than-ca"
	// ReasonControlPlane: the control plane that signed the certificates is older
	// than the certificate authority.
	ReasonControlPlane ReasonCode = "control-plane-older-than-ca"
	// ReasonNamespace: the caller says so for the namespace (PlanOptions.Namespaces).
	ReasonNamespace ReasonCode = "namespace"
	// ReasonRequested: all workloads are to be restarted.
	ReasonRequested ReasonCode = "requested"
)

// Reason is one reason for a restart.
type Reason struct {
	Code    ReasonCode `json:"code"`
	Message string     `json:"message"`
}

// Item is what makes pods that belong to the mesh.
type Item struct {
	Stage Stage `json:"stage"`
	Ref
	// Pods counts the pods that run, OlderPods those that are older than the
	// certificate authority.
	Pods      int    `json:"pods"`
	OlderPods int    `json:"olderPods"`
	Action    Action `json:"action"`
	// Reasons say why it needs a restart, Notes what will happen.
	Reasons []Reason `json:"reasons,omitempty"`
	Notes   []string `json:"notes,omitempty"`

	labels labels.Set
	uid    string
}

// Plan is what a restart of one mesh does, in its order.
type Plan struct {
	// Mesh and Namespace are those of the Mesh resource, Cluster is where it is
	// installed.
	Mesh, Namespace, Cluster string
	// TrustChanged is when the certificate authority changed; zero if the control
	// plane signs with one of its own.
	TrustChanged time.Time
	// Items are by stage, namespace, name and kind.
	Items []Item
	// Notes are about the mesh as a whole.
	Notes []string

	// known is all that belongs to the mesh, also what is filtered out.
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

// PlanOptions choose what is restarted.
type PlanOptions struct {
	// AllWorkloads restarts also what does not need it.
	AllWorkloads bool
	// RestartedAt is the value of the annotation of an earlier run that this one
	// goes on with: what has it is not restarted again. Empty for a new run.
	RestartedAt string
	// Within are the namespaces to restart in; all if empty.
	Within []string
	// Selector chooses by the labels of pods; nil for all.
	Selector labels.Selector
	// Exclude are names to leave out: NAME, NAME.NAMESPACE or
	// NAME.NAMESPACE.CLUSTER, optionally behind KIND/.
	Exclude []string
	// Namespaces are more reasons for a restart, by the namespace whose pods they
	// concern.
	Namespaces map[string][]string
}

// NewPlan plans a restart of the mesh of that name and namespace. The error says
// that the facts do not have it, or why it cannot be known who needs a restart.
// The order of the facts does not change the plan.
func NewPlan(facts *Facts, name, namespace string, opts PlanOptions) (Plan, error) {
	i := slices.IndexFunc(facts.Meshes, func(m MeshFacts) bool { return m.Name == name && m.Namespace == namespace })
	if i < 0 {
		return Plan{}, fmt.Errorf("mesh %s.%s does not run on cluster %s: run 'meshctl discover'", name, namespace, facts.Cluster)
	}
	mesh := &facts.Meshes[i]
	if mesh.TrustErr != nil && !opts.AllWorkloads {
		return Plan{}, fmt.Errorf("restarts of mesh %s.%s not known: %w", name, namespace, mesh.TrustErr)
	}
	p := &planner{facts: facts, mesh: mesh, opts: opts, plan: Plan{
		Mesh: name, Namespace: namespace, Cluster: facts.Cluster, TrustChanged: mesh.TrustChanged,
	}}
	p.index()
	p.judge(p.group())
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
	// threshold is the time that pods must be younger than to have a certificate of
	// the current authority.
	threshold time.Time
	// staleSigner says that the control plane is older than its authority, and
	// restarted first.
	staleSigner bool
}

type podName struct{ namespace, name string }

// podFacts is what a plan needs to know of a pod.
type podFacts struct {
	created time.Time
	labels  labels.Set
	owner   Ref
}

// group is the pods of one item.
type group struct {
	stage Stage
	ref   Ref
	pods  []*podFacts
}

// group files the pods of the mesh by what makes them, in the order of the plan.
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
			continue // it has ended
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

// judge makes items of the groups.
func (p *planner) judge(groups []*group) {
	p.threshold = p.mesh.TrustChanged
	for _, g := range groups {
		p.plan.known = append(p.plan.known, g.ref)
		item := p.describe(g)
		included := p.included(&item)
		if g.stage == StageControlPlane {
			p.judgeSigner(&item, included)
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

// describe returns the item of a group without what is decided about it.
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

// isOlder reports whether a pod was there when the authority changed. Times are
// exact to the second: of the same second counts as older.
func isOlder(pod *podFacts, changed time.Time) bool {
	return !changed.IsZero() && !pod.created.After(changed)
}

// judgeSigner finds out since when the control plane signs with the current
// authority: a proxy that started before that needs a restart even if it is
// younger than the authority.
func (p *planner) judgeSigner(item *Item, included bool) {
	if p.threshold.IsZero() {
		return
	}
	if item.OlderPods == 0 {
		p.threshold = p.signsSince()
		return
	}
	p.staleSigner = included
	if !included {
		p.plan.Notes = append(p.plan.Notes, fmt.Sprintf(
			"the control plane %s is older than its CA and not part of this restart: proxies may get outdated certificates again", item.Ref))
	}
}

// signsSince returns when the control plane was restarted for the current
// authority: the creation of its first ReplicaSet after the change. Where the
// history does not reach back to the change, the change itself counts.
func (p *planner) signsSince() time.Time {
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

// decide says what is done with an item, and why.
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
	prospect := p.prospect(item)
	item.Action, item.Notes = prospect.action, prospect.notes
	if item.Action == ActionRestart && underWay {
		item.Action = ActionWait
		item.Notes = append([]string{"it is being restarted already: " + message}, item.Notes...)
	}
}

// reasons returns what follows from ages and namespaces.
func (p *planner) reasons(item *Item) []Reason {
	var reasons []Reason
	switch {
	case item.OlderPods > 0 && item.Stage == StageControlPlane:
		reasons = append(reasons, Reason{ReasonOlderThanCA, fmt.Sprintf("%s older than its CA of %s", ofPods(item.OlderPods, item.Pods), stamp(p.mesh.TrustChanged))})
	case item.OlderPods > 0:
		reasons = append(reasons, Reason{ReasonOlderThanCA, fmt.Sprintf("%s older than the CA of %s", ofPods(item.OlderPods, item.Pods), stamp(p.threshold))})
	case item.Stage != StageControlPlane && p.staleSigner && item.Pods > 0:
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
