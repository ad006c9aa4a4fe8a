package remark_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/policy/remark"
	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

func TestAboutNames(t *testing.T) {
	t.Parallel()
	const (
		unresolved = `hostnames with the suffix "global" of VirtualMesh prod.mesh do not resolve`
		setInMesh  = `set ISTIO_META_DNS_CAPTURE: "true" in meshConfig.defaultConfig.proxyMetadata of Istio in cluster east, and restart the workloads`
		setInPods  = `set ISTIO_META_DNS_CAPTURE: "true" in proxyMetadata of their annotation proxy.istio.io/config or remove it there, and restart the workloads`
		rediscover = `; if it is set, run 'meshctl discover' with this version to record it`
	)
	capturing := &discoveryv1.WorkloadFacts{DNSCapture: new(true)}
	not := &discoveryv1.WorkloadFacts{DNSCapture: new(false)}
	ambient := &discoveryv1.WorkloadFacts{Ambient: new(true), Proxy: discoveryv1.PresenceNone}
	gateway := &discoveryv1.WorkloadFacts{ProxyType: discoveryv1.ProxyGateway}
	tests := []struct {
		name          string
		mesh          *discoveryv1.MeshFacts
		version       string
		workloads     []*discoveryv1.WorkloadFacts
		message, hint string
	}{
		{name: "captured", mesh: &discoveryv1.MeshFacts{DNSCapture: new(true)}, workloads: []*discoveryv1.WorkloadFacts{nil, capturing}},
		{
			name: "not known", workloads: []*discoveryv1.WorkloadFacts{nil},
			message: "its proxies are not known to capture DNS requests, without which " + unresolved, hint: setInMesh + rediscover,
		},
		{
			name: "not captured, without workloads", mesh: &discoveryv1.MeshFacts{DNSCapture: new(false)},
			message: "its proxies do not capture DNS requests, so that " + unresolved, hint: setInMesh,
		},
		{
			name: "by some workloads only", mesh: &discoveryv1.MeshFacts{DNSCapture: new(false)}, workloads: []*discoveryv1.WorkloadFacts{capturing, nil, capturing},
			message: "its proxies do not capture DNS requests, so that " + unresolved + " in w1.shop; 2 other workloads capture them anyway", hint: setInMesh,
		},
		{name: "by all workloads themselves", mesh: &discoveryv1.MeshFacts{DNSCapture: new(false)}, workloads: []*discoveryv1.WorkloadFacts{capturing}},
		{
			name: "switched off by workloads", mesh: &discoveryv1.MeshFacts{DNSCapture: new(true)}, workloads: []*discoveryv1.WorkloadFacts{not, nil},
			message: "DNS requests of w0.shop are not captured, so that " + unresolved + " there", hint: setInPods,
		},
		{name: "gateways need no names", mesh: &discoveryv1.MeshFacts{DNSCapture: new(true)}, workloads: []*discoveryv1.WorkloadFacts{gateway}},
		{name: "ambient", mesh: &discoveryv1.MeshFacts{DNSCapture: new(false)}, version: "1.25.0", workloads: []*discoveryv1.WorkloadFacts{ambient}},
		{
			name: "ambient before 1.25", mesh: &discoveryv1.MeshFacts{DNSCapture: new(false)}, version: "1.24.3", workloads: []*discoveryv1.WorkloadFacts{ambient},
			message: "its proxies do not capture DNS requests, so that " + unresolved, hint: setInMesh,
		},
	}
	for _, test := range tests {
		mesh := &world.Mesh{
			Type: world.MeshIstio, Version: test.version, Cluster: "east", Facts: test.mesh,
			Resource: &discoveryv1.Mesh{Spec: discoveryv1.MeshSpec{Istio: &discoveryv1.IstioMesh{}}},
		}
		var workloads []*world.Workload
		for i, facts := range test.workloads {
			workloads = append(workloads, &world.Workload{Name: "w" + string(rune('0'+i)), Namespace: "shop", Mesh: mesh, Facts: facts})
		}
		found, reported := remark.AboutNames(mesh, remark.Names{VirtualMesh: "prod.mesh", Suffix: "global"}, workloads)
		if reported != (test.message != "") {
			t.Errorf("%s: reported: %t", test.name, reported)
		}
		if diff := cmp.Diff([]string{test.message, test.hint}, []string{found.Message, found.Hint}); diff != "" {
			t.Errorf("%s (-want +got)\n%s", test.name, diff)
		}
	}
}
