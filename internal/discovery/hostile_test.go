package discovery_test

import (
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/discovery"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
)

// levels nests a text in others: each level refers to the one before, ten times.
func levels(n int, first, reference string) string {
	var b strings.Builder
	b.WriteString("a0: &a0 " + first + "\n")
	for i := 1; i < n; i++ {
		last := "*a" + strconv.Itoa(i-1)
		b.WriteString("a" + strconv.Itoa(i) + ": &a" + strconv.Itoa(i) + " " + strings.NewReplacer("REF", last, "LIST", strings.TrimSuffix(strings.Repeat(last+",", 10), ",")).Replace(reference) + "\n")
	}
	return b.String()
}

// TestUnreadableMeshConfig: a mesh configuration that is no YAML, or abuses it, is
// said to be unreadable, for little memory, and the rest of the cluster is
// discovered.
func TestUnreadableMeshConfig(t *testing.T) { // not parallel: it measures memory
	const megabyte = 1 << 20
	const left = "this istiod is left out: the MeshConfig of the ConfigMap istio.istio-system cannot be read: "
	for name, test := range map[string]struct {
		config string
		// note is how the note begins; empty if the configuration can be read.
		note string
	}{
		"an alias bomb":             {levels(9, "[x,x,x,x,x,x,x,x,x,x]", "[LIST]"), left + "error converting YAML to JSON: yaml: document contains excessive aliasing"},
		"a bomb of maps":            {levels(40, "{x: 1}", "{y: REF, z: REF}"), left + "error converting YAML to JSON: yaml: document contains excessive aliasing"},
		"a recursive alias":         {"a: &a [*a]", left + "error converting YAML to JSON: yaml: anchor 'a' value contains itself"},
		"a megabyte of lists":       {"a: " + strings.Repeat("[", megabyte/2) + strings.Repeat("]", megabyte/2), left + "error converting YAML to JSON: yaml: exceeded max depth"},
		"a megabyte of maps":        {"a: " + strings.Repeat("{a: ", megabyte/5) + strings.Repeat("}", megabyte/5), left + "error converting YAML to JSON: yaml: exceeded max depth"},
		"a megabyte of block lists": {strings.Repeat("- ", megabyte/2), left + "error converting YAML to JSON: yaml: exceeded max depth"},
		"open brackets":             {strings.Repeat("[", megabyte), left + "error converting YAML to JSON: yaml: exceeded max depth"},
		"a megabyte of one key":     {strings.Repeat("trustDomain: a\n", megabyte/15), ""},
		"a megabyte of a key":       {strings.Repeat("k", megabyte) + ": v", left + "error converting YAML to JSON: yaml: "},
		"a megabyte of blanks":      {strings.Repeat(" ", megabyte) + "a: b", ""},
		"a megabyte of comments":    {strings.Repeat("# a\n", megabyte/4), ""},
		"a megabyte of text":        {"a: '" + strings.Repeat("''", megabyte/2) + "'", ""},
		"a tab":                     {"trustDomain:\n\t- a", left + "error converting YAML to JSON: yaml: line 2: found character that cannot start any token"},
		"a control character":       {"trustDomain: \x00", left + "error converting YAML to JSON: yaml: control characters are not allowed"},
		"no end":                    {"{", left + "error converting YAML to JSON: yaml: line 1: did not find expected node content"},
		"a list":                    {"- a", left + "it holds no fields"},
		"a text":                    {"hello", left + "it holds no fields"},
		"a trust domain of lists":   {"trustDomain: [a]", left + "trustDomain is not a string"},
	} {
		t.Run(name, func(t *testing.T) {
			in := withPods(meshWith(map[string]string{"mesh": test.config}, corev1.Container{}), nil, pod(app(), proxy()))
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			out := discovery.Discover(in)
			runtime.ReadMemStats(&after)
			if used := (after.TotalAlloc - before.TotalAlloc) >> 20; used > 64 {
				t.Errorf("%d MiB for %d bytes", used, len(test.config))
			}
			var said string
			for _, n := range out.Notes {
				if n.Object == "Deployment/istiod.istio-system.east" {
					said = n.Message
				}
			}
			if !strings.HasPrefix(said, test.note) || (said == "") != (test.note == "") {
				t.Errorf("it says %.200q, want %q", said, test.note)
			}
			if readable := test.note == ""; (len(out.Meshes) == 1) != readable || (len(out.Workloads) == 1) != readable {
				t.Errorf("%d meshes, %d workloads", len(out.Meshes), len(out.Workloads))
			}
		})
	}
}

// TestPodsOfAllKinds: a workload whose pods have nothing in common is the least that
// holds for all of them.
func TestPodsOfAllKinds(t *testing.T) {
	t.Parallel()
	native := pod(app())
	native.Spec.InitContainers = []corev1.Container{proxy()}
	native.Spec.InitContainers[0].RestartPolicy = new(corev1.ContainerRestartPolicyAlways)
	router := proxy()
	router.Args = []string{"proxy", "router"}
	ambient := changed(pod(app()), func(p *corev1.Pod) { p.Labels = map[string]string{"istio.io/dataplane-mode": "ambient"} })
	ended := changed(pod(app(), proxy()), func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed })
	var pods []corev1.Pod
	for range 200 {
		pods = append(pods, pod(app(), proxy("ISTIO_META_DNS_CAPTURE", "true")), native, pod(router), ambient, pod(app()), ended)
	}
	in := withPods(meshWith(map[string]string{"mesh": ""}, corev1.Container{}), map[string]string{}, pods...)
	service := webService(func(*corev1.Service) {})
	in.Services = []corev1.Service{service}
	out := discovery.Discover(in)
	if len(out.Workloads) != 1 || len(out.Destinations) != 1 {
		t.Fatalf("%d workloads, %d destinations: %v", len(out.Workloads), len(out.Destinations), out.Notes)
	}
	want := &discoveryv1.WorkloadFacts{Proxy: discoveryv1.PresenceSome, ProxyType: discoveryv1.ProxySidecar, DNSCapture: new(false), Ambient: new(true)}
	if diff := cmp.Diff(want, out.Workloads[0].Spec.Meshctl); diff != "" {
		t.Errorf("facts (-want +got):\n%s", diff)
	}
	count := map[string]int{}
	for _, n := range out.Notes {
		count[n.Message]++
	}
	if count[halfInjected] != 1 || count[halfCaptured] != 1 {
		t.Errorf("notes: %v", count)
	}
}
