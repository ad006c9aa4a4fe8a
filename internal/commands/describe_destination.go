package commands

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func destinationNoun() describeNoun {
	return describeNoun{
		objectKind: destinationKind(), aliases: []string{"destinations"},
		short: "Show who may call destinations, what happens to requests and who is behind them",
		long: dedent(`
			Show who may call destinations, what happens to requests and who is behind them.

			Without a name, print one line per destination. A name is that of the Service:
			NAME, NAME.NAMESPACE or NAME.NAMESPACE.CLUSTER; it gives the full description,
			with the requests of every cluster that can call the destination.`),
		example: dedent(`
			# every destination, one line each
			meshctl describe destination -f manifests -R

			# who may call reviews in the east, and what happens to their requests
			meshctl describe destination reviews.bookinfo.east -f manifests -R

			# the status that the discovered resource would get
			meshctl describe destination reviews.bookinfo.east -f manifests -R --status -o yaml`),
		answer: func(result *policy.Result, positions []int, detail queryDetail) describe.Answer {
			return describe.Destinations(result, at(result.World.DestinationPointers(), positions), describe.Options{Details: detail.full})
		},
		status: describe.StatusDestination,
	}
}

// at returns the objects at the positions.
func at[T any](objects []T, positions []int) []T {
	chosen := make([]T, 0, len(positions))
	for _, i := range positions {
		chosen = append(chosen, objects[i])
	}
	return chosen
}
