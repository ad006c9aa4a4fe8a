package apply

import (
	"maps"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/describe/impact"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/world"
)

// staying is the protection that a plan holds back. The evaluated world lacks it, but
// the clusters keep it, so what follows from its absence does not happen.
type staying struct {
	world *world.World
	// denying and encrypting are the positions of the meshes that keep the denial by
	// default and the enforcement of mutual TLS.
	denying, encrypting map[int]bool
	// ruled are the Destinations that keep the rules about who may call them.
	ruled map[string]bool
	// clients are the Destinations whose callers keep their TLS settings.
	clients map[string]bool
}

// shownNames limits the names in a sentence of the plan.
const shownNames = 3

// stayingOf finds the protection that a plan holds back.
func stayingOf(p *rollout.Plan) *staying {
	s := &staying{world: p.Result.World, denying: map[int]bool{}, encrypting: map[int]bool{}, ruled: map[string]bool{}, clients: map[string]bool{}}
	for i := range s.world.Meshes {
		if m := &s.world.Meshes[i]; p.KeepsDenial(m) {
			s.denying[i] = true
		}
		if m := &s.world.Meshes[i]; p.KeepsTLS(m) {
			s.encrypting[i] = true
		}
	}
	for i := range p.Clusters {
		for k := range p.Clusters[i].Changes {
			switch change := &p.Clusters[i].Changes[k]; {
			case !change.Held:
			case change.Loss == rollout.LossClientTLS:
				s.note(s.clients, change)
			default:
				s.note(s.ruled, change)
			}
		}
	}
	return s
}

// note adds the Destinations that an object was rendered for.
func (s *staying) note(to map[string]bool, change *rollout.Change) {
	for _, parent := range change.Parents() {
		for i := range s.world.Destinations {
			d := &s.world.Destinations[i]
			if meta := &d.Resource.ObjectMeta; parent.Kind == "Destination" && parent.Namespace == meta.Namespace && parent.Name == meta.Name {
				to[d.Key()] = true
			}
		}
	}
}

// withhold removes the changes of access that do not happen, or are not sure to.
func (s *staying) withhold(d *compare.Differences) {
	d.Verdicts = slices.DeleteFunc(d.Verdicts, func(v compare.VerdictChange) bool {
		called := &s.world.Destinations[v.Destination]
		denying := called.Mesh != nil && s.denying[called.Mesh.ID]
		encrypting := called.Mesh != nil && s.encrypting[called.Mesh.ID]
		byRule := len(v.RulesAfter) > 0
		gains := v.After == reach.Allowed || v.Before != reach.Allowed && (v.After == reach.Unknown || v.After == reach.Conditional && !v.Fewer)
		switch {
		case s.ruled[called.Key()]: // the rules that stay allow and deny
			return !gains || !byRule
		case s.clients[called.Key()]:
			return true
		case denying && gains && !byRule:
			return true
		default:
			return encrypting && gains && v.Before == reach.Unreachable
		}
	})
}

// lines says what stays.
func (s *staying) lines() []impact.Line {
	const because = ", because protection is held back"
	var lines []impact.Line
	say := func(sentence string) {
		lines = append(lines, impact.Line{Severity: finding.SeverityWarning, Text: sentence + because})
	}
	if in := s.clusters(s.denying); len(in) > 0 {
		say("callers that no AccessPolicy allows stay denied in " + text.Named("cluster", in))
	}
	if in := s.clusters(s.encrypting); len(in) > 0 {
		say("servers go on enforcing mutual TLS as before in " + text.Named("cluster", in))
	}
	if len(s.ruled) > 0 {
		say("the rules about who may call " + names(s.ruled) + " stay in effect")
	}
	if len(s.clients) > 0 {
		say("callers of " + names(s.clients) + " go on using TLS as before")
	}
	return lines
}

// clusters returns the clusters of meshes, sorted.
func (s *staying) clusters(meshes map[int]bool) []string {
	in := map[string]bool{}
	for i := range meshes {
		in[s.world.Meshes[i].Cluster] = true
	}
	return slices.Sorted(maps.Keys(in))
}

// names joins the first of some names for a sentence.
func names(of map[string]bool) string {
	all := slices.Sorted(maps.Keys(of))
	if len(all) > shownNames {
		return text.Bounded(all, shownNames)
	}
	return text.And(all)
}
