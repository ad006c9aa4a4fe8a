package world

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Facts with a name that cannot be used are not known, like those that do not fit
// their schema. The object itself is used: only its facts are in doubt (D46, D73).

// usableMeshFacts returns the facts without lists of trust domains of which one is
// invalid, and why.
func usableMeshFacts(facts *discoveryv1.MeshFacts) (usable *discoveryv1.MeshFacts, wrong invalidFields) {
	if facts == nil {
		return nil, nil
	}
	changed := *facts
	trustDomains := func(field string, domains []string) []string {
		for _, domain := range domains {
			if reason := TrustDomainProblem(domain); reason != "" {
				wrong.add(field, domain, reason)
				return nil
			}
		}
		return domains
	}
	changed.TrustDomainAliases = trustDomains("spec.meshctl.trustDomainAliases", facts.TrustDomainAliases)
	changed.CACertificateTrustDomains = trustDomains("spec.meshctl.caCertificateTrustDomains", facts.CACertificateTrustDomains)
	if len(wrong) == 0 {
		return facts, nil
	}
	return &changed, wrong
}

// usableDestinationFacts returns the facts without service accounts of which one is
// invalid, and why.
func usableDestinationFacts(facts *discoveryv1.DestinationFacts) (usable *discoveryv1.DestinationFacts, wrong invalidFields) {
	if facts == nil {
		return nil, nil
	}
	for _, name := range facts.ServiceAccounts {
		if len(validation.IsDNS1123Subdomain(name)) > 0 {
			wrong.add("spec.meshctl.serviceAccounts", name, "it is no name that Kubernetes accepts")
			changed := *facts
			changed.ServiceAccounts = nil
			return &changed, wrong
		}
	}
	return facts, nil
}

// ignoreFacts records which facts of an object are not used.
func (w *World) ignoreFacts(kind, name, namespace string, origin Origin, wrong invalidFields) {
	for _, message := range wrong {
		w.Problems = append(w.Problems, Problem{
			Kind: IgnoredFact, Origin: origin, Object: fmt.Sprintf("%s/%s.%s", kind, name, namespace), Message: "a fact is ignored: " + message,
			Hint: "the fact counts as not known; check the cluster, then run 'meshctl discover' to write it anew",
		})
	}
}
