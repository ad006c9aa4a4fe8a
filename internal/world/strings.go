package world

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// What discovery found was said by the clusters themselves. It becomes principals,
// certificates, hosts and paths in other clusters, so that only what can be a
// name is used (semantics D65, D73). How a cluster is called is up to whoever
// registers it.

// maxTrustDomain is how long a trust domain can be.
const maxTrustDomain = 255

// TrustDomainProblem returns why a text is no trust domain as SPIFFE has it, ""
// if it is one.
func TrustDomainProblem(text string) string {
	switch {
	case text == "":
		return "it is empty"
	case len(text) > maxTrustDomain:
		return fmt.Sprintf("it has more than %d characters", maxTrustDomain)
	case strings.ContainsFunc(text, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz0123456789.-_", r) }):
		return "it may have lower-case letters, digits, dots, dashes and underscores only"
	default:
		return ""
	}
}

// AddressProblem returns why other clusters must not be sent to an address that
// a cluster gives as its own, "" if they may. Names are not resolved.
func AddressProblem(text string) string {
	address, err := netip.ParseAddr(text)
	if err != nil {
		name := strings.ToLower(strings.TrimSuffix(text, "."))
		if name == "localhost" || strings.HasSuffix(name, ".localhost") {
			return "it is a name of whoever calls it"
		}
		return ""
	}
	address = address.Unmap()
	switch {
	case address.IsUnspecified():
		return "it is no address of anybody"
	case address.IsLoopback():
		return "it is an address of whoever calls it"
	case address.IsLinkLocalUnicast():
		return "it is an address of the caller's own network, such as that of a metadata service"
	case address.IsMulticast():
		return "it is an address of many"
	default:
		return ""
	}
}

// wrongStrings collects what cannot be used, with the field that has it.
type wrongStrings []string

func (w *wrongStrings) add(field, text, reason string) {
	*w = append(*w, fmt.Sprintf("%s: %q cannot be used: %s", field, text, reason))
}

func (w *wrongStrings) trustDomain(field, text string) {
	if reason := TrustDomainProblem(text); text != "" && reason != "" {
		w.add(field, text, reason)
	}
}

// namespace and subdomain accept "", which stands for what is not known.
func (w *wrongStrings) namespace(field, text string) {
	if text != "" && len(validation.IsDNS1123Label(text)) > 0 {
		w.add(field, text, "it is no name of a namespace")
	}
}

func (w *wrongStrings) subdomain(field, text string) {
	if text != "" && len(validation.IsDNS1123Subdomain(text)) > 0 {
		w.add(field, text, "it is no name that Kubernetes accepts")
	}
}

func wrongInMesh(spec discoveryv1.MeshSpec) (wrong wrongStrings) {
	if spec.Istio == nil {
		return nil
	}
	wrong.trustDomain("spec.istio.trustDomain", spec.Istio.TrustDomain)
	wrong.namespace("spec.istio.rootNamespace", spec.Istio.RootNamespace)
	wrong.subdomain("spec.istio.istiodServiceAccount", spec.Istio.IstiodServiceAccount)
	if i := spec.Istio.Installation; i != nil {
		wrong.namespace("spec.istio.installation.namespace", i.Namespace)
	}
	return wrong
}

func wrongInWorkload(w *Workload) (wrong wrongStrings) {
	wrong.subdomain("the name of the controller", w.Name)
	wrong.namespace("the namespace of the controller", w.Namespace)
	wrong.subdomain("spec.kubernetes.serviceAccountName", w.ServiceAccount)
	return wrong
}

func wrongInDestination(d *Destination) (wrong wrongStrings) {
	if !d.IsService() {
		return nil
	}
	wrong.subdomain("the name of the Service", d.Ref.Name)
	wrong.namespace("the namespace of the Service", d.Ref.Namespace)
	return wrong
}

// refuse notes why an object that was discovered is left out, and reports whether
// it is.
func (w *World) refuse(kind, name, namespace string, origin Origin, wrong wrongStrings) bool {
	if len(wrong) == 0 {
		return false
	}
	w.Problems = append(w.Problems, Problem{
		Kind: UnusableName, Origin: origin, Object: kind + "/" + cmp.Or(name, "?") + "." + namespace, Message: strings.Join(wrong, "; "),
	})
	return true
}
