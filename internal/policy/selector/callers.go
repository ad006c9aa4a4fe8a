package selector

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
)

// Callers indexes the identities of all workloads.
type Callers struct {
	// identities also contains every identity with an empty namespace, an empty
	// service account, or both, which stand for any value.
	identities map[Identity]bool
	namespaces map[string]bool
}

// NewCallers indexes the identities of a world.
func NewCallers(w *world.World) Callers {
	c := Callers{identities: map[Identity]bool{}, namespaces: map[string]bool{}}
	for i := range w.Workloads {
		id, known := IdentityOf(&w.Workloads[i])
		if !known || c.identities[id] {
			continue
		}
		c.namespaces[id.Namespace] = true
		for _, namespace := range []string{id.Namespace, ""} {
			for _, account := range []string{id.ServiceAccount, ""} {
				c.identities[Identity{id.TrustDomain, namespace, account}] = true
			}
		}
	}
	return c
}

// AreAdmitted reports whether the grants allow any known workload.
func (c Callers) AreAdmitted(grants []Grant) bool {
	return slices.ContainsFunc(grants, func(g Grant) bool {
		return g.AnySource ||
			slices.ContainsFunc(g.Namespaces, func(n string) bool { return c.namespaces[n] }) ||
			slices.ContainsFunc(g.accounts, func(a account) bool { return c.identities[Identity{a.trustDomain, a.namespace, a.name}] })
	})
}
