package describe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/world"
)

// WrittenDescription describes whether the clusters have the configuration of an
// object, as recorded in its status. States of objects follow from the input
// alone; this is about what was applied.
type WrittenDescription struct {
	// State is UNKNOWN for manifests, which have no status; NO if the object was
	// never applied; OUTDATED if an earlier version was; PARTLY if some clusters
	// lack a part of it; YES otherwise.
	State policy.WrittenState `json:"state"`
	// Clusters have all of the configuration, FailedClusters do not.
	Clusters       []string `json:"clusters,omitempty"`
	FailedClusters []string `json:"failedClusters,omitempty"`
}

func describeWritten(w policy.Written) WrittenDescription {
	return WrittenDescription{State: w.State, Clusters: w.Clusters, FailedClusters: w.Failed}
}

// unwritten returns the objects that affect a workload and whose present version
// is not applied to all clusters, without duplicates.
func (b *workloadBuilder) unwritten(w *world.Workload, effects []*policy.Effect) []string {
	var names []string
	note := func(id world.ObjectID, written policy.Written) {
		if written.State != policy.WrittenYes && written.State != policy.WrittenUnknown && !slices.Contains(names, id.String()) {
			names = append(names, id.String())
		}
	}
	if w.Mesh != nil {
		if vm := b.result.Meshes[w.Mesh.ID].VirtualMesh; vm != nil {
			note(vm.ID(), vm.Written())
		}
	}
	for _, e := range effects {
		meta := b.result.Meta(e.Policy)
		note(world.ObjectID{Kind: string(e.Policy.Kind), Namespace: meta.Namespace, Name: meta.Name}, b.result.PolicyWritten(e.Policy))
	}
	return names
}

// cell returns the text for a table.
func (w WrittenDescription) cell() string {
	switch w.State {
	case policy.WrittenUnknown:
		return view.Unknown
	case policy.WrittenNo:
		return "no"
	case policy.WrittenOutdated:
		return "outdated"
	case policy.WrittenPartly:
		if len(w.FailedClusters) > 0 {
			return fmt.Sprintf("%d/%d", len(w.Clusters), len(w.Clusters)+len(w.FailedClusters))
		}
		return "partly"
	case policy.WrittenYes:
		return "yes"
	default:
		return string(w.State)
	}
}

// noteWritten adds what WRITTEN does not say: an object that someone deleted or
// changed in a cluster by hand is still written.
func noteWritten(table *view.Table) {
	for i := range table.Columns {
		written := func(row []string) bool { return row[i] == "yes" }
		if c := &table.Columns[i]; c.Name == "WRITTEN" && slices.ContainsFunc(table.Rows, written) {
			c.Note = "WRITTEN is what meshctl wrote last; 'meshctl check' compares it with the clusters"
		}
	}
}

// field returns the text for a description: the cell and the next step.
func (w WrittenDescription) field() view.Field {
	const apply = "; run 'meshctl apply'"
	words := ""
	switch w.State {
	case policy.WrittenUnknown:
		words = view.Unknown + " (manifests do not record it)"
	case policy.WrittenNo:
		words = "no" + apply
	case policy.WrittenOutdated:
		words = "an earlier version" + apply
	case policy.WrittenPartly:
		words = "partly"
		if len(w.FailedClusters) > 0 {
			words = "not completely on " + strings.Join(w.FailedClusters, ", ")
		}
		words += apply
	case policy.WrittenYes:
		words = "yes"
		if len(w.Clusters) > 0 {
			words = "to " + text.Count(len(w.Clusters), "cluster")
		}
	}
	return view.Field{Key: "Written", Value: words}
}

// writtenTone returns the tone of a cell.
func writtenTone(cell string) view.Tone {
	if cell == "yes" || cell == view.Unknown {
		return view.Plain
	}
	return view.Warning
}

// shownState returns the readable word for a state. A policy that is effective
// according to the input may not be applied to clusters, so people do not see the
// word APPLIED; documents keep it.
func shownState(state string) string {
	if state == string(policy.StateApplied) {
		return "EFFECTIVE"
	}
	return state
}
