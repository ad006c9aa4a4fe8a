package world

import (
	"cmp"
	"fmt"
	"net/netip"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// Discovered values come from the clusters themselves and end up in principals,
// certificates, hosts and paths of other clusters. Therefore only valid names are
// used (D65, D73). Cluster names are not checked here, because they are
// chosen at registration.

// maxTrustDomain is the maximum length of a trust domain.
const maxTrustDomain = 255

// TrustDomainProblem returns why a text is not a SPIFFE trust domain, "" if it is
// one.
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

// AddressProblem returns why an address that a cluster announces must not be used
// by other clusters, "" if it may. Names are not resolved.
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

// invalidFields collects invalid values with their fields.
type invalidFields []string

func (w *invalidFields) add(field, text, reason string) {
	*w = append(*w, fmt.Sprintf("%s: %q cannot be used: %s", field, text, reason))
}

func (w *invalidFields) trustDomain(field, text string) {
	if reason := TrustDomainProblem(text); text != "" && reason != "" {
		w.add(field, text, reason)
	}
}

// namespace and subdomain allow "", which means not known.
func (w *invalidFields) namespace(field, text string) {
	if text != "" && len(validation.IsDNS1123Label(text)) > 0 {
		w.add(field, text, "it is no name of a namespace")
	}
}

func (w *invalidFields) subdomain(field, text string) {
	if text != "" && len(validation.IsDNS1123Subdomain(text)) > 0 {
		w.add(field, text, "it is no name that Kubernetes accepts")
	}
}

func invalidInMesh(spec discoveryv1.MeshSpec) (wrong invalidFields) {
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

func invalidInWorkload(w *Workload) (wrong invalidFields) {
	wrong.subdomain("the name of the controller", w.Name)
	wrong.namespace("the namespace of the controller", w.Namespace)
	wrong.subdomain("spec.kubernetes.serviceAccountName", w.ServiceAccount)
	return wrong
}

func invalidInDestination(d *Destination) (wrong invalidFields) {
	if !d.IsService() {
		return nil
	}
	wrong.subdomain("the name of the Service", d.Ref.Name)
	wrong.namespace("the namespace of the Service", d.Ref.Namespace)
	return wrong
}

// refuse records why a discovered object is not used, and reports whether it is
// refused.
func (w *World) refuse(kind, name, namespace string, origin Origin, wrong invalidFields) bool {
	if len(wrong) == 0 {
		return false
	}
	w.Problems = append(w.Problems, Problem{
		Kind: UnusableName, Origin: origin, Object: kind + "/" + cmp.Or(name, "?") + "." + namespace, Message: strings.Join(wrong, "; "),
	})
	return true
}
