package check

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// clusterLabel holds the cluster of a discovered object.
const clusterLabel = "cluster.discovery.mesh.gloo.solo.io"

// drift is the difference between the stored objects of a cluster and those
// discovered now. Each list is sorted.
type drift struct {
	// added exists in the cluster only, removed is stored only, changed differs;
	// as KIND/NAME.
	added, removed, changed []string
	// count is the number of discovered objects.
	count int
}

func (d *drift) none() bool { return len(d.added)+len(d.removed)+len(d.changed) == 0 }

func (d *drift) discoveredText() string { return text.Count(d.count, "object") }

// shownNames limits the objects that a message names.
const shownNames = 3

// String names the differences.
func (d *drift) String() string {
	var parts []string
	for _, part := range []struct {
		names []string
		text  string
	}{{d.added, "not recorded"}, {d.removed, "recorded but no longer running"}, {d.changed, "recorded differently"}} {
		if len(part.names) == 0 {
			continue
		}
		parts = append(parts, part.text+": "+text.Bounded(part.names, shownNames))
	}
	return strings.Join(parts, "; ")
}

// compareDiscovered compares the stored objects of a cluster with those
// discovered now. Objects that span several clusters are ignored: they have no
// cluster label, and a single cluster does not know all of them.
func compareDiscovered(stored world.Objects, m *MemberFacts) *drift {
	d := &drift{}
	now := m.Discovered.Output
	compareKind(d, "Mesh", m.Cluster, stored.Meshes, now.Meshes,
		func(r *discoveryv1.Mesh) (*metav1.ObjectMeta, any) { return &r.ObjectMeta, r.Spec })
	compareKind(d, "Workload", m.Cluster, stored.Workloads, now.Workloads,
		func(r *discoveryv1.Workload) (*metav1.ObjectMeta, any) { return &r.ObjectMeta, r.Spec })
	compareKind(d, "Destination", m.Cluster, stored.Destinations, now.Destinations,
		func(r *discoveryv1.Destination) (*metav1.ObjectMeta, any) { return &r.ObjectMeta, r.Spec })
	for _, list := range [][]string{d.added, d.removed, d.changed} {
		slices.Sort(list)
	}
	return d
}

func compareKind[T any](d *drift, kind, cluster string, stored []world.Object[T], now []T, parts func(*T) (*metav1.ObjectMeta, any)) {
	recorded := map[string][]byte{}
	for i := range stored {
		if meta, spec := parts(stored[i].Resource); meta.Labels[clusterLabel] == cluster {
			recorded[meta.Name] = encoded(spec)
		}
	}
	for i := range now {
		meta, spec := parts(&now[i])
		if meta.Labels[clusterLabel] != cluster {
			continue
		}
		d.count++
		was, known := recorded[meta.Name]
		delete(recorded, meta.Name)
		switch {
		case !known:
			d.added = append(d.added, kind+"/"+meta.Name)
		case !bytes.Equal(was, encoded(spec)):
			d.changed = append(d.changed, kind+"/"+meta.Name)
		}
	}
	for name := range recorded {
		d.removed = append(d.removed, kind+"/"+name)
	}
}

// encoded returns a comparable form of a spec in which absent and empty fields
// are equal.
func encoded(spec any) []byte {
	text, err := json.Marshal(spec)
	if err != nil {
		return []byte(err.Error()) // never happens: API types can always be encoded
	}
	return text
}
