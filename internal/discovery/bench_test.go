package discovery_test

import (
	"fmt"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryk8sv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/discovery"
)

// largeCluster returns a cluster with as many Services as given, each with a
// Deployment of five pods; a hundred of them share a namespace, and all of
// those a label.
func largeCluster(services int) discovery.Input {
	istiod := appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "istiod", Namespace: "istio-system"}}
	istiod.Spec.Template.Spec.Containers = []corev1.Container{{Name: "discovery", Image: "istio/pilot:1.31.1"}}
	canary := *istiod.DeepCopy()
	canary.Name, canary.Labels = "istiod-canary", map[string]string{"istio.io/rev": "canary"}
	in := discovery.Input{
		Cluster:     "east",
		Deployments: []appsv1.Deployment{istiod, canary},
		ConfigMaps: []corev1.ConfigMap{{
			ObjectMeta: metav1.ObjectMeta{Name: "istio", Namespace: "istio-system"},
			Data:       map[string]string{"mesh": "trustDomain: cluster.local"},
		}},
	}
	for i := range 100 {
		in.Nodes = append(in.Nodes, corev1.Node{ObjectMeta: metav1.ObjectMeta{
			Name:   fmt.Sprintf("node-%d", i),
			Labels: map[string]string{corev1.LabelTopologyRegion: "region", corev1.LabelTopologyZone: fmt.Sprintf("zone-%d", i%3)},
		}})
	}
	for i := range services {
		addService(&in, i)
	}
	return in
}

func addService(in *discovery.Input, i int) {
	name, namespace := fmt.Sprintf("app-%d", i), fmt.Sprintf("namespace-%d", i/100)
	labels := map[string]string{"app": name, "version": "v1", "part-of": "platform"}
	meta := metav1.ObjectMeta{Name: name, Namespace: namespace}
	owned := func(name, kind, owner string) metav1.ObjectMeta {
		return metav1.ObjectMeta{
			Name: name, Namespace: namespace, Labels: labels,
			OwnerReferences: []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: kind, Name: owner, Controller: new(true)}},
		}
	}
	deployment := appsv1.Deployment{ObjectMeta: meta}
	deployment.Spec.Template.Labels = labels
	in.Deployments = append(in.Deployments, deployment)
	in.ReplicaSets = append(in.ReplicaSets, appsv1.ReplicaSet{ObjectMeta: owned(name+"-1", "Deployment", name)})
	in.Services = append(in.Services, corev1.Service{
		ObjectMeta: meta,
		Spec:       corev1.ServiceSpec{Selector: map[string]string{"app": name, "part-of": "platform"}, Ports: []corev1.ServicePort{{Name: "http", Port: 80}}},
	})
	slice := discoveryk8sv1.EndpointSlice{
		ObjectMeta:  metav1.ObjectMeta{Name: name + "-1", Namespace: namespace, Labels: map[string]string{discoveryk8sv1.LabelServiceName: name}},
		AddressType: discoveryk8sv1.AddressTypeIPv4,
		Ports:       []discoveryk8sv1.EndpointPort{{Name: new("http"), Port: new(int32(8080))}},
	}
	for j := range 5 {
		pod := corev1.Pod{ObjectMeta: owned(fmt.Sprintf("%s-1-%d", name, j), "ReplicaSet", name+"-1")}
		pod.Spec.NodeName = fmt.Sprintf("node-%d", (i+j)%100)
		pod.Spec.Containers = []corev1.Container{
			{Name: "app", Image: "example.com/app:1"},
			{Name: "istio-proxy", Image: "istio/proxyv2:1.31.1", Env: []corev1.EnvVar{
				{Name: "PROXY_CONFIG", Value: `{"discoveryAddress":"istiod-canary.istio-system.svc:15012"}`},
			}},
		}
		in.Pods = append(in.Pods, pod)
		slice.Endpoints = append(slice.Endpoints, discoveryk8sv1.Endpoint{
			Addresses: []string{fmt.Sprintf("10.%d.%d.%d", i/200, i%200, j)}, NodeName: &pod.Spec.NodeName,
			TargetRef: &corev1.ObjectReference{Kind: "Pod", Namespace: namespace, Name: pod.Name},
		})
	}
	in.EndpointSlices = append(in.EndpointSlices, slice)
}

// BenchmarkDiscover discovers 2,000 Services with 10,000 pods, and twice as
// much, which should take about twice as long.
func BenchmarkDiscover(b *testing.B) {
	for _, services := range []int{2000, 4000} {
		in := largeCluster(services)
		b.Run(fmt.Sprintf("services=%d", services), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				out := discovery.Discover(in)
				if len(out.Destinations) != services || len(out.Workloads) != services || len(out.Notes) != 0 {
					b.Fatalf("%d destinations, %d workloads, notes: %v", len(out.Destinations), len(out.Workloads), out.Notes)
				}
			}
		})
	}
}
