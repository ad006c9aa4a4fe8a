package discovery_test

import (
	"fmt"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/discovery"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// pod is a pod of the StatefulSet web in the namespace shop.
func pod(containers ...corev1.Container) corev1.Pod {
	return corev1.Pod{Spec: corev1.PodSpec{Containers: containers}}
}

// app is the container of an application.
func app() corev1.Container { return corev1.Container{Name: "app", Image: "app:1"} }

// proxy is a sidecar with environment variables, given as pairs.
func proxy(variables ...string) corev1.Container {
	c := corev1.Container{Name: "istio-proxy", Image: "istio/proxyv2:1.31.1", Args: []string{"proxy", "sidecar"}}
	for i := 0; i+1 < len(variables); i += 2 {
		c.Env = append(c.Env, corev1.EnvVar{Name: variables[i], Value: variables[i+1]})
	}
	return c
}

func changed(pod corev1.Pod, change func(*corev1.Pod)) corev1.Pod {
	change(&pod)
	return pod
}

// withPods adds the StatefulSet web to a mesh, with the pods and a Namespace of the
// labels; nil adds no Namespace.
func withPods(in discovery.Input, namespace map[string]string, pods ...corev1.Pod) discovery.Input {
	if namespace != nil {
		in.Namespaces = append(in.Namespaces, corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: "shop", Labels: namespace}})
	}
	set := appsv1.StatefulSet{ObjectMeta: metav1.ObjectMeta{Name: "web", Namespace: "shop"}}
	set.Spec.Template.Labels = map[string]string{"app": "web"}
	in.StatefulSets = append(in.StatefulSets, set)
	for i, pod := range pods {
		pod.Name, pod.Namespace = fmt.Sprintf("web-%d", i), "shop"
		pod.OwnerReferences = []metav1.OwnerReference{{APIVersion: "apps/v1", Kind: "StatefulSet", Name: "web", Controller: new(true)}}
		in.Pods = append(in.Pods, pod)
	}
	return in
}

const (
	halfInjected = "has pods with a proxy and pods without one"
	halfCaptured = "has pods that capture DNS requests and pods that do not; it counts as one that does not"
)

func TestWorkloadFacts(t *testing.T) {
	t.Parallel()
	const capture = "ISTIO_META_DNS_CAPTURE"
	native := pod(app())
	native.Spec.InitContainers = []corev1.Container{proxy()}
	native.Spec.InitContainers[0].RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	initialised := pod(app())
	initialised.Spec.InitContainers = []corev1.Container{{Name: "istio-init", Image: "istio/proxyv2:1.31.1"}}
	router := proxy()
	router.Args = []string{"proxy", "router"}
	withoutArgs := proxy()
	withoutArgs.Args = nil
	annotated := func(value string, containers ...corev1.Container) corev1.Pod {
		return changed(pod(containers...), func(p *corev1.Pod) { p.Annotations = map[string]string{"proxy.istio.io/config": value} })
	}
	labelled := func(mode string) corev1.Pod {
		return changed(pod(app()), func(p *corev1.Pod) { p.Labels = map[string]string{"istio.io/dataplane-mode": mode} })
	}
	fromElsewhere := proxy()
	fromElsewhere.Env = []corev1.EnvVar{{Name: capture, ValueFrom: &corev1.EnvVarSource{}}}
	type facts = discoveryv1.WorkloadFacts
	tests := []struct {
		name      string
		mesh      string
		namespace map[string]string
		pods      []corev1.Pod
		want      facts
		notes     []string
	}{
		{
			name: "a sidecar", pods: []corev1.Pod{pod(app(), proxy())},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", Ambient: new(false)},
		},
		{
			name: "a native sidecar", pods: []corev1.Pod{native},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", Ambient: new(false)},
		},
		{
			name: "pods of several kinds", namespace: map[string]string{}, pods: []corev1.Pod{pod(app(), proxy()), native, pod(app()), initialised},
			want:  facts{Proxy: "SOME", ProxyType: "SIDECAR", Ambient: new(false)},
			notes: []string{halfInjected},
		},
		{
			name: "pods that have ended or are about to",
			pods: []corev1.Pod{
				changed(pod(app()), func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }),
				changed(pod(app()), func(p *corev1.Pod) { p.DeletionTimestamp = &metav1.Time{} }),
				pod(app(), proxy()),
			},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", Ambient: new(false)},
		},
		{
			name: "only pods that have ended", pods: []corev1.Pod{changed(pod(app(), proxy()), func(p *corev1.Pod) { p.Status.Phase = corev1.PodSucceeded })},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", Ambient: new(false)},
		},
		{name: "a gateway", pods: []corev1.Pod{pod(router)}, want: facts{Proxy: "ALL", ProxyType: "GATEWAY", Ambient: new(false)}},
		{name: "a gateway by its shape", pods: []corev1.Pod{pod(withoutArgs)}, want: facts{Proxy: "ALL", ProxyType: "GATEWAY", Ambient: new(false)}},
		{
			name: "a sidecar with the labels of a gateway",
			pods: []corev1.Pod{changed(pod(app(), proxy()), func(p *corev1.Pod) { p.Labels = map[string]string{"istio": "ingressgateway"} })},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", Ambient: new(false)},
		},

		{
			name: "DNS capture by variable", pods: []corev1.Pod{pod(app(), proxy(capture, "true"))},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", DNSCapture: new(true), Ambient: new(false)},
		},
		{
			name: "of two variables the last one counts", pods: []corev1.Pod{pod(app(), proxy(capture, "true", capture, "false"))},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", DNSCapture: new(false), Ambient: new(false)},
		},
		{
			name: "a variable from elsewhere", pods: []corev1.Pod{pod(app(), fromElsewhere)},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", Ambient: new(false)},
		},
		{
			name: "DNS capture by annotation", pods: []corev1.Pod{annotated(`proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}`, app(), proxy())},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", DNSCapture: new(true), Ambient: new(false)},
		},
		{
			name: "DNS capture by annotation, snake case",
			pods: []corev1.Pod{annotated(`{"proxy_metadata": {"ISTIO_META_DNS_CAPTURE": "true"}}`, app(), proxy())},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", DNSCapture: new(true), Ambient: new(false)},
		},
		{
			name: "the variable counts more than the annotation",
			pods: []corev1.Pod{annotated(`proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}`, app(), proxy(capture, "false"))},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", DNSCapture: new(false), Ambient: new(false)},
		},
		{
			name: "an annotation of another shape", pods: []corev1.Pod{annotated(`proxyMetadata: {ISTIO_META_DNS_CAPTURE: true}`, app(), proxy()), annotated(`[`, app(), proxy())},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", Ambient: new(false)},
		},
		{
			name: "injected before the mesh captured DNS requests", mesh: `defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}}`,
			pods: []corev1.Pod{pod(app(), proxy("PROXY_CONFIG", `{"discoveryAddress":"istiod.istio-system.svc:15012"}`, "ISTIO_META_CLUSTER_ID", "east"))},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", DNSCapture: new(false), Ambient: new(false)},
		},
		{
			name: "one pod like the default, the other not", mesh: `defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}}`,
			pods:  []corev1.Pod{pod(app(), proxy()), pod(app(), proxy(capture, "false"))},
			want:  facts{Proxy: "ALL", ProxyType: "SIDECAR", DNSCapture: new(false), Ambient: new(false)},
			notes: []string{halfCaptured},
		},
		{
			name: "a pod that says what the default is", mesh: `defaultConfig: {proxyMetadata: {ISTIO_META_DNS_CAPTURE: "true"}}`,
			pods: []corev1.Pod{pod(app(), proxy()), pod(app(), proxy(capture, "true"))},
			want: facts{Proxy: "ALL", ProxyType: "SIDECAR", DNSCapture: new(true), Ambient: new(false)},
		},

		{
			name: "ambient by namespace", namespace: map[string]string{"istio.io/dataplane-mode": "ambient"}, pods: []corev1.Pod{pod(app()), pod(app(), proxy())},
			want:  facts{Proxy: "SOME", ProxyType: "SIDECAR", Ambient: new(true)},
			notes: []string{"is in ambient mode; its pods without a sidecar are no workloads", halfInjected},
		},
		{
			name: "a pod that opts out of ambient mode", namespace: map[string]string{"istio.io/dataplane-mode": "ambient"},
			pods:  []corev1.Pod{labelled("none"), pod(app(), proxy())},
			want:  facts{Proxy: "SOME", ProxyType: "SIDECAR", Ambient: new(false)},
			notes: []string{"is in ambient mode; its pods without a sidecar are no workloads", halfInjected},
		},
		{
			name: "redirected to a ztunnel",
			pods: []corev1.Pod{
				changed(pod(app()), func(p *corev1.Pod) { p.Annotations = map[string]string{"ambient.istio.io/redirection": "enabled"} }),
				pod(app(), proxy()),
			},
			want: facts{Proxy: "SOME", ProxyType: "SIDECAR", Ambient: new(true)}, notes: []string{halfInjected},
		},
		{
			name: "a namespace that is not known", pods: []corev1.Pod{pod(app()), pod(app(), proxy())},
			want: facts{Proxy: "SOME", ProxyType: "SIDECAR"}, notes: []string{halfInjected},
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			mesh := meshWith(map[string]string{"mesh": test.mesh}, corev1.Container{})
			out := discovery.Discover(withPods(mesh, test.namespace, test.pods...))
			if len(out.Workloads) != 1 {
				t.Fatalf("%d workloads", len(out.Workloads))
			}
			if diff := cmp.Diff(&test.want, out.Workloads[0].Spec.Meshctl); diff != "" {
				t.Errorf("facts (-want +got):\n%s", diff)
			}
			var notes []string
			for _, n := range out.Notes {
				notes = append(notes, n.Message)
			}
			// In the order of the objects: the Namespace comes before the StatefulSet.
			if diff := cmp.Diff(test.notes, notes); diff != "" {
				t.Errorf("notes (-want +got):\n%s", diff)
			}
		})
	}
}
