package impact

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/policy/finding"
)

// grouping adds how a VirtualMesh connects its meshes.
func (l *sentences) grouping(view View) {
	g := view.Grouping
	l.groupsNew = view.Presence == compare.PresenceAdded
	meshes := "mesh " + andMore(describe.RefNames(g.Meshes))
	if len(g.Meshes) > 1 {
		meshes = "meshes " + andMore(describe.RefNames(g.Meshes))
	}
	l.pin("groups %s with %s and %s", meshes, text.Count(g.WorkloadCount, "workload"), text.Count(g.DestinationCount, "destination"))
	if g.TrustChanged {
		l.trust(g)
	}
	if g.DefaultAccess == "DENY" && l.groupsNew {
		l.info("denies what no AccessPolicy allows (globalAccessPolicy %s)", g.GlobalAccessPolicy)
	}
	if g.TLSChanged {
		switch g.TLSEnforcement {
		case "STRICT":
			l.warn("servers accept mutual TLS only (STRICT): callers without a sidecar are rejected")
		case "DISABLE":
			l.warn("servers accept plain text only (DISABLE)")
		}
	}
	if len(g.Meshes) > 1 && g.ExportedCount == 0 && len(view.Changes.Federation) == 0 {
		l.info("exposes no destination to another mesh")
	}
}

func (l *sentences) trust(g *Grouping) {
	switch {
	case g.Trust.Model == policy.TrustShared:
		if len(g.Meshes) > 1 {
			l.info("its meshes trust each other: they share %s", rootText(g.Trust))
		} else {
			l.info("its mesh gets certificates issued by %s", rootText(g.Trust))
		}
		if g.Trust.AutoRestartPods {
			l.warn("pods restart when their certificates change (autoRestartPods)")
		} else {
			l.info("run 'meshctl trust issue' to issue its certificates; running pods use them only after a restart")
		}
	case len(g.Meshes) > 1:
		l.info("establishes no trust: meshes with different roots cannot call each other")
	}
}

// rootText returns the source of the shared root certificate.
func rootText(t describe.TrustDescription) string {
	switch t.Root {
	case "secret":
		return "the root certificate in Secret " + t.Secret.String()
	case "vault":
		return "the root certificate in Vault"
	default:
		return "a generated root certificate"
	}
}

// meshes adds which meshes move between VirtualMeshes.
func (l *sentences) meshes(changes []MeshChange) {
	defer l.limit(len(l.lines), "meshes")
	vm := func(ref describe.ObjectRef) KindRef { return KindRef{"VirtualMesh", ref.Namespace, ref.Name} }
	joined := map[KindRef][]string{}
	var order []KindRef
	for _, c := range changes {
		switch {
		case c.After == nil:
			l.warn("mesh %s leaves %s and is in no VirtualMesh", c.Mesh, l.name(vm(*c.Before)))
		case c.Before != nil:
			l.warn("mesh %s moves from %s to %s", c.Mesh, l.name(vm(*c.Before)), l.name(vm(*c.After)))
		case vm(*c.After) == l.own && l.groupsNew:
			continue // already reported
		default:
			to := vm(*c.After)
			if joined[to] == nil {
				order = append(order, to)
			}
			joined[to] = append(joined[to], c.Mesh.String())
		}
	}
	for _, to := range order {
		verb := "joins"
		noun := "mesh"
		if len(joined[to]) > 1 {
			verb, noun = "join", "meshes"
		}
		l.info("%s %s %s %s", noun, andMore(joined[to]), verb, l.name(to))
	}
}

// shownExports limits the meshes whose exports are reported one by one.
const shownExports = 3

// federation adds what is newly exposed and no longer exposed.
func (l *sentences) federation(changes []FederationChange) {
	defer l.limit(len(l.lines), "changes of exposure")
	var exposed, withdrawn, renamed []FederationChange
	for _, c := range changes {
		gained, gone := beyond(c.After, c.Before), beyond(c.Before, c.After)
		if len(gained) > 0 {
			part := c
			part.After = gained
			exposed = append(exposed, part)
		}
		if len(gone) > 0 {
			part := c
			part.Before = gone
			withdrawn = append(withdrawn, part)
		}
		if len(gained)+len(gone) == 0 {
			renamed = append(renamed, c)
		}
	}
	l.exposure(exposed, finding.SeverityInfo, "exposed", func(c FederationChange) []describe.ObjectRef { return c.After })
	l.exposure(withdrawn, finding.SeverityWarning, "no longer exposed", func(c FederationChange) []describe.ObjectRef { return c.Before })
	for _, c := range renamed {
		if c.HostnameBefore != c.HostnameAfter {
			l.warn("other meshes must call %s by a different name, such as %s instead of %s",
				exportsText(c.Destinations, c.Mesh), c.HostnameAfter, c.HostnameBefore)
			continue
		}
		way := "through gateways"
		if c.Flat {
			way = "directly to the pods"
		}
		l.info("requests from other meshes to %s now go %s", exportsText(c.Destinations, c.Mesh), way)
	}
}

func (l *sentences) exposure(changes []FederationChange, severity finding.Severity, what string, to func(FederationChange) []describe.ObjectRef) {
	if len(changes) <= shownExports {
		for _, c := range changes {
			l.add(severity, "%s %s %s to %s", exportsText(c.Destinations, c.Mesh), text.Choose(len(c.Destinations), "is", "are"), what,
				importersText(describe.RefNames(to(c)), len(c.Destinations), severity == finding.SeverityWarning))
		}
		return
	}
	destinations := 0
	var from, others []string
	for _, c := range changes {
		destinations += len(c.Destinations)
		from = append(from, c.Mesh.String())
		others = append(others, describe.RefNames(to(c))...)
	}
	l.add(severity, "%s of %s %s %s to %s", text.Count(destinations, "destination"), text.Count(len(distinct(from)), "mesh"),
		text.Choose(destinations, "is", "are"), what, text.Count(len(distinct(others)), "mesh"))
}

// importersText names meshes and the consequence for them. Without a hostname their calls
// fail; with one, they may still need trust or access.
func importersText(meshes []string, destinations int, lost bool) string {
	importers, whose := "mesh", "its"
	if len(meshes) > 1 {
		importers, whose = "meshes", "their"
	}
	can, them := "have a hostname for", "each of them"
	if lost {
		can, them = "can no longer reach", "them"
	}
	if destinations == 1 {
		them = "it"
	}
	return fmt.Sprintf("%s %s: %s workloads %s %s", importers, andMore(meshes), whose, can, them)
}

func exportsText(destinations []string, mesh describe.ObjectRef) string {
	if len(destinations) <= shownExports {
		return andMore(destinations)
	}
	return fmt.Sprintf("%s of mesh %s", text.Count(len(destinations), "destination"), mesh)
}

// beyond returns the references that are not in others.
func beyond(refs, others []describe.ObjectRef) []describe.ObjectRef {
	return slices.DeleteFunc(slices.Clone(refs), func(r describe.ObjectRef) bool { return slices.Contains(others, r) })
}
