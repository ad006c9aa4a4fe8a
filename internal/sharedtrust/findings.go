package sharedtrust

import (
	"time"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// CodeOf returns the code of the findings about a topic.
func CodeOf(topic Topic) policy.Code {
	switch topic {
	case TopicRoot:
		return policy.CodeTrustRoot
	case TopicCertificates:
		return policy.CodeTrustCertificate
	case TopicRotation:
		return policy.CodeTrustRotation
	case TopicDistribution:
		return policy.CodeTrustDistribution
	case TopicRestarts:
		return policy.CodeRestartNeeded
	default:
		return policy.CodeTrustLeft
	}
}

// Findings returns the problems as findings about the objects that they concern.
// What runs with older certificates is about the workload itself, if the world
// has it, and about its mesh otherwise.
func (r *Report) Findings(w *world.World, now time.Time, warning time.Duration) []policy.Finding {
	var findings []policy.Finding
	workloads := map[policy.ObjectID]bool{}
	for i := range w.Workloads {
		workloads[policy.WorkloadID(&w.Workloads[i])] = true
	}
	for i := range r.Reports {
		m := &r.Reports[i]
		for k := range m.Older {
			item := &m.Older[k]
			id := policy.ObjectID{Kind: "Workload", Namespace: item.Namespace, Name: item.Name, Cluster: m.Cluster}
			if workloads[id] {
				findings = append(findings, policy.NewFinding(policy.CodeRestartNeeded, id, "", "it uses certificates that are older than the CA of its mesh", ""))
			}
		}
	}
	for _, p := range r.Problems(now, warning) {
		id := policy.ObjectID{Kind: "VirtualMesh", Namespace: r.Resource.Namespace, Name: r.Resource.Name}
		if p.Mesh != "" {
			id = policy.ObjectID{Kind: "Mesh", Namespace: p.Namespace, Name: p.Mesh}
		}
		severity := policy.Severity(p.Severity)
		if p.Unknown {
			severity = policy.SeverityInfo
		}
		findings = append(findings, policy.NewFinding(CodeOf(p.Topic), id, severity, p.Message, p.Hint))
	}
	return findings
}
