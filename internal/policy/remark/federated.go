package remark

import (
	"fmt"
	"slices"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/policy/finding"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// AboutFederated returns remarks about a Destination that is federated to other
// clusters, through the given gateways if there are any (D62).
func AboutFederated(d *world.Destination, gateways []*world.Destination) []finding.Problem {
	var r remarks
	if has, known := d.HasEndpoints(); !has || !known && len(d.Backing) == 0 {
		r.add(finding.CodeFederatedNobody, "the Destination is federated, but has no known pods or workloads")
	}
	if headless, _ := d.IsHeadless(); headless {
		r.add(finding.CodeFederatedHeadless, "the headless Service is federated under one hostname, whose calls go to any of its pods; other clusters cannot address single pods")
	}
	for _, gateway := range gateways {
		if visible, _ := d.IsVisibleIn(gateway.Ref.Namespace); !visible {
			r.add(finding.CodeHiddenFromGateway, "the Service is not visible in namespace %s of gateway %s, so that calls from other clusters fail", gateway.Ref.Namespace, gateway.Key())
		}
	}
	return r
}

// AboutJoined returns a remark about a mesh that Istio itself joins with other
// clusters.
func AboutJoined(m *world.Mesh) []finding.Problem {
	var r remarks
	if clusters, _ := m.RemoteClusters(); len(clusters) > 0 {
		sorted := slices.Clone(clusters)
		slices.Sort(sorted)
		r.add(finding.CodeJoinedClusters, "Istio itself joins the mesh with %s, so that the names of its Services span them", text.Bounded(sorted, listedClusters))
	}
	return r
}

// listedClusters limits the clusters that a message names.
const listedClusters = 5

// AboutFlatNetwork returns a remark about a VirtualMesh that federates Destinations by
// the addresses of their pods (D61).
func AboutFlatNetwork(f *networkingv1.Federation, federates bool) []finding.Problem {
	var r remarks
	if f.FlatNetwork && federates {
		r.add(finding.CodeFlatAddresses, "spec.federation.flatNetwork uses the addresses of pods, which are only as fresh as discovery, unless the controller runs")
	}
	return r
}

// Names are hostnames that are federated to a mesh.
type Names struct {
	// VirtualMesh and Suffix are those of the hostnames.
	VirtualMesh, Suffix string
}

// AboutNames returns a finding if workloads of a mesh cannot resolve federated
// hostnames (D62).
func AboutNames(m *world.Mesh, names Names, workloads []*world.Workload) (found finding.Finding, unresolved bool) {
	captures, known := m.CapturesDNS()
	var lacking []string
	others := 0
	for _, w := range workloads {
		if gateway, _ := w.IsGateway(); gateway {
			continue
		}
		if resolves, _ := w.ResolvesFederatedNames(); resolves {
			others++
		} else {
			lacking = append(lacking, w.Name+"."+w.Namespace)
		}
	}
	if len(lacking) == 0 && (captures || others > 0) {
		return finding.Finding{}, false
	}
	slices.Sort(lacking)
	what := fmt.Sprintf("hostnames with the suffix %q of VirtualMesh %s do not resolve", names.Suffix, names.VirtualMesh)
	hint := fmt.Sprintf("set ISTIO_META_DNS_CAPTURE: \"true\" in meshConfig.defaultConfig.proxyMetadata of Istio in cluster %s, and restart the workloads", m.Cluster)
	var message string
	switch {
	case captures:
		message = fmt.Sprintf("DNS requests of %s are not captured, so that %s there", text.Bounded(lacking, listedWorkloads), what)
		hint = "set ISTIO_META_DNS_CAPTURE: \"true\" in proxyMetadata of their annotation proxy.istio.io/config or remove it there, and restart the workloads"
	case known:
		message = "its proxies do not capture DNS requests, so that " + what
	default:
		message = "its proxies are not known to capture DNS requests, without which " + what
		hint += "; if it is set, run 'meshctl discover' with this version to record it"
	}
	if !captures && others > 0 {
		message += fmt.Sprintf(" in %s; %s %s them anyway", text.Bounded(lacking, listedWorkloads), text.Count(others, "other workload"), text.Choose(others, "captures", "capture"))
	}
	return finding.New(finding.CodeSuffixNeedsDNS, world.MeshID(m), message).Override("", hint).Listing(what), true
}

// listedWorkloads limits the workloads that a message names.
const listedWorkloads = 3
