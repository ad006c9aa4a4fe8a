package reach_test

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/reach"
	"github.com/meshctl/meshctl/internal/testkit/randomworld"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// The first stage that stops a call decides, whatever later ones say, and these are
// listed.
func TestStagesComeInOrder(t *testing.T) {
	t.Parallel()
	seen := map[reach.Code]int{}
	for seed := range uint64(200) {
		result := policy.Evaluate(world.New(randomworld.Objects(rand.New(rand.NewPCG(3, seed)))))
		calls := reach.In(result)
		for _, w := range result.World.WorkloadPointers() {
			for _, d := range result.World.DestinationPointers() {
				if !result.Reaches(w, d.ID) || w.Proxies() == discoveryv1.PresenceSome {
					continue
				}
				if visible, _ := d.IsVisibleIn(w.Namespace); !visible && w.Namespace == d.Ref.Namespace {
					continue // routes may reveal it
				}
				verdict := calls.Verdict(w, d)
				seen[verdict.Code]++
				want := stopping(result, w, d)
				if len(want) == 0 {
					if verdict.Code != "" && verdict.Code < "MT0500" && verdict.Decision != reach.Conditional {
						t.Errorf("seed %d: %s to %s: %s %s (%s), but nothing is in the way", seed, w.Names().Full(), d.Key(), verdict.Decision, verdict.Code, verdict.Reason)
					}
					continue
				}
				if verdict.Code != want[0] {
					t.Errorf("seed %d: %s to %s: %s %s (%s), want %v", seed, w.Names().Full(), d.Key(), verdict.Decision, verdict.Code, verdict.Reason, want)
				}
				if decision := decisionOf(want[0]); verdict.Decision != decision {
					t.Errorf("seed %d: %s to %s: %s, want %s", seed, w.Names().Full(), d.Key(), verdict.Decision, decision)
				}
				for _, code := range want[1:] {
					listed := slices.ContainsFunc(verdict.Further, func(o reach.Obstacle) bool { return o.Code == code })
					if !listed && decisionOf(code) == reach.Unreachable {
						t.Errorf("seed %d: %s to %s: %s is not listed behind %s", seed, w.Names().Full(), d.Key(), code, want[0])
					}
				}
			}
		}
	}
	for _, code := range []reach.Code{
		"", reach.CodeNameNotResolved, reach.CodeExternalName, reach.CodeHiddenService, reach.CodeHiddenFromGateway, reach.CodeNoEndpoints, reach.CodeJoinedClusters,
	} {
		if seen[code] == 0 {
			t.Errorf("no call of a random world ends with code %q", code)
		}
	}
}

func decisionOf(code reach.Code) reach.Decision {
	if code == reach.CodeExternalName || code == reach.CodeJoinedClusters {
		return reach.Unknown
	}
	return reach.Unreachable
}

// stopping returns the codes of what stops a call before a connection is made, in
// the order of stages.
func stopping(result *policy.Result, w *world.Workload, d *world.Destination) []reach.Code {
	var codes []reach.Code
	_, via, _ := result.Reach(w, d)
	resolves, _ := w.ResolvesFederatedNames()
	gateway, _ := w.IsGateway()
	outbound, _ := w.Mesh.OutboundTrafficPolicy()
	bare := w.Proxies() == discoveryv1.PresenceNone
	if d.IsExternalName() {
		codes = append(codes, reach.CodeExternalName)
	}
	if via != policy.ViaLocal && !resolves {
		codes = append(codes, reach.CodeNameNotResolved)
	}
	istio := d.Mesh != nil && d.Mesh.Type == world.MeshIstio
	if visible, _ := d.IsVisibleIn(w.Namespace); istio && via == policy.ViaLocal && !visible && !bare && (gateway || outbound == discoveryv1.OutboundRegistryOnly) {
		codes = append(codes, reach.CodeHiddenService)
	}
	if istio && via == policy.ViaGateway && slices.ContainsFunc(result.Meshes[d.Mesh.ID].Gateways, func(g policy.Gateway) bool {
		visible, _ := d.IsVisibleIn(result.World.Destinations[g.Destination].Ref.Namespace)
		return !visible
	}) {
		codes = append(codes, reach.CodeHiddenFromGateway)
	}
	if has, _ := d.HasEndpoints(); !has && !d.IsExternalName() {
		codes = append(codes, reach.CodeNoEndpoints)
	}
	sender := w.Mesh
	if via == policy.ViaGateway {
		sender = d.Mesh
	}
	joined, _ := sender.RemoteClusters()
	if !d.IsExternalName() && via != policy.ViaFlat && (via == policy.ViaGateway || !bare) && slices.ContainsFunc(joined, func(cluster string) bool {
		other := d.Ref
		other.ClusterName = cluster
		known := slices.ContainsFunc(result.World.Meshes, func(m world.Mesh) bool { return slices.Contains(m.Clusters, cluster) })
		return cluster != d.Ref.ClusterName && (!known || result.World.Service(other) != nil)
	}) {
		codes = append(codes, reach.CodeJoinedClusters)
	}
	return codes
}
