package selector

import (
	"fmt"

	"github.com/meshctl/meshctl/internal/world"
)

// Identity is the identity that a workload proves with its certificate.
type Identity struct{ TrustDomain, Namespace, ServiceAccount string }

// IdentityOf returns the SPIFFE identity of a workload; false if it is in no
// Istio mesh and therefore has no known identity.
func IdentityOf(w *world.Workload) (Identity, bool) {
	if w.Mesh == nil || w.Mesh.Type != world.MeshIstio {
		return Identity{}, false
	}
	return Identity{w.Mesh.TrustDomain, w.Namespace, w.ServiceAccount}, true
}

// Principal returns the identity in Istio's form, without scheme.
func (i Identity) Principal() string {
	return fmt.Sprintf("%s/ns/%s/sa/%s", i.TrustDomain, i.Namespace, i.ServiceAccount)
}

// String returns the SPIFFE URI.
func (i Identity) String() string { return "spiffe://" + i.Principal() }

// account is a set of identities: an empty field stands for any value
// (D9).
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

// newAccount returns the accounts of a trust domain; an empty namespace or name
// means any. A name requires a namespace.
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

// DefaultTrustDomain is the trust domain of a mesh without one in its spec
// (D30).
const DefaultTrustDomain = "cluster.local"

// hasWholePrincipal reports whether the principal has all its parts. Istio reads only
// such principals as identities of several trust domains (see Reader).
func (a account) hasWholePrincipal() bool { return a.namespace != "" }

// WholeTrustDomain returns a grant for every identity of a trust domain
// (D31).
func WholeTrustDomain(trustDomain string) Grant {
	return Grant{accounts: []account{{trustDomain: trustDomain, principal: trustDomain + "/*"}}}
}
