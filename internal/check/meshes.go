package check

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
)

// minIstioMinor is the oldest supported minor version of Istio 1: the first that
// serves version v1 of the resources that meshctl renders.
const minIstioMinor = 22

func meshesCategory() Category {
	return Category{
		ID: CategoryMeshes, Title: "Meshes", Skip: noMeshes,
		Checks: []Check{
			{
				ID: "mesh-control-plane", Description: "the control plane is ready", Severity: Failed,
				Hint: "look at the events of its pods", Judge: judgeMeshes(judgeControlPlane),
			},
			{
				ID: "mesh-version", Description: "the Istio version is supported", Severity: Failed,
				Hint: fmt.Sprintf("upgrade Istio to 1.%d or later", minIstioMinor), Judge: judgeMeshes(judgeIstioVersion),
			},
			{
				ID: "mesh-dns", Description: "federated hostnames can be resolved", Severity: Failed,
				Judge: judgeMeshes(judgeByFindings(finding.CodeSuffixNeedsDNS)),
			},
			{
				ID: "mesh-gateway", Description: "other clusters can reach an east-west gateway", Severity: Failed,
				Judge: judgeMeshes(judgeByFindings(finding.CodeNoGateway, finding.CodeGatewayNoAddress)),
			},
			{
				ID: "mesh-trust-domains", Description: "callers of other meshes are accepted", Severity: Warning,
				Judge: judgeMeshes(judgeTrustDomains),
			},
			{
				ID: "mesh-proxies", Description: "all pods of a workload have a proxy, or none", Severity: Warning,
				Hint:  "restart the workload, so that new pods get a proxy; if they do not, check the labels that enable injection",
				Judge: judgeMeshes(judgeProxies),
			},
			{
				ID: "mesh-facts", Description: "discovery recorded how Istio is configured", Severity: Warning,
				Hint: "run 'meshctl discover' with this version", Judge: judgeMeshes(judgeFacts),
			},
		},
	}
}

// noMeshes returns why mesh checks are skipped; empty if there are meshes.
func noMeshes(f *Facts) string {
	switch {
	case f.NoClusters:
		return noManagement(f)
	case f.World == nil:
		return noWorld(f)
	case len(f.World.World.Meshes) == 0 && !f.World.World.Incomplete():
		return "no mesh found"
	default:
		return ""
	}
}

// meshFindings are the codes of findings that mesh checks report instead of
// configuration checks.
func meshFindings() []finding.Code {
	return []finding.Code{finding.CodeSuffixNeedsDNS, finding.CodeNoGateway, finding.CodeGatewayNoAddress}
}

// judgeMeshes returns a Judge function for every mesh.
func judgeMeshes(judge func(*Facts, *world.Mesh) []Outcome) func(*Facts) []Outcome {
	return func(f *Facts) []Outcome {
		var outcomes []Outcome
		if len(f.World.World.Meshes) == 0 {
			return single(worldUnread("no mesh found"))
		}
		for i := range f.World.World.Meshes {
			m := &f.World.World.Meshes[i]
			found := single(skipped(string(m.Type) + " is not configured by meshctl"))
			if m.Type == world.MeshIstio {
				found = judge(f, m)
			}
			for _, o := range found {
				o.Cluster, o.Object = m.Cluster, world.MeshID(m).String()
				outcomes = append(outcomes, o)
			}
		}
		return outcomes
	}
}

func judgeControlPlane(f *Facts, m *world.Mesh) []Outcome {
	member := f.member(m.Cluster)
	switch {
	case member == nil && f.MembersErr != nil:
		return single(membersUnread(f))
	case member == nil && f.Management != nil:
		return single(unknown("cluster "+m.Cluster+" is not registered", "run 'meshctl cluster register "+m.Cluster+"'"))
	case member == nil:
		return single(skipped("cluster " + m.Cluster + " was not checked"))
	case !member.usable():
		return single(blocked(member))
	case member.ControlPlanesErr != nil:
		return single(unread(member.ControlPlanesErr))
	}
	plane := member.controlPlane(m)
	switch {
	case plane == nil:
		return single(broken("there is no Deployment of istiod in namespace "+m.Namespace+" for it any more", "run 'meshctl discover' if this is intended"))
	case plane.Wanted == 0:
		return single(broken("Deployment "+plane.Name+" in "+m.Namespace+" is scaled to 0", "scale it up"))
	case plane.Available == 0:
		return single(broken(plane.readiness(), ""))
	case plane.Available < plane.Wanted:
		o := broken(plane.readiness(), "")
		o.Result = Warning
		return single(o)
	default:
		return single(holds(plane.readiness()))
	}
}

// controlPlane returns the Deployment of a mesh's control plane; nil if there is
// none.
func (m *MemberFacts) controlPlane(mesh *world.Mesh) *ControlPlane {
	labels := mesh.Resource.Spec.Istio.Installation.PodLabels
	for i := range m.ControlPlanes {
		if p := &m.ControlPlanes[i]; p.Namespace == mesh.Namespace && world.HasLabels(p.Labels, labels) {
			return p
		}
	}
	return nil
}

func (p *ControlPlane) readiness() string {
	return fmt.Sprintf("%d of %d pods of Deployment %s are available", p.Available, p.Wanted, p.Name)
}

func judgeIstioVersion(_ *Facts, m *world.Mesh) []Outcome {
	minor, known := istioMinor(m.Version)
	switch {
	case !known:
		o := broken(fmt.Sprintf("cannot determine the Istio version of %q", m.Version), fmt.Sprintf("make sure that it is 1.%d or later", minIstioMinor))
		o.Result = Warning
		return single(o)
	case minor < minIstioMinor:
		return single(broken("it is Istio "+m.Version, ""))
	default:
		return single(holds("Istio " + m.Version))
	}
}

// istioMinor returns the minor version of an image tag; false unless it is
// 1.MINOR.
func istioMinor(version string) (int, bool) {
	match := regexp.MustCompile(`^v?1\.(\d{1,4})(?:[^\d]|$)`).FindStringSubmatch(strings.TrimSpace(version))
	if match == nil {
		return 0, false
	}
	minor, err := strconv.Atoi(match[1])
	return minor, err == nil
}

// judgeByFindings returns a function that judges a mesh by the engine's findings
// with these codes.
func judgeByFindings(codes ...finding.Code) func(*Facts, *world.Mesh) []Outcome {
	return func(f *Facts, m *world.Mesh) []Outcome {
		switch vm := f.World.Meshes[m.ID].VirtualMesh; {
		case vm == nil && f.World.World.Incomplete():
			return single(worldUnread("the VirtualMesh of the mesh was not found"))
		case vm == nil:
			return single(skipped("the mesh does not belong to a VirtualMesh"))
		}
		var outcomes []Outcome
		for _, i := range f.World.FindingsOn(f.meshObjects(m)...) {
			finding := &f.World.Findings[i]
			for _, code := range codes {
				if finding.Code == code {
					o := outcomeOf(finding)
					o.Finding = "" // the name of the check is more specific
					if finding.Object != world.MeshID(m).String() {
						o.Message = finding.Object + ": " + o.Message
					}
					outcomes = append(outcomes, o)
				}
			}
		}
		if len(outcomes) == 0 {
			return single(holds(""))
		}
		return outcomes
	}
}

// meshObjects returns the objects of findings about a mesh: the mesh and its
// gateways.
func (f *Facts) meshObjects(m *world.Mesh) []world.ObjectID {
	objects := []world.ObjectID{world.MeshID(m)}
	for _, g := range f.World.Meshes[m.ID].Gateways {
		objects = append(objects, world.DestinationID(&f.World.World.Destinations[g.Destination]))
	}
	return objects
}
