package selector

import (
	"slices"

	"github.com/meshctl/meshctl/internal/world"
)

// Reader is a mesh that evaluates grants. Istio reads a principal of the mesh's own
// trust domain or of one of its aliases, or of the default trust domain, as that
// identity in each of the mesh's own trust domain and its aliases (D30, D48).
type Reader struct {
	// own is the mesh's trust domain; "" if it reads principals as they are written.
	own     string
	aliases []string
}

// NewReader returns a mesh as reader; nil stands for one that is not known.
func NewReader(m *world.Mesh) Reader {
	if m == nil || m.Type != world.MeshIstio {
		return Reader{}
	}
	aliases, _ := m.TrustDomainAliases()
	return Reader{m.TrustDomain, aliases}
}

// Domains returns the reader's own trust domain and its aliases; none if the reader
// reads principals as they are written.
func (r Reader) Domains() []string {
	if r.own == "" {
		return nil
	}
	return append([]string{r.own}, r.aliases...)
}

// Includes reports whether the reader takes a trust domain for its own.
func (r Reader) Includes(domain string) bool {
	return r.own != "" && domain == r.own || slices.Contains(r.aliases, domain)
}

// ReadsDifferently reports whether the reader reads principals of a trust domain as
// others than those that are written.
func (r Reader) ReadsDifferently(domain string) bool {
	return r.isReplaced(domain) && (domain != r.own || len(r.aliases) > 0)
}

// isReplaced reports whether the reader's trust domains stand for a written one.
func (r Reader) isReplaced(domain string) bool {
	return r.own != "" && domain == DefaultTrustDomain || r.Includes(domain)
}

// SpecificDomains returns the trust domains of accounts that Readers may read
// differently, sorted.
func SpecificDomains(grants []Grant) []string {
	var domains []string
	for _, g := range grants {
		for _, a := range g.accounts {
			if a.hasWholePrincipal() {
				domains = append(domains, a.trustDomain)
			}
		}
	}
	return distinct(domains)
}

// ReadBy returns grants as a mesh reads them. Their Principals are unchanged.
func ReadBy(r Reader, grants []Grant) []Grant {
	read, domains := slices.Clone(grants), r.Domains()
	for i := range read {
		accounts := make([]account, 0, len(read[i].accounts))
		for _, a := range read[i].accounts {
			if !a.hasWholePrincipal() || !r.isReplaced(a.trustDomain) {
				accounts = append(accounts, a)
				continue
			}
			for _, domain := range domains {
				a.trustDomain = domain
				accounts = append(accounts, a)
			}
		}
		read[i].setAccounts(accounts)
	}
	return read
}
