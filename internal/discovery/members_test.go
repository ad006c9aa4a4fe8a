package discovery_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/discovery"
)

// twoRevisions is a cluster with two istiods and pods of all sorts.
const twoRevisions = `
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data: {mesh: "{}"}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod, namespace: istio-system}
spec: {template: {spec: {containers: [{name: discovery, image: "istio/pilot:1.31.1"}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: istiod-canary, namespace: istio-system, labels: {istio.io/rev: canary}}
spec: {template: {spec: {containers: [{name: discovery, image: "istio/pilot:1.31.1"}]}}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: web, namespace: shop}
---
apiVersion: apps/v1
kind: ReplicaSet
metadata: {name: web-1, namespace: shop, ownerReferences: [{kind: Deployment, name: web, apiVersion: apps/v1, uid: a, controller: true}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-1-a, namespace: shop, ownerReferences: [{kind: ReplicaSet, name: web-1, apiVersion: apps/v1, uid: a, controller: true}]}
spec: {containers: [{name: app, image: app}, {name: istio-proxy, image: istio/proxyv2, args: [proxy, sidecar]}]}
---
apiVersion: v1
kind: Pod
metadata: {name: web-1-b, namespace: shop, ownerReferences: [{kind: ReplicaSet, name: web-1, apiVersion: apps/v1, uid: a, controller: true}]}
spec: {containers: [{name: app, image: app}]}
---
apiVersion: v1
kind: Pod
metadata: {name: canary, namespace: shop, labels: {istio.io/rev: canary}}
spec: {containers: [{name: app, image: app}, {name: istio-proxy, image: istio/proxyv2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: report, namespace: shop, ownerReferences: [{kind: Job, name: report, apiVersion: batch/v1, uid: a, controller: true}]}
spec: {containers: [{name: app, image: app}, {name: istio-proxy, image: istio/proxyv2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: edge, namespace: shop, ownerReferences: [{kind: Rollout, name: edge, apiVersion: argoproj.io/v1alpha1, uid: a, controller: true}]}
spec: {containers: [{name: edge, image: istio/proxyv2, args: [proxy, router]}, {name: helper, image: helper}]}
---
apiVersion: v1
kind: Pod
metadata: {name: alone, namespace: shop}
spec: {containers: [{name: istio-proxy, image: istio/proxyv2}]}
---
apiVersion: v1
kind: Pod
metadata: {name: labelled, namespace: shop, labels: {istio: ingressgateway}}
spec: {containers: [{name: istio-proxy, image: istio/proxyv2}, {name: helper, image: helper}]}
---
apiVersion: v1
kind: Pod
metadata: {name: none, namespace: shop}
spec: {containers: [{name: app, image: app}]}
`

func TestMembers(t *testing.T) {
	t.Parallel()
	in := mustRead(t, twoRevisions)
	want := `istiod-canary-istio-system-east.gloo-mesh: Deployment istio-system/istiod-canary
  canary of //
istiod-istio-system-east.gloo-mesh: Deployment istio-system/istiod
  alone of // gateway
  edge of Rollout.argoproj.io/shop/edge gateway
  labelled of // gateway
  report of Job.batch/shop/report
  web-1-a of Deployment/shop/web
`
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		var got strings.Builder
		for _, m := range discovery.Members(in) {
			fmt.Fprintf(&got, "%s.%s: %s %s/%s\n", m.Mesh.Name, m.Mesh.Namespace, m.ControlPlane.Kind, m.ControlPlane.Namespace, m.ControlPlane.Name)
			for _, pod := range m.Pods {
				fmt.Fprintf(&got, "  %s of %s/%s/%s", pod.Name, pod.Owner.Kind, pod.Owner.Namespace, pod.Owner.Name)
				if pod.Gateway {
					got.WriteString(" gateway")
				}
				got.WriteString("\n")
			}
		}
		if diff := cmp.Diff(want, got.String()); diff != "" {
			t.Fatalf("members (-want +got):\n%s", diff)
		}
		in = shuffled(random, in)
	}
}
