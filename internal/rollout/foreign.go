package rollout

import (
	"context"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/render/istio"
)

// foreignGateways are the east-west Gateways of other owners, in the clusters that receive
// requests from other clusters.
type foreignGateways struct {
	byCluster map[string][]istio.ForeignGateway
	// unlisted are the clusters whose Gateways could not be listed, and why.
	unlisted map[string]error
}

// findForeignGateways lists the Gateways of the selected clusters with an east-west gateway: a
// host that someone else's Gateway already forwards must not be forwarded twice.
func (p *Plan) findForeignGateways(ctx context.Context, connections map[string]*kube.Connection) foreignGateways {
	found := foreignGateways{byCluster: map[string][]istio.ForeignGateway{}, unlisted: map[string]error{}}
	asked := map[string]*kube.Connection{}
	for i := range p.Result.Meshes {
		for _, gateway := range p.Result.Meshes[i].Gateways {
			cluster := p.Result.World.Destinations[gateway.Destination].Ref.ClusterName
			if c := connections[cluster]; c != nil && p.opts.selects(cluster) {
				asked[cluster] = c
			}
		}
	}
	type answer struct {
		cluster  string
		gateways []istio.ForeignGateway
		err      error
	}
	all := slices.SortedFunc(maps.Values(asked), func(x, y *kube.Connection) int { return strings.Compare(x.Name, y.Name) })
	for _, answer := range kube.Each(all, func(c *kube.Connection) answer {
		gateways, err := p.listForeignGateways(ctx, c)
		return answer{c.Name, gateways, err}
	}) {
		if answer.err != nil {
			found.unlisted[answer.cluster] = answer.err
		}
		found.byCluster[answer.cluster] = answer.gateways
	}
	return found
}

func (p *Plan) listForeignGateways(ctx context.Context, c *kube.Connection) ([]istio.ForeignGateway, error) {
	owner := istio.OwnerLabels(p.opts.Namespace, c.Name)
	var gateways []istio.ForeignGateway
	failed, err := kube.Ask(ctx, c, p.opts.Deadline, func(ctx context.Context) error {
		resource, err := c.Resource(ctx, istio.KindGateway.GVK())
		if err != nil {
			return err
		}
		all, err := kube.List(ctx, c, resource.GroupVersionResource, kube.ListOptions{}, func(u *unstructured.Unstructured) *istio.ForeignGateway {
			if kube.IsOwned(u, owner) {
				return nil
			}
			gateway, passes := istio.ReadForeignGateway(u.GetNamespace(), u.GetName(), specOf(u))
			if !passes {
				return nil
			}
			return &gateway
		})
		for _, gateway := range all {
			if gateway != nil {
				gateways = append(gateways, *gateway)
			}
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for _, failure := range failed {
		// If the kind does not exist, there are no foreign Gateways either.
		if failure != nil && failure.Reason != kube.ReasonNoSuchKind {
			return nil, failure
		}
	}
	return gateways, nil
}
