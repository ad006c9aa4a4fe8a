package load

import (
	"errors"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
)

// unusableCluster returns a world whose only content is the problem that a cluster cannot be
// used. It returns an error if the user cancelled.
func unusableCluster(cluster string, err error) (world.Objects, error) {
	var e *kube.Error
	if !errors.As(err, &e) || e.Reason == kube.ReasonCancelled {
		return world.Objects{}, err
	}
	return world.Objects{Problems: []world.Problem{{
		Kind: world.UnusableCluster, Origin: ClusterOrigin(cluster), Message: e.Local(), Hint: e.Hint,
	}}}, nil
}

// unlisted returns the problem that a kind could not be listed. It hides input if nothing
// could be listed, or if the failure leaves unknown which objects exist (D71). A
// kind that the user may not read is only a warning.
func unlisted(origin world.Origin, e *kube.Error, everything bool) world.Problem {
	return world.Problem{Kind: world.UnlistedKind, Origin: origin, Message: e.Local(), Hint: e.Hint, LeftOut: everything || !e.Skippable()}
}
