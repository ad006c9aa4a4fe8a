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

// Report is the state of the trust of a VirtualMesh, including its workloads.
type Report struct {
	*Survey
	// Reports are about the meshes, in the order of the survey.
	Reports []MeshReport
	// Left are meshes that do not belong to the VirtualMesh any more and still have
	// certificates of it, and those of which that is not known, with the error.
	Left []MeshState
}

// MeshReport is the state of the certificates of a mesh.
type MeshReport struct {
	*MeshState
	// Reach are the roots published to namespaces. ReachErr is why they are not known.
	Reach    []NamespaceTrust
	ReachErr error
	// Older are the workloads, including control plane and gateways, that use outdated
	// certificates. OlderErr is why they are not known.
	Older    []restart.Item
	OlderErr error
}

// Connections returns the connection to a cluster, or an error if there is none.
type Connections func(cluster string) (*kube.Connection, error)

// Inspect reads the complete state of the trust of a VirtualMesh. Errors about single meshes
// are part of the report; the returned error is that of Look or ctx.
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
		state.setSecret(e, secret)
		r.Left = append(r.Left, state)
	}
}

func (r *Report) lists(m *world.Mesh) bool {
	return slices.ContainsFunc(r.Subject.Meshes, func(own Mesh) bool { return own.Cluster == m.Cluster && own.Namespace == m.Namespace })
}

// Older returns the number and the names of workloads with outdated certificates.
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

// Severity is the severity of a problem.
type Severity string

// Severities: an error breaks calls, or will if nothing is done.
const (
	SeverityError   Severity = "error"
	SeverityWarning Severity = "warning"
)

// Topic is the subject of a problem, and the name of the check.
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

// Problem is something that requires action.
type Problem struct {
	Topic    Topic
	Severity Severity
	// Cluster, Namespace and Mesh identify the mesh, the latter two by its resource; empty for
	// problems of the VirtualMesh.
	Cluster, Namespace, Mesh string
	// Unknown is true if a missing permission prevents the check.
	Unknown bool
	// Message describes the problem, Hint what to do.
	Message, Hint string
}

// Problems returns what requires action, in the order of topics and meshes. A certificate that
// expires within the warning time is a problem.
func (r *Report) Problems(now time.Time, warning time.Duration) []Problem {
	j := &problemCollector{report: r, now: now, warning: warning}
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

// isUncheckable reports whether an error only means that something cannot be checked, not that
// anything is wrong.
func isUncheckable(err error) bool {
	var e *kube.Error
	return errors.As(err, &e) && e.Reason == kube.ReasonForbidden || errors.Is(err, errNoManagement)
}

// problemCollector collects problems.
type problemCollector struct {
	report   *Report
	now      time.Time
	warning  time.Duration
	problems []Problem
}

func (j *problemCollector) add(p Problem) { j.problems = append(j.problems, p) }

func (j *problemCollector) judgeRoot() {
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
			j.add(Problem{Topic: TopicRoot, Severity: SeverityError, Message: root.Err.Error(), Unknown: isUncheckable(root.Err)})
		case c != nil && c.NotAfter.Sub(j.now) < j.warning:
			j.add(Problem{Topic: TopicRoot, Severity: SeverityWarning, Message: fmt.Sprintf("root %s expires in %s, at %s", trust.Short(c), Days(c.NotAfter.Sub(j.now)), timeText(c.NotAfter)), Hint: rotate})
		}
	}
}

func (j *problemCollector) judgeCertificates(m *MeshReport) {
	r := j.report
	issue := "run 'meshctl trust issue " + r.Name() + "'"
	p := m.problem(TopicCertificates, SeverityError)
	p.Hint = issue
	if m.Err != nil {
		p.Message, p.Hint, p.Unknown = m.Err.Error(), "", isUncheckable(m.Err)
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
		p.Message, p.Hint, p.Unknown = action.Reason, "", isUncheckable(r.signer().Err)
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

func (j *problemCollector) judgeRotation() {
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

func (j *problemCollector) judgeDistribution(m *MeshReport) {
	p := m.problem(TopicDistribution, SeverityWarning)
	if m.ReachErr != nil {
		p.Unknown = isUncheckable(m.ReachErr)
		p.Message = "cannot check which namespaces have the root: " + m.ReachErr.Error()
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
		u.Message = fmt.Sprintf("cannot check the root of %s: ConfigMap %s, which istiod writes, does not exist", text.Bounded(missing, fewNames), rootConfigMap)
		j.add(u)
	}
	if len(stale) > 0 {
		p.Message = fmt.Sprintf("ConfigMap %s of %s does not have the root yet", rootConfigMap, text.Bounded(stale, fewNames))
		p.Hint = "istiod writes it: restart it with 'meshctl mesh restart " + m.Ref.Name + "'"
		j.add(p)
	}
}

func (j *problemCollector) judgeRestarts(m *MeshReport) {
	p := m.problem(TopicRestarts, SeverityWarning)
	switch {
	case m.OlderErr != nil:
		p.Unknown = isUncheckable(m.OlderErr)
		p.Message = "cannot check for workloads with outdated certificates: " + m.OlderErr.Error()
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

// fewNames is the maximum number of names in a sentence.
const fewNames = 3

// Days formats a duration in days, or in hours if it is shorter than two days.
func Days(d time.Duration) string {
	const day = 24 * time.Hour
	if d >= 2*day {
		return fmt.Sprintf("%dd", d/day)
	}
	return fmt.Sprintf("%dh", d/time.Hour)
}
