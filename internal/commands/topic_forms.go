package commands

import (
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// formsTopic describes the values of flags that have several parts.
func formsTopic() topic {
	return topic{
		name:  "flag-forms",
		short: "Syntax of names, selectors, shifts and request matches in flags",
		text: cmdutil.Dedent(`
			Syntax of structured flag values; docs/flags.md has the full grammar.

			NAMES
			    NAME.NAMESPACE.CLUSTER   a Service: reviews.bookinfo.east
			    NAME.NAMESPACE           a mesh, a Secret: istiod-istio-system-east.gloo-mesh
			    A shorter name is enough if it is unambiguous. If names contain dots, separate
			    the parts with slashes: NAME/NAMESPACE/CLUSTER.

			TERMS: KEY=VALUE,KEY=VALUE
			    All terms of one value must match; repeat a flag for alternatives.
			    Put a value with a comma or a quote in double quotes.

			    --source                 namespace=NAME, cluster=NAME, label:KEY=VALUE, or all;
			                             of an access policy: service-account=NAME.NAMESPACE,
			                             namespace=, cluster=, request-principal=, ip=, or any
			    --destination-selector   namespace=NAME, cluster=NAME, label:KEY=VALUE, or all
			    --match                  exact=, prefix=, suffix= or regex= for the path,
			                             ignore-case, method=, header:NAME, header:NAME=VALUE,
			                             header:NAME~REGEX, !header:NAME, query:NAME=VALUE
			    --federate               everything, nothing, or the terms of
			                             --destination-selector; and to=MESH
			    --gateway                the terms of --destination-selector, and port-name= or
			                             address=HOST:PORT
			    --keepalive              probes=NUMBER, time=DURATION, interval=DURATION

			SHIFTS: NAME.NAMESPACE.CLUSTER[:PORT][@KEY=VALUE,...][=WEIGHT]
			    reviews.bookinfo.east:9080@version=v2=75 sends 75 percent of the requests to the
			    pods of reviews with the label version=v2. Several weights add up to 100.

			DURATIONS
			    150ms, 10s, 1m30s, 2h`),
	}
}
