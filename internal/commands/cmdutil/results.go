package cmdutil

import (
	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// resultList is the JSON and YAML document of the commands that install and register: the
// outcome of each written object.
type resultList struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// DryRun is none or server.
	DryRun string          `json:"dryRun"`
	Items  []writtenObject `json:"items"`
}

// writtenObject is the outcome of one object.
type writtenObject struct {
	Cluster    string `json:"cluster"`
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace,omitempty"`
	Name       string `json:"name"`
	Outcome    string `json:"outcome"`
}

// ResultVersion is the API version of the document printed by install and by the commands that
// register.
const ResultVersion = "registration.meshctl.io/v1alpha1"

// PrintResults prints the outcomes of objects in the style of kubectl. It returns the error of
// printing.
func PrintResults(streams *cli.Streams, format output.Format, dryRun kube.DryRun, results []kube.Result) error {
	return output.Print(streams, format, resultsView(dryRun, results))
}

func resultsView(dryRun kube.DryRun, results []kube.Result) view.View {
	return view.View{
		Document: func() (any, error) { return newResultList(dryRun, results), nil },
		Text: view.Lines(func(t *view.Text) {
			note := ""
			if dryRun == kube.DryRunServer {
				note = " (server dry run)"
			}
			for _, r := range results {
				t.Linef("%s %s on %s%s", ObjectName(r.GVK.GroupKind(), r.Name), r.Outcome, r.Cluster, note)
			}
		}),
		Names: view.NameEach(results, func(r *kube.Result) string { return ObjectName(r.GVK.GroupKind(), r.Name) }),
	}
}

func newResultList(dryRun kube.DryRun, results []kube.Result) resultList {
	list := resultList{APIVersion: ResultVersion, Kind: "ResultList", DryRun: "none", Items: []writtenObject{}}
	if dryRun != kube.DryRunNone {
		list.DryRun = string(dryRun)
	}
	for _, r := range results {
		list.Items = append(list.Items, writtenObject{
			Cluster: r.Cluster, APIVersion: r.GVK.GroupVersion().String(), Kind: r.GVK.Kind,
			Namespace: r.Namespace, Name: r.Name, Outcome: string(r.Outcome),
		})
	}
	return list
}
