package selector

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
)

// TrustDomains holds the trust domains of clusters, and the namespaces of known
// service accounts.
type TrustDomains struct {
	// homes holds the sorted namespaces by trust domain and account name.
	homes map[[2]string][]string

	all       []string
	byCluster map[string][]string
	clusters  map[string][]string
}

// NewTrustDomains collects the trust domains of a world.
func NewTrustDomains(w *world.World) TrustDomains {
	t := TrustDomains{byCluster: map[string][]string{}, clusters: map[string][]string{}, homes: map[[2]string][]string{}}
	for i := range w.Workloads {
		if id, known := IdentityOf(&w.Workloads[i]); known {
			home := [2]string{id.TrustDomain, id.ServiceAccount}
			t.homes[home] = append(t.homes[home], id.Namespace)
		}
	}
	for i := range w.Meshes {
		m := &w.Meshes[i]
		if m.Type != world.MeshIstio {
			continue
		}
		t.all = append(t.all, m.TrustDomain)
		t.byCluster[m.Cluster] = append(t.byCluster[m.Cluster], m.TrustDomain)
		t.clusters[m.TrustDomain] = append(t.clusters[m.TrustDomain], m.Cluster)
	}
	t.all = distinct(t.all)
	sortLists(t.homes)
	sortLists(t.byCluster)
	sortLists(t.clusters)
	return t
}

func sortLists[K comparable](lists map[K][]string) {
	for key := range lists {
		lists[key] = distinct(lists[key])
	}
}

// distinct sorts a list in place and removes duplicates.
func distinct(list []string) []string {
	slices.Sort(list)
	return slices.Compact(list)
}

// TakenFor returns other clusters whose trust domains a reader takes for those of the
// given ones (D48), sorted.
func (t TrustDomains) TakenFor(clusters []string, r Reader) []string {
	if len(r.aliases) == 0 || !slices.ContainsFunc(clusters, func(c string) bool { return slices.ContainsFunc(t.byCluster[c], r.isReplaced) }) {
		return nil
	}
	var others []string
	for _, domain := range r.Domains() {
		for _, c := range t.clusters[domain] {
			if !slices.Contains(clusters, c) {
				others = append(others, c)
			}
		}
	}
	return distinct(others)
}

// SharedWith returns other clusters that use a trust domain of the given ones, so
// that identities do not distinguish them (D30).
func (t TrustDomains) SharedWith(clusters []string) []string {
	named, seen := map[string]bool{}, map[string]bool{}
	for _, c := range clusters {
		named[c] = true
	}
	var others []string
	for _, c := range clusters {
		for _, domain := range t.byCluster[c] {
			if seen[domain] {
				continue
			}
			seen[domain] = true
			for _, other := range t.clusters[domain] {
				if !named[other] {
					others = append(others, other)
				}
			}
		}
	}
	return distinct(others)
}
