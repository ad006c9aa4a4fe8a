package load

import (
	"errors"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
)

// unusableCluster returns a world with nothing but the problem that a cluster
// cannot be used, or the error that the user stopped meshctl.
func unusableCluster(cluster string, err error) (world.Objects, error) {
	var e *kube.Error
	if !errors.As(err, &e) || e.Reason == kube.ReasonCancelled {
		return world.Objects{}, err
	}
	return world.Objects{Problems: []world.Problem{{
		Kind: world.UnusableCluster, Origin: ClusterOrigin(cluster), Message: e.Local(), Hint: e.Hint,
	}}}, nil
}

// unlisted is the problem that a kind could not be listed. That nothing at all
// could be listed hides input, and so does a failure that leaves unknown what there
// is; a single kind that the user may not see is only worth a warning.
func unlisted(origin world.Origin, e *kube.Error, everything bool) world.Problem {
	return world.Problem{Kind: world.UnlistedKind, Origin: origin, Message: e.Message(), Hint: e.Hint, LeftOut: everything || !e.Skippable()}
}
