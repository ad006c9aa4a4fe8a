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

// WrittenDescription says whether the clusters have what an object asks for, as
// its status records it. States of objects are about what follows from the input;
// this is about what was applied.
type WrittenDescription struct {
	// State is UNKNOWN for manifests, which have no status; NO if the object was never
	// applied; OUTDATED if an earlier version of it was; PARTLY if some clusters do not
	// have all of it; YES otherwise.
	State policy.WrittenState `json:"state"`
	// Clusters have all of it, FailedClusters do not.
	Clusters       []string `json:"clusters,omitempty"`
	FailedClusters []string `json:"failedClusters,omitempty"`
}

func describeWritten(w policy.Written) WrittenDescription {
	return WrittenDescription{State: w.State, Clusters: w.Clusters, FailedClusters: w.Failed}
}

// unwritten names what concerns a workload and was not applied to all clusters as it
// is, each object once.
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

// cell is what a table shows.
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

// field is what a description shows: the cell, and what to do about it.
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

// writtenTone returns the tone of a cell about what was written.
func writtenTone(cell string) view.Tone {
	if cell == "yes" || cell == view.Unknown {
		return view.Plain
	}
	return view.Warning
}

// shownState is the word for people of a state: a policy is effective according to
// the input, which does not mean that it was applied to clusters. Documents have
// kept the older word.
func shownState(state string) string {
	if state == string(policy.StateApplied) {
		return "EFFECTIVE"
	}
	return state
}
