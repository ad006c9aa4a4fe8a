package check

import (
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

func configurationCategory() Category {
	return Category{
		ID: CategoryConfiguration, Title: "Configuration", Skip: noWorld,
		Checks: []Check{
			{
				ID: "configuration-findings", Description: "configuration is valid", Severity: Failed,
				Judge: judgeFindings,
			},
			{
				ID: "configuration-current", Description: "discovery is up to date", Severity: Warning,
				Hint: "run 'meshctl discover'", Judge: judgeDiscovered,
			},
			{
				ID: "configuration-written", Description: "configuration is applied", Severity: Warning,
				Hint: "see what differs with 'meshctl apply --dry-run=client --diff', and apply it with 'meshctl apply'", Judge: judgeWritten,
			},
		},
	}
}

// noWorld returns why configuration checks are skipped; empty if there is a
// world.
func noWorld(f *Facts) string {
	switch {
	case f.World != nil:
		return ""
	case noManagement(f) != "":
		return noManagement(f)
	default:
		return dependsOnDefinitions
	}
}

// worldUnread is the outcome of checks about something that was not found in a world
// of which a part could not be read.
func worldUnread(missing string) Outcome {
	o := unknown(missing+", and part of the configuration could not be read", "").dependsOn(idManagementRead)
	o.whole = true
	return o
}

// judgeFindings reports the findings of the engine.
func judgeFindings(f *Facts) []Outcome {
	var outcomes []Outcome
	for i := range f.World.Findings {
		found := &f.World.Findings[i]
		if found.Severity == finding.SeverityInfo || f.judgedElsewhere(found) {
			continue
		}
		outcomes = append(outcomes, outcomeOf(found))
	}
	if len(outcomes) == 0 {
		w := f.World.World
		return single(holds(strings.Join([]string{
			text.Count(len(w.VirtualMeshes), "VirtualMesh"), text.Count(len(w.TrafficPolicies), "TrafficPolicy"), text.Count(len(w.AccessPolicies), "AccessPolicy"),
		}, ", ")))
	}
	return outcomes
}

// judgedElsewhere reports whether a cluster check reports the finding, or a mesh
// check; mesh checks only cover meshes of a VirtualMesh.
func (f *Facts) judgedElsewhere(found *finding.Finding) bool {
	if found.Code == finding.CodeUnusableCluster {
		return f.ClustersJudged
	}
	if found.Code == finding.CodeTrustDomain {
		return f.MeshesJudged
	}
	if !f.MeshesJudged || !slices.Contains(meshFindings(), found.Code) {
		return false
	}
	for i := range f.World.World.Meshes {
		if f.World.Meshes[i].VirtualMesh == nil {
			continue
		}
		for _, object := range f.meshObjects(&f.World.World.Meshes[i]) {
			if object.String() == found.Object {
				return true
			}
		}
	}
	return false
}

func outcomeOf(found *finding.Finding) Outcome {
	o := Outcome{Object: found.Object, Result: Warning, Message: found.Message, Hint: found.Hint, Finding: found.Code}
	if found.Severity == finding.SeverityError {
		o.Result = Failed
	}
	if found.Code == finding.CodeUnlistedKind { // whether the configuration is valid
		o.Result, o.Unknown, o.Cause = Failed, true, idManagementRead
	}
	return o
}

// judgeDiscovered compares the stored objects of each cluster with those
// discovered now.
func judgeDiscovered(f *Facts) []Outcome {
	if f.Management == nil {
		return single(skipped(noManagement(f)))
	}
	var outcomes []Outcome
	if f.MembersErr != nil {
		outcomes = append(outcomes, membersUnread(f))
	}
	for i := range f.Members {
		m := &f.Members[i]
		if !m.Registered {
			continue
		}
		o := judgeMember(f, m)
		o.Cluster = m.Cluster
		outcomes = append(outcomes, o)
	}
	if len(outcomes) == 0 {
		return single(skipped(noMembersText(f)))
	}
	return outcomes
}

func noMembersText(f *Facts) string {
	if why := noMembers(f); why != "" {
		return why
	}
	return "contexts are discovered on the fly"
}

func judgeMember(f *Facts, m *MemberFacts) Outcome {
	switch {
	case !m.usable():
		return blocked(m)
	case m.Discovered == nil:
		return unknown("the cluster was not discovered", "")
	case m.Discovered.Err != nil:
		return unread(m.Discovered.Err)
	case len(m.Discovered.Unlisted) > 0:
		return unread(m.Discovered.Unlisted[0].Err)
	}
	changes := compareDiscovered(f.Stored, m)
	if changes.none() {
		return holds(changes.discoveredText())
	}
	return broken(changes.String(), "")
}
