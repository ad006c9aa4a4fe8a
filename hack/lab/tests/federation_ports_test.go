//go:build linux

package tests

import (
	"fmt"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/hack/lab/client"
)

// portCase is a request to a port of a Service of worldgen.Federated, and what
// is seen at the pod.
type portCase struct {
	service, namespace string
	request            client.Request
	port               uint16
}

// portCases has all ports of the Services: each protocol, port numbers that
// differ from those of the pods, and container ports by name.
func portCases() []portCase {
	return []portCase{
		{"desk", "bank", client.Request{Protocol: client.HTTP1, Port: 80}, 8001},
		{"desk", "bank", client.Request{Protocol: client.HTTP2, Port: 8002}, 8002},
		{"desk", "bank", client.Request{Protocol: client.GRPC, Port: 9090}, 9091},
		{"desk", "bank", client.Request{Protocol: client.TCP, Port: 7000}, 7001},
		{"web", "shop", client.Request{Protocol: client.HTTP1, Port: 80}, 8080},
	}
}

// testPorts calls every port of the Services of a cluster from another one.
func (f *federation) testPorts(t *testing.T, from, to, suffix, trustDomain string) {
	t.Helper()
	for _, c := range portCases() {
		request := c.request
		request.Host = fmt.Sprintf("%s.%s.svc.%s", c.service, c.namespace, suffix)
		want := answer{By: workload{to, c.namespace, c.service + "-v1"}, Port: c.port, Protocol: request.Protocol}
		if request.Protocol != client.TCP {
			want.Host = request.Host
			if request.Port != 80 {
				want.Host = fmt.Sprintf("%s:%d", request.Host, request.Port)
			}
			want.Peer = "spiffe://" + trustDomain + "/ns/shop/sa/web"
		}
		outcome := f.send(t, webOf(from), request)
		expect(t, fmt.Sprintf("%s to %s:%d from %s", request.Protocol, request.Host, request.Port, from), want, answerOf(&outcome),
			f.seenBy(t, webOf(from), request.Host))
	}
}

func federationPorts(t *testing.T, f *federation) {
	for from, to := range map[string]string{"east": "west", "west": "east"} {
		f.testPorts(t, from, from, "cluster.local", "cluster.local")
		f.testPorts(t, from, to, to+".global", "cluster.local")

		// The name of a container's port is another number in each version. All
		// requests go over one connection to the gateway, hence to one pod.
		request := client.Request{Protocol: client.HTTP1, Host: "stock.shop.svc." + to + ".global", Port: 8080}
		for _, o := range f.sendMany(t, webOf(from), request, 10) {
			a := answerOf(&o)
			expect(t, "the port of "+a.By.name+" in "+to, map[string]uint16{"stock-v1": 8081, "stock-v2": 8082}[a.By.name], a.Port)
			expect(t, "a call to "+request.Host+" from "+from, answer{}.Problem, a.Problem)
		}
	}
}

// injectedJob is a version of job whose pods have a proxy.
const injectedJob = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: job-v2, namespace: legacy}
spec:
  selector: {matchLabels: {app: job, version: v2}}
  template:
    metadata: {labels: {app: job, version: v2, sidecar.istio.io/inject: "true"}}
    spec:
      serviceAccountName: job
      containers: [{name: echo, image: lab/echo, ports: [{name: http, containerPort: 8080}]}]
`

// federationWithoutProxy: gateways pass requests on to pods with a proxy only.
func federationWithoutProxy(t *testing.T, f *federation) {
	local := client.Request{Protocol: client.HTTP1, Host: "job.legacy.svc.cluster.local", Port: 8080}
	far := local
	far.Host = "job.legacy.svc.east.global"

	// Without any proxy a Service belongs to no mesh and is not federated.
	outcome := f.send(t, webOf("east"), local)
	expect(t, "a call within the cluster",
		answer{By: workload{"east", "legacy", "job-v1"}, Port: 8080, Protocol: client.HTTP1, Host: local.Host + ":8080"}, answerOf(&outcome))
	outcome = f.send(t, webOf("west"), far)
	expect(t, "a call from outside", answer{Problem: "resolve"}, answerOf(&outcome))

	// With some, those get all requests.
	f.become(t, federatedWorld().With("east", injectedJob))
	for range 10 {
		outcome = f.send(t, webOf("west"), far)
		expect(t, "a call from outside to a Service that has pods with and without a proxy", answer{
			By: workload{"east", "legacy", "job-v2"}, Port: 8080, Protocol: client.HTTP1, Host: far.Host + ":8080", Peer: "spiffe://cluster.local/ns/shop/sa/web",
		}, answerOf(&outcome), f.seenBy(t, webOf("west"), far.Host))
	}

	// When they are gone nobody gets any, although the Service is still federated.
	east := f.lab.Cluster("east")
	_, err := east.Client.AppsV1().Deployments("legacy").Patch(t.Context(), "job-v2", types.StrategicMergePatchType, []byte(`{"spec": {"replicas": 0}}`), metav1.PatchOptions{})
	must(t, err)
	must(t, east.AwaitAll(t.Context()))
	f.settle(t)
	far.ID = f.id()
	outcome = f.send(t, webOf("west"), far)
	expect(t, "a call from outside to pods without a proxy", answer{Problem: "503"}, answerOf(&outcome))
	expect(t, "requests at pods without a proxy", 0, len(f.lab.SeenBy(far.ID)))
}
