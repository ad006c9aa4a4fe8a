package rollout

import (
	"slices"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/world"
)

// Loss is a kind of protection that a change removes.
type Loss string

// The kinds of protection.
const (
	// LossTLS is the enforcement of mutual TLS.
	LossTLS Loss = "TLS"
	// LossClientTLS is the use of TLS by clients.
	LossClientTLS Loss = "CLIENT_TLS"
	// LossDefaultDenial is the denial of calls that no AccessPolicy allows.
	LossDefaultDenial Loss = "DEFAULT_DENIAL"
	// LossAccess is a restriction of the callers of some workloads.
	LossAccess Loss = "ACCESS"
)

// Losses returns the number of changes that remove protection, without those that are refused.
func (p *Plan) Losses() int {
	return p.countChanges((*Change).Loses)
}

// Loses reports whether the change removes protection.
func (c *Change) Loses() bool { return c.Loss != "" && c.Kind != kube.ChangeRefuse }

// Held returns the number of changes that are refused because they would remove protection.
func (p *Plan) Held() int {
	return p.countChanges(func(change *Change) bool { return change.Held })
}

func (p *Plan) countChanges(counts func(*Change) bool) int {
	sum := 0
	for i := range p.Clusters {
		for k := range p.Clusters[i].Changes {
			if counts(&p.Clusters[i].Changes[k]) {
				sum++
			}
		}
	}
	return sum
}

// markLosses sets Loss of the changes that remove protection.
func (c *Cluster) markLosses(result *policy.Result) {
	denied := c.deniesByDefault(result)
	for i := range c.Changes {
		change := &c.Changes[i]
		takesPlace := change.Kind == kube.ChangeRemove || change.Kind == kube.ChangeModify || change.Held
		if takesPlace && change.stored != nil {
			change.Loss = lossOf(change, denied)
		}
	}
}

// lossOf returns the protection lost by changing or deleting an object. Where calls are denied
// by default, an object that allows some calls protects nothing, and one that allows all calls
// never does.
func lossOf(change *Change, denied bool) Loss {
	kind, before := istio.Kind(change.Key.GVK.Kind), specOf(change.stored)
	var after map[string]any
	if change.desired != nil {
		desired, err := manifest(change.desired)
		if err != nil {
			return ""
		}
		after = specOf(desired)
	}
	if !istio.Lessens(kind, before, after) {
		return ""
	}
	action, _ := before["action"].(string)
	allows := action == "" || action == "ALLOW"
	switch {
	case kind == istio.KindDestinationRule:
		return LossClientTLS
	case kind == istio.KindPeerAuthentication:
		return LossTLS
	case len(before) == 0:
		return LossDefaultDenial
	case allows && (denied || matchesEveryRequest(before)):
		return ""
	default:
		return LossAccess
	}
}

// matchesEveryRequest reports whether an AuthorizationPolicy has a rule without conditions.
func matchesEveryRequest(spec map[string]any) bool {
	rules, _ := spec["rules"].([]any)
	return slices.ContainsFunc(rules, func(value any) bool {
		rule, isRule := value.(map[string]any)
		return isRule && len(rule) == 0
	})
}

// deniesByDefault reports whether every Istio mesh of the cluster denies calls that no
// AccessPolicy allows, be it because that is held.
func (c *Cluster) deniesByDefault(result *policy.Result) bool {
	some := false
	for i := range result.World.Meshes {
		m := &result.World.Meshes[i]
		if m.Type != world.MeshIstio || m.Cluster != c.Name {
			continue
		}
		if !result.DeniesByDefault(m) && !c.keepsDenial(m) {
			return false
		}
		some = true
	}
	return some
}

// KeepsDenial reports whether a mesh goes on denying what no AccessPolicy allows because the
// plan holds that.
func (p *Plan) KeepsDenial(m *world.Mesh) bool {
	return slices.ContainsFunc(p.Clusters, func(c Cluster) bool { return c.keepsDenial(m) })
}

func (c *Cluster) keepsDenial(m *world.Mesh) bool {
	return c.holdsFor(m, func(change *Change) bool {
		return change.IsAccessRule() && len(specOf(change.stored)) == 0
	})
}

// KeepsTLS reports whether a mesh goes on enforcing mutual TLS because the plan holds that.
func (p *Plan) KeepsTLS(m *world.Mesh) bool {
	return slices.ContainsFunc(p.Clusters, func(c Cluster) bool {
		return c.holdsFor(m, func(change *Change) bool { return istio.Kind(change.Key.GVK.Kind) == istio.KindPeerAuthentication })
	})
}

// holdsFor reports whether the plan holds such an object for all of a mesh.
func (c *Cluster) holdsFor(m *world.Mesh, such func(*Change) bool) bool {
	return m != nil && m.Type == world.MeshIstio && m.Cluster == c.Name && slices.ContainsFunc(c.Changes, func(change Change) bool {
		return change.Held && change.Key.Namespace == istio.RootNamespace(m) && such(&change)
	})
}
