package describe

import (
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
)

func destinationNoun() describeNoun {
	return describeNoun{
		ObjectKind: cmdutil.DestinationKind(), aliases: []string{"destinations"},
		short: "Show who may call destinations, and which settings and workloads serve requests",
		long: cmdutil.Dedent(`
			Show who may call destinations, which settings apply to requests, and which
			workloads serve them.

			Without a name, print one line per destination. With names of Services (NAME,
			NAME.NAMESPACE or NAME.NAMESPACE.CLUSTER), describe these destinations in full,
			with the requests from every cluster that can call them.`),
		example: cmdutil.Dedent(`
			# list all destinations
			meshctl describe destination -f manifests -R

			# show who may call reviews in cluster east, and the settings of these requests
			meshctl describe destination reviews.bookinfo.east -f manifests -R

			# print the status of a destination
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
