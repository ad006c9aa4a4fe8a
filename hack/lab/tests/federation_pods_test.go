//go:build linux

package tests

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/meshctl/meshctl/hack/lab/client"
)

// federationPods: which pods there are is nothing that other clusters need to
// know.
func federationPods(t *testing.T, f *federation) {
	west := f.lab.Cluster("west")
	before := f.configuration(t)
	change := func(namespace, name, patch string) {
		t.Helper()
		_, err := west.Client.AppsV1().Deployments(namespace).Patch(t.Context(), name, types.StrategicMergePatchType, []byte(patch), metav1.PatchOptions{})
		must(t, err)
	}
	await := func() {
		t.Helper()
		must(t, west.AwaitAll(t.Context()))
		// Pods that end are still asked until the proxies know.
		eventually(t, func() error {
			for _, of := range []workload{{"west", "shop", "stock-v1"}, {"west", "shop", "stock-v2"}, {"west", "bank", "desk-v1"}} {
				deployment, err := west.Client.AppsV1().Deployments(of.namespace).Get(t.Context(), of.name, metav1.GetOptions{})
				if err != nil {
					return err
				}
				if pods := f.lab.Pods("west", of.namespace, of.name); len(pods) != int(*deployment.Spec.Replicas) {
					return fmt.Errorf("%s has %d pods, wanted are %d", of.name, len(pods), *deployment.Spec.Replicas)
				}
			}
			return nil
		})
		f.settle(t)
	}
	names := func() []string {
		var names []string
		for _, of := range []workload{{"west", "shop", "stock-v1"}, {"west", "bank", "desk-v1"}} {
			for _, pod := range f.lab.Pods(of.cluster, of.namespace, of.name) {
				names = append(names, pod.Name)
			}
		}
		return names
	}
	old := names()
	for _, step := range []struct{ name, patch string }{
		{"replaced", `{"spec": {"template": {"metadata": {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}}}}`},
		{"labelled", `{"spec": {"template": {"metadata": {"labels": {"color": "blue"}}}}}`},
		{"added", `{"spec": {"replicas": 2}}`},
		{"removed", `{"spec": {"replicas": 1}}`},
	} {
		t.Run(step.name, func(t *testing.T) {
			change("shop", "stock-v1", step.patch)
			change("bank", "desk-v1", step.patch)
			await()
			for _, request := range []client.Request{
				{Protocol: client.HTTP1, Host: "stock.shop.svc.west.global", Port: 8080},
				{Protocol: client.HTTP1, Host: "desk.bank.svc.west.global", Port: 80},
				{Protocol: client.HTTP2, Host: "desk.bank.svc.west.global", Port: 8002},
				{Protocol: client.GRPC, Host: "desk.bank.svc.west.global", Port: 9090},
				{Protocol: client.TCP, Host: "desk.bank.svc.west.global", Port: 7000},
			} {
				outcome := f.send(t, webOf("east"), request)
				got := answerOf(&outcome)
				expect(t, fmt.Sprintf("the next request to %s:%d", request.Host, request.Port), []string{"", "west"}, []string{got.Problem, got.By.cluster},
					f.seenBy(t, webOf("east"), request.Host))
			}
			f.apply(t)
			if diff := cmp.Diff(before, f.configuration(t)); diff != "" {
				t.Errorf("what is rendered has changed (-before +after):\n%s", diff)
			}
		})
	}
	for _, name := range names() {
		if slices.Contains(old, name) {
			t.Errorf("pod %s was not replaced", name)
		}
	}
}
