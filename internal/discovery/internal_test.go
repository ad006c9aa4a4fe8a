package discovery

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestImageVersion(t *testing.T) {
	t.Parallel()
	digest := "sha256:" + strings.Repeat("0a", 32)
	tests := []struct {
		image, want string
		bad         bool
	}{
		{image: "istio/pilot:1.31.1", want: "1.31.1"},
		{image: "pilot", want: "latest"},
		{image: "registry.example.com:5000/istio/pilot", want: "latest"},
		{image: "localhost:5000/pilot:v1", want: "v1"},
		{image: "[fd00::1]:5000/istio/pilot:v1", want: "v1"},
		{image: "Registry.Example.com/istio/pilot:v1", want: "v1"},
		{image: "istio/pilot@" + digest, want: digest},
		{image: "istio/pilot:1.31.1@" + digest, want: "1.31.1"},
		{image: "gcr.io/istio_release/pilot__x/y.z:1_2-3.4", want: "1_2-3.4"},
		{image: "", bad: true},
		{image: "istio/pilot:", bad: true},
		{image: "istio//pilot:1", bad: true},
		{image: "istio/Pilot:1", bad: true},
		{image: "istio/pilot:1:2", bad: true},
		{image: "istio/pilot@sha256:0a", bad: true},
		{image: "istio/pilot:" + strings.Repeat("1", 129), bad: true},
		{image: "istio/pilot:1 ", bad: true},
		{image: "https://istio/pilot:1", bad: true},
	}
	for _, test := range tests {
		got, err := imageVersion(test.image)
		if got != test.want || (err != nil) != test.bad {
			t.Errorf("the version of %q is %q, %v; want %q, error: %t", test.image, got, err, test.want, test.bad)
		}
	}
}

func TestParseMeshARN(t *testing.T) {
	t.Parallel()
	tests := []struct {
		arn, want string
		bad       bool
	}{
		{arn: "arn:aws:appmesh:eu-west-1:123:mesh/shop", want: "shop"},
		{arn: "arn:aws-cn:appmesh:cn-north-1:123:mesh/a:b", want: "a:b"},
		{arn: "arn:aws:appmesh:eu-west-1:123", bad: true},
		{arn: "aws:arn:appmesh:eu-west-1:123:mesh/shop", bad: true},
		{arn: "arn:aws:appmesh::123:mesh/shop", bad: true},
		{arn: "arn:aws:appmesh:eu-west-1:123:mesh/", bad: true},
	}
	for _, test := range tests {
		got, err := parseMeshARN(test.arn)
		if (err != nil) != test.bad {
			t.Errorf("%s: %v", test.arn, err)
		}
		if err == nil && got.AWSName != test.want {
			t.Errorf("%s names %q, want %q", test.arn, got.AWSName, test.want)
		}
	}
}

func TestDiscoveryAddress(t *testing.T) {
	t.Parallel()
	tests := []struct{ config, want string }{
		{"discoveryAddress: a.b.svc:15012\nconcurrency: 2\n", "a.b.svc:15012"},
		{`{"discoveryAddress":"a.b.svc:15012"}`, "a.b.svc:15012"},
		{"discovery_address: a", "a"},
		{"{}", ""},
		{"", ""},
		{"[", ""},
		{"- a", ""},
		{"discoveryAddress: [a]", ""},
	}
	for _, test := range tests {
		if got := parseProxyConfig(test.config).address; got != test.want {
			t.Errorf("%q has the address %q, want %q", test.config, got, test.want)
		}
	}
}

func TestNamer(t *testing.T) {
	t.Parallel()
	names := namer{}
	first, free := names.assign("a", "x")
	if first != "a" || !free {
		t.Errorf("the first name is %q, %t", first, free)
	}
	taken := map[string]bool{first: true}
	for _, source := range []string{"y", "z", "z"} {
		name, free := names.assign("a", source)
		if free || taken[name] || !strings.HasPrefix(name, "a-") {
			t.Errorf("%s is called %q, %t", source, name, free)
		}
		taken[name] = true
	}
}

func TestControlPlaneNamespaces(t *testing.T) {
	t.Parallel()
	deployment := func(namespace, name, image string) appsv1.Deployment {
		return appsv1.Deployment{
			ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
			Spec: appsv1.DeploymentSpec{Template: corev1.PodTemplateSpec{
				Spec: corev1.PodSpec{Containers: []corev1.Container{{Image: image}}},
			}},
		}
	}
	got := ControlPlaneNamespaces([]appsv1.Deployment{
		deployment("z", "istiod", "istio/pilot:1"), deployment("z", "istiod-canary", "istio/pilot:2"),
		deployment("l", "linkerd-destination", "linkerd/controller:1"),
		deployment("shop", "istiod", "nginx"), deployment("osm", "osm-controller", "osm-controller:1"),
	})
	if diff := cmp.Diff([]string{"l", "z"}, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

// TestKinds holds the list of resources against the fields of the input.
func TestKinds(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, kind := range Kinds() {
		if seen[kind.Resource] || kind.Kind == "" || kind.Version == "" || kind.Without == "" {
			t.Errorf("%+v is incomplete or listed twice", kind)
		}
		seen[kind.Resource] = true
	}
	if want := 11; len(seen) != want { // the lists of Input
		t.Errorf("%d resources are listed, Input has %d", len(seen), want)
	}
}
