package snapshot

import (
	"errors"

	"github.com/meshctl/meshctl/internal/clusters"
	meshdiscovery "github.com/meshctl/meshctl/internal/discovery"
)

// The kinds of problems that reading clusters meets.
const (
	// UnusableCluster is a cluster that cannot be reached, or does not let
	// meshctl in; nothing of it is in the world.
	UnusableCluster ProblemKind = "UnusableCluster"
	// UnlistedKind is a kind whose objects may not be listed, or that a cluster
	// does not have.
	UnlistedKind ProblemKind = "UnlistedKind"
	// DiscoveryNote is something that discovery left out or assumed.
	DiscoveryNote ProblemKind = "DiscoveryNote"
)

// unusableCluster returns a world with nothing but the problem that a cluster
// cannot be used, or the error that the user stopped meshctl.
func unusableCluster(cluster string, err error) (Objects, error) {
	var e *clusters.Error
	if !errors.As(err, &e) || e.Reason == clusters.ReasonCancelled {
		return Objects{}, err
	}
	return Objects{Problems: []Problem{{
		Kind: UnusableCluster, Origin: clusterOrigin(cluster), Message: e.Message(), Hint: e.Hint,
	}}}, nil
}

// unlisted is the problem that a kind could not be listed. That nothing at all
// could be listed hides input; a single kind that the user may not see is only
// worth a warning.
func unlisted(origin Origin, e *clusters.Error, everything bool) Problem {
	return Problem{Kind: UnlistedKind, Origin: origin, Message: e.Message(), Hint: e.Hint, LeftOut: everything}
}

// noted turns what discovery noted into a problem.
func noted(cluster string, n meshdiscovery.Note) Problem {
	return Problem{Kind: DiscoveryNote, Origin: clusterOrigin(cluster), Object: n.Object, Message: n.Message, Hint: n.Hint}
}
