package sharedtrust

import (
	"time"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// CodeOf returns the finding code of a topic.
func CodeOf(topic Topic) finding.Code {
	switch topic {
	case TopicRoot:
		return finding.CodeTrustRoot
	case TopicCertificates:
		return finding.CodeTrustCertificate
	case TopicRotation:
		return finding.CodeTrustRotation
	case TopicDistribution:
		return finding.CodeTrustDistribution
	case TopicRestarts:
		return finding.CodeRestartNeeded
	default:
		return finding.CodeTrustLeft
	}
}

// Findings returns the problems as findings about the affected objects. Outdated certificates
// are reported for the workload if it is in the world, and for its mesh otherwise.
func (r *Report) Findings(w *world.World, now time.Time, warning time.Duration) []finding.Finding {
	var findings []finding.Finding
	workloads := map[world.ObjectID]bool{}
	for i := range w.Workloads {
		workloads[world.WorkloadID(&w.Workloads[i])] = true
	}
	for i := range r.Reports {
		m := &r.Reports[i]
		for k := range m.Older {
			item := &m.Older[k]
			id := world.ObjectID{Kind: "Workload", Namespace: item.Namespace, Name: item.Name, Cluster: m.Cluster}
			if workloads[id] {
				findings = append(findings, finding.New(finding.CodeRestartNeeded, id, "it uses certificates that are older than the CA of its mesh"))
			}
		}
	}
	for _, p := range r.Problems(now, warning) {
		id := world.ObjectID{Kind: "VirtualMesh", Namespace: r.Resource.Namespace, Name: r.Resource.Name}
		if p.Mesh != "" {
			id = world.ObjectID{Kind: "Mesh", Namespace: p.Namespace, Name: p.Mesh}
		}
		severity := finding.Severity(p.Severity)
		if p.Unknown {
			severity = finding.SeverityInfo
		}
		findings = append(findings, finding.New(CodeOf(p.Topic), id, p.Message).Override(severity, p.Hint))
	}
	return findings
}
