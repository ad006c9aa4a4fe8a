package selector

import (
	"fmt"

	"github.com/meshctl/meshctl/internal/world"
)

// Identity is what a workload proves to be with its certificate.
type Identity struct{ TrustDomain, Namespace, ServiceAccount string }

// IdentityOf returns the SPIFFE identity of a workload; false if it belongs to
// no Istio mesh and so has none that could be recognised.
func IdentityOf(w *world.Workload) (Identity, bool) {
	if w.Mesh == nil || w.Mesh.Type != world.MeshIstio {
		return Identity{}, false
	}
	return Identity{w.Mesh.TrustDomain, w.Namespace, w.ServiceAccount}, true
}

// Principal returns the identity in the form Istio compares, without scheme.
func (i Identity) Principal() string {
	return fmt.Sprintf("%s/ns/%s/sa/%s", i.TrustDomain, i.Namespace, i.ServiceAccount)
}

// String returns the SPIFFE URI.
func (i Identity) String() string { return "spiffe://" + i.Principal() }

// account is a set of identities: an empty field stands for any value
// (semantics D9).
type account struct {
	trustDomain, namespace, name string
	// principal is the set as an Istio principal pattern.
	principal string
}

func (a account) includes(id Identity) bool {
	return a.trustDomain == id.TrustDomain &&
		(a.namespace == "" || a.namespace == id.Namespace) &&
		(a.name == "" || a.name == id.ServiceAccount)
}

// newAccount returns the accounts of a trust domain in a namespace, or in any
// if that is empty, with a name, or with any if that is empty; a name needs a
// namespace.
func newAccount(trustDomain, namespace, name string) account {
	a := account{trustDomain: trustDomain, namespace: namespace, name: name}
	switch {
	case namespace == "" && name == "":
		a.principal = trustDomain + "/ns/*"
	case name == "":
		a.principal = trustDomain + "/ns/" + namespace + "/sa/*"
	default:
		a.principal = Identity{trustDomain, namespace, name}.Principal()
	}
	return a
}

// DefaultTrustDomain is that of a mesh which names none (semantics D30).
const DefaultTrustDomain = "cluster.local"

// IsAmbiguous reports whether Istio takes the account for one of the trust
// domain of whichever mesh reads it. It does so with the default trust domain,
// where a principal names a namespace and an account.
func (a account) isAmbiguous() bool { return a.trustDomain == DefaultTrustDomain && a.namespace != "" }

// WholeTrustDomain admits every identity of a trust domain (semantics D31).
func WholeTrustDomain(trustDomain string) Grant {
	return Grant{accounts: []account{{trustDomain: trustDomain, principal: trustDomain + "/*"}}}
}
