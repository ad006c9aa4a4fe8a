package sharedtrust

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/trust"
	"github.com/meshctl/meshctl/internal/world"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// Report is how the trust of a VirtualMesh stands, down to its workloads.
type Report struct {
	*Survey
	// Reports are about the meshes, in the same order.
	Reports []MeshReport
	// Left are meshes that do not belong to the VirtualMesh any more and still have
	// certificates of it, and those of which that is not known, with the error.
	Left []MeshState
}

// MeshReport is what became of the certificates of a mesh.
type MeshReport struct {
	*MeshState
	// Reach says which namespaces know the roots; ReachErr why that is not known.
	Reach    []NamespaceTrust
	ReachErr error
	// Older are the workloads, with the control plane and the gateways, that run
	// with older certificates; OlderErr says why they are not known.
	Older    []restart.Item
	OlderErr error
}

// Connections returns the connection to a cluster, or why there is none.
type Connections func(cluster string) (*kube.Connection, error)

// Inspect reads everything about the trust of a VirtualMesh. What cannot be read
// of a mesh is part of the report.
func Inspect(ctx context.Context, e *Env, s *Subject, w *world.World, connect Connections, deadline time.Duration) (*Report, error) {
	survey, err := Look(ctx, e, s)
	if err != nil {
		return nil, err
	}
	r := &Report{Survey: survey, Reports: make([]MeshReport, len(survey.Meshes))}
	e.each(len(r.Reports), func(i int) {
		m := &r.Reports[i]
		m.MeshState = &survey.Meshes[i]
		if m.Err == nil {
			m.inspect(ctx, e, connect, w.Settings, deadline)
		}
	})
	r.findLeft(ctx, e, w)
	return r, ctx.Err()
}

func (m *MeshReport) inspect(ctx context.Context, e *Env, connect Connections, settings *settingsv1.Settings, deadline time.Duration) {
	c, err := connect(m.Cluster)
	if err != nil {
		m.ReachErr, m.OlderErr = err, err
		return
	}
	limited, stop := within(ctx, deadline)
	m.Reach, m.ReachErr = m.MeshState.Reach(limited, c)
	stop()
	facts, err := restart.Inspect(ctx, c, restart.InspectOptions{ManagementNamespace: e.Namespace, Settings: settings, Deadline: deadline})
	if err != nil {
		m.OlderErr = err
		return
	}
	plan, err := restart.NewPlan(&facts, m.Ref.Name, m.Ref.Namespace, restart.PlanOptions{})
	if err != nil {
		m.OlderErr = err
		return
	}
	for i := range plan.Items {
		if plan.Items[i].Action != restart.ActionNone {
			m.Older = append(m.Older, plan.Items[i])
		}
	}
}

// findLeft looks for meshes that do not belong to the VirtualMesh and have
// certificates of it.
func (r *Report) findLeft(ctx context.Context, e *Env, w *world.World) {
	for i := range w.Meshes {
		m := &w.Meshes[i]
		if m.Type != world.MeshIstio || m.Cluster == "" || m.Namespace == "" || r.lists(m) {
			continue
		}
		state := MeshState{Mesh: r.newMesh(w, m)}
		secret, err := e.Store.Read(ctx, m.Cluster, m.Namespace, trust.CASecretName)
		if err != nil {
			state.Err = err
			r.Left = append(r.Left, state)
			continue
		}
		if secret == nil || secret.Annotations[parentsAnnotation] != r.parents()[parentsAnnotation] {
			continue
		}
		state.take(e, secret)
		r.Left = append(r.Left, state)
	}
}

func (r *Report) lists(m *world.Mesh) bool {
	return slices.ContainsFunc(r.Subject.Meshes, func(own Mesh) bool { return own.Cluster == m.Cluster && own.Namespace == m.Namespace })
}

// Older counts what runs with older certificates, and names a few.
func (r *Report) Older() (count int, names []string) {
	for i := range r.Reports {
		m := &r.Reports[i]
		count += len(m.Older)
		for k := range m.Older {
			names = append(names, m.Older[k].String()+"."+m.Cluster)
		}
	}
	return count, names
}

// Severity says how bad a problem is.
type Severity string

// The severities: an error breaks calls, or will when nothing is done.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Topic says what a problem is about; it is the name of the check, too.
type Topic string

// The topics.
const (
	TopicRoot         Topic = "trust-root"
	TopicCertificates Topic = "trust-certificates"
	TopicRotation     Topic = "trust-rotation"
	TopicDistribution Topic = "trust-distribution"
	TopicRestarts     Topic = "trust-restarts"
	TopicLeft         Topic = "trust-left"
)

// Problem is something that needs action.
type Problem struct {
	Topic    Topic
	Severity Severity
	// Cluster, Namespace and Mesh are what it is about, the latter two the name of
	// the resource; empty for the VirtualMesh.
	Cluster, Namespace, Mesh string
	// Unknown says that nobody knows, for lack of permission.
	Unknown bool
	// Message says what is the matter, Hint what to do.
	Message, Hint string
}

// Problems returns what needs action, in the order of the topics and the meshes.
// A certificate that ends within the warning time is a problem.
func (r *Report) Problems(now time.Time, warning time.Duration) []Problem {
	j := &judging{report: r, now: now, warning: warning}
	j.judgeRoot()
	for i := range r.Reports {
		j.judgeCertificates(&r.Reports[i])
	}
	j.judgeRotation()
	for i := range r.Reports {
		j.judgeDistribution(&r.Reports[i])
	}
	for i := range r.Reports {
		j.judgeRestarts(&r.Reports[i])
	}
	for i := range r.Left {
		m := &r.Left[i]
		p := m.problem(TopicLeft, SeverityWarning)
		p.Message = "the mesh no longer belongs to the VirtualMesh but still has its certificates"
		p.Hint = "add the mesh to the VirtualMesh again, or replace Secret " + trust.CASecretName + " in " + m.Mesh.Namespace + " and restart the mesh"
		if m.Err != nil {
			p.Message, p.Hint, p.Unknown = "whether the mesh still has certificates of the VirtualMesh is not known: "+m.Err.Error(), "", true
		}
		j.add(p)
	}
	return j.problems
}

// problem returns a problem of the mesh.
func (m *MeshState) problem(topic Topic, severity Severity) Problem {
	return Problem{Topic: topic, Severity: severity, Cluster: m.Cluster, Namespace: m.Ref.Namespace, Mesh: m.Ref.Name}
}

// unknowable reports whether an error says that something may not be known here,
// and not that anything is wrong.
func unknowable(err error) bool {
	var e *kube.Error
	return errors.As(err, &e) && e.Reason == kube.ReasonForbidden || errors.Is(err, errNoManagement)
}

// judging collects problems.
type judging struct {
	report   *Report
	now      time.Time
	warning  time.Duration
	problems []Problem
}

func (j *judging) add(p Problem) { j.problems = append(j.problems, p) }

func (j *judging) judgeRoot() {
	r := j.report
	rotate := "rotate it with 'meshctl trust rotate " + r.Name() + "'"
	for _, root := range []*Root{&r.Current, r.Coming} {
		if root == nil {
			continue
		}
		c := root.Certificate
		switch {
		case c != nil && j.now.After(c.NotAfter):
			j.add(Problem{Topic: TopicRoot, Severity: SeverityError, Message: fmt.Sprintf("root %s expired at %s", trust.Short(c), timeText(c.NotAfter)), Hint: rotate})
		case root.Err != nil:
			j.add(Problem{Topic: TopicRoot, Severity: SeverityError, Message: root.Err.Error(), Unknown: unknowable(root.Err)})
		case c != nil && c.NotAfter.Sub(j.now) < j.warning:
			j.add(Problem{Topic: TopicRoot, Severity: SeverityWarning, Message: fmt.Sprintf("root %s expires in %s, at %s", trust.Short(c), Days(c.NotAfter.Sub(j.now)), timeText(c.NotAfter)), Hint: rotate})
		}
	}
}

func (j *judging) judgeCertificates(m *MeshReport) {
	r := j.report
	issue := "run 'meshctl trust issue " + r.Name() + "'"
	p := m.problem(TopicCertificates, SeverityError)
	p.Hint = issue
	if m.Err != nil {
		p.Message, p.Hint, p.Unknown = m.Err.Error(), "", unknowable(m.Err)
		j.add(p)
		return
	}
	action := r.plan(m.MeshState)
	switch action.Kind {
	case ActionKeep:
	case ActionTakeOver:
		p.Message, p.Hint = action.Reason, "run 'meshctl trust issue "+r.Name()+" --force-takeover' to replace it"
		j.add(p)
	case ActionRefuse:
		p.Message, p.Hint, p.Unknown = action.Reason, "", unknowable(r.signer().Err)
		j.add(p)
	default:
		p.Message = action.Reason
		if r.Position.Stage == trust.StageDistributing {
			p.Severity, p.Hint = SeverityWarning, "continue with 'meshctl trust rotate "+r.Name()+"'"
			p.Message = "the step of the rotation has not reached the mesh: " + p.Message
		}
		j.add(p)
	}
	if m.Bundle == nil || m.Foreign != "" {
		return
	}
	c := m.Bundle.Certificate
	if err := m.Bundle.Verify(j.now); err != nil && m.Verdict.Reissue == "" {
		p.Message = "its intermediate certificate does not chain to a root that the mesh trusts: " + err.Error()
		j.add(p)
	}
	if left := c.NotAfter.Sub(j.now); left > 0 && left < j.warning && m.Verdict.Reissue == "" {
		p.Severity, p.Message = SeverityWarning, fmt.Sprintf("its intermediate certificate expires in %s, at %s", Days(left), timeText(c.NotAfter))
		if !c.NotAfter.Before(r.signer().Certificate.NotAfter) {
			p.Hint = "it expires with its root: rotate that with 'meshctl trust rotate " + r.Name() + "'"
		} else {
			p.Hint = "from " + timeText(m.Verdict.RenewAt) + " on, " + issue + " to renew it"
		}
		j.add(p)
	}
}

func (j *judging) judgeRotation() {
	r := j.report
	p := Problem{Topic: TopicRotation, Severity: SeverityWarning, Hint: "run 'meshctl trust rotate " + r.Name() + "'"}
	pos := &r.Position
	if !pos.Rotating() {
		if r.Pending != "" {
			p.Message = r.Pending
			j.add(p)
		}
		return
	}
	p.Message = "a rotation is in progress: " + pos.String()
	switch {
	case pos.Failed:
		p.Severity = SeverityError
		p.Message += "; " + strings.Join(r.lastErrors(), "; ")
	case pos.Stage == trust.StageVerifying:
		p.Hint = "test your applications, then run 'meshctl trust verify " + r.Name() + "'"
	}
	if older, _ := r.Older(); older > 0 && pos.Stage != trust.StageDistributing {
		p.Hint = "run 'meshctl mesh restart --virtual-mesh " + r.Name() + "', then continue"
	}
	j.add(p)
}

func (r *Report) lastErrors() []string {
	if n := len(r.Trail.Conditions); n > 0 {
		return r.Trail.Conditions[n-1].Errors
	}
	return nil
}

func (j *judging) judgeDistribution(m *MeshReport) {
	p := m.problem(TopicDistribution, SeverityWarning)
	if m.ReachErr != nil {
		p.Unknown = unknowable(m.ReachErr)
		p.Message = "namespaces with the root not known: " + m.ReachErr.Error()
		j.add(p)
		return
	}
	var stale, missing []string
	for i := range m.Reach {
		switch n := &m.Reach[i]; {
		case n.Missing:
			missing = append(missing, n.Namespace)
		case !n.Current():
			stale = append(stale, n.Namespace)
		}
	}
	if len(missing) > 0 {
		u := p
		u.Unknown = true
		u.Message = fmt.Sprintf("root of %s not known: ConfigMap %s, which istiod writes, does not exist", text.Bounded(missing, fewNames), rootConfigMap)
		j.add(u)
	}
	if len(stale) > 0 {
		p.Message = fmt.Sprintf("ConfigMap %s of %s does not have the root yet", rootConfigMap, text.Bounded(stale, fewNames))
		p.Hint = "istiod writes it: restart it with 'meshctl mesh restart " + m.Ref.Name + "'"
		j.add(p)
	}
}

func (j *judging) judgeRestarts(m *MeshReport) {
	p := m.problem(TopicRestarts, SeverityWarning)
	switch {
	case m.OlderErr != nil:
		p.Unknown = unknowable(m.OlderErr)
		p.Message = "workloads with outdated certificates not known: " + m.OlderErr.Error()
	case len(m.Older) > 0:
		var names []string
		for i := range m.Older {
			names = append(names, m.Older[i].String())
		}
		p.Message = "outdated certificates are used by " + text.Bounded(names, fewNames)
		p.Hint = "run 'meshctl mesh restart " + m.Ref.Name + "'"
	default:
		return
	}
	j.add(p)
}

// fewNames is how many names a sentence holds.
const fewNames = 3

// Days says in whole days, or hours if there are fewer than two, how long
// something lasts.
func Days(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return fmt.Sprintf("%dd", d/day)
	}
	return fmt.Sprintf("%dh", d/time.Hour)
}
