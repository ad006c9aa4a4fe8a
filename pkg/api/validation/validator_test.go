package validation_test

import (
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/pkg/api/validation"
)

// kinds maps each kind to the group and version that manifests give.
func kinds() map[string]schema.GroupVersion {
	networking := schema.GroupVersion{Group: "networking.mesh.gloo.solo.io", Version: "v1"}
	discovery := schema.GroupVersion{Group: "discovery.mesh.gloo.solo.io", Version: "v1"}
	return map[string]schema.GroupVersion{
		"VirtualMesh": networking, "TrafficPolicy": networking, "AccessPolicy": networking,
		"Mesh": discovery, "Workload": discovery, "Destination": discovery,
		"Settings":          {Group: "settings.mesh.gloo.solo.io", Version: "v1"},
		"KubernetesCluster": {Group: "multicluster.solo.io", Version: "v1alpha1"},
	}
}

// object returns a manifest of that kind, with a name and the given YAML beside
// it, as a loader would decode it.
func object(tb testing.TB, kind, text string) (schema.GroupVersionKind, map[string]any) {
	tb.Helper()
	gv, known := kinds()[kind]
	if !known {
		tb.Fatalf("no such kind: %s", kind)
	}
	o := decode(tb, text)
	o["apiVersion"], o["kind"] = gv.String(), kind
	if _, found := o["metadata"]; !found {
		o["metadata"] = map[string]any{"name": "example", "namespace": "gloo-mesh"}
	}
	return gv.WithKind(kind), o
}

func decode(tb testing.TB, text string) map[string]any {
	tb.Helper()
	encoded, err := yaml.YAMLToJSON([]byte(text))
	if err != nil {
		tb.Fatal(err)
	}
	o := map[string]any{}
	if err := json.Unmarshal(encoded, &o); err != nil {
		tb.Fatal(err)
	}
	return o
}

func check(t *testing.T, v *validation.Validator, kind, text string) validation.Report {
	t.Helper()
	gvk, o := object(t, kind, text)
	report, err := v.Check(gvk, o)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// one makes rows of a single error readable.
func one(path, message string) []validation.FieldError {
	return []validation.FieldError{{Path: path, Message: message}}
}

func TestCheckUnknownKind(t *testing.T) {
	gvk := schema.GroupVersionKind{Group: "networking.mesh.gloo.solo.io", Version: "v2", Kind: "VirtualMesh"}
	if _, err := validation.New().Check(gvk, map[string]any{}); err == nil {
		t.Errorf("Check(%s) found a schema", gvk)
	}
}

func TestCheckUnknownFields(t *testing.T) {
	tests := []struct {
		name, kind, text string
		want             []validation.UnknownField
	}{
		{
			"misspelt, beside the field that was meant", "TrafficPolicy", `spec: {policy: {retrys: {attempts: 2}, mirorr: {}}}`,
			[]validation.UnknownField{{Path: "spec.policy.mirorr", Suggestion: "mirror", LeavesEmpty: true}, {Path: "spec.policy.retrys", Suggestion: "retries", LeavesEmpty: true}},
		},
		{
			"right name at the wrong level", "TrafficPolicy", `spec: {retries: {attempts: 2}}`,
			[]validation.UnknownField{{Path: "spec.retries", Suggestion: "spec.policy.retries", LeavesEmpty: true}},
		},
		{
			"in a list", "TrafficPolicy", `spec: {httpRequestMatchers: [{}, {header: []}]}`,
			[]validation.UnknownField{{Path: "spec.httpRequestMatchers[1].header", Suggestion: "headers", LeavesEmpty: true}},
		},
		{
			"in a map", "Settings", `spec: {discovery: {istio: {ingressGatewayDetectors: {east: {labels: {}}}}}}`,
			[]validation.UnknownField{{Path: "spec.discovery.istio.ingressGatewayDetectors.east.labels", LeavesEmpty: true}},
		},
		{
			"of another kind of selector, which leaves one that matches everything", "TrafficPolicy",
			`spec: {sourceSelector: [{kubeServiceMatcher: {labels: {a: b}}}]}`,
			[]validation.UnknownField{{Path: "spec.sourceSelector[0].kubeServiceMatcher", Suggestion: "kubeWorkloadMatcher", LeavesEmpty: true}},
		},
		{
			"beside spec", "AccessPolicy", `allowedPaths: [/a]`,
			[]validation.UnknownField{{Path: "allowedPaths", Suggestion: "spec.allowedPaths"}},
		},
		{
			"in metadata", "AccessPolicy", `metadata: {name: a, lables: {}}`,
			[]validation.UnknownField{{Path: "metadata.lables", Suggestion: "labels"}},
		},
		{
			"resembling nothing", "AccessPolicy", `spec: {priority: 1}`,
			[]validation.UnknownField{{Path: "spec.priority", LeavesEmpty: true}},
		},
		{
			"not inside what is preserved, nor in status", "TrafficPolicy",
			`{spec: {policy: {csrf: {anything: {goes: null}}, rateLimit: {raw: {}}}}, status: {unheardOf: true}}`, nil,
		},
	}
	v := validation.New()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			report := check(t, v, test.kind, test.text)
			if diff := cmp.Diff(test.want, report.Unknown); diff != "" {
				t.Errorf("unknown fields (-want +got):\n%s", diff)
			}
			if len(report.Errors) > 0 {
				t.Errorf("unknown fields make errors: %v", report.Errors)
			}
		})
	}
}

// What Check does to the object: nulls and unknown fields go, the rest stays.
func TestCheckPrunes(t *testing.T) {
	gvk, got := object(t, "VirtualMesh", `
spec:
  federation: null
  mtlsConfig: {autoRestartPod: true, shared: {rootCertificateAuthority: {generated: null}}}
status: {state: 3, unheardOf: null}`)
	if _, err := validation.New().Check(gvk, got); err != nil {
		t.Fatal(err)
	}
	_, want := object(t, "VirtualMesh", `
spec:
  mtlsConfig: {shared: {rootCertificateAuthority: {}}}
status: {state: 3, unheardOf: null}`)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("object (-want +got):\n%s", diff)
	}
}

// Names inside references become names elsewhere, and are checked like names.
func TestCheckReferences(t *testing.T) {
	v := validation.New()
	text := "metadata: {name: a}\nspec: {kubeService: {ref: {name: \"../etc\", namespace: \"a.b\", clusterName: \"east\\nx\"}}}"
	var got []string
	for _, e := range check(t, v, "Destination", text).Errors {
		got = append(got, e.Path)
	}
	want := []string{"spec.kubeService.ref.clusterName", "spec.kubeService.ref.name", "spec.kubeService.ref.namespace"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("paths with errors (-want +got):\n%s", diff)
	}
	good := "metadata: {name: a}\nspec: {kubeService: {ref: {name: reviews, namespace: bookinfo, clusterName: \"arn:aws:eks:cluster/East_1\"}}}"
	if errs := check(t, v, "Destination", good).Errors; len(errs) > 0 {
		t.Errorf("got the errors %v, want none", errs)
	}
}

func TestCheckMetadata(t *testing.T) {
	tests := []struct {
		name, text string
		want       []validation.FieldError
	}{
		{"absent", `metadata: null`, one("metadata.name", "is required")},
		{"no name", `metadata: {namespace: a}`, one("metadata.name", "is required")},
		{"empty name", `metadata: {name: ""}`, one("metadata.name", "is required")},
		{"name of a wrong type", `metadata: {name: 5}`, one("metadata.name", "must be of type string")},
		{"scalar", `metadata: reviews`, one("metadata", "must be of type object, not string")},
		{"label that is not text", `metadata: {name: a, labels: {canary: true}}`, one("metadata.labels[canary]", `must be of type string; write "true" in quotes`)},
		{"labels of a wrong type", `metadata: {name: a, labels: [b]}`, one("metadata.labels", "must be of type object")},
		{"bad time", `metadata: {name: a, creationTimestamp: yesterday}`, one("metadata.creationTimestamp", "must be a time such as 2006-01-02T15:04:05Z")},
		{"good", `metadata: {name: a.b-c, namespace: d, labels: {e/f: g}, annotations: {h: i}, creationTimestamp: null}`, nil},
	}
	v := validation.New()
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, check(t, v, "AccessPolicy", test.text).Errors); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
	// The wording of these comes from Kubernetes.
	for _, text := range []string{
		`metadata: {name: Reviews}`, `metadata: {name: a, namespace: b.c}`, `metadata: {name: a, labels: {"b c": d}}`,
	} {
		if len(check(t, v, "AccessPolicy", text).Errors) == 0 {
			t.Errorf("%s has no errors", text)
		}
	}
}

// Several loaders may share a Validator; run with -race.
func TestCheckFromSeveralGoroutines(t *testing.T) {
	v := validation.New()
	var checks sync.WaitGroup
	reports := make([]validation.Report, 8)
	for i := range reports {
		gvk, o := object(t, "TrafficPolicy", `spec: {retrys: {}, policy: {requestTimeout: 0s}}`)
		checks.Go(func() { reports[i], _ = v.Check(gvk, o) })
	}
	checks.Wait()
	for _, report := range reports {
		if len(report.Errors) != 1 || len(report.Unknown) != 1 {
			t.Errorf("report = %v", report)
		}
	}
}

func BenchmarkCheck(b *testing.B) {
	for _, bench := range []struct{ kind, text string }{
		{"Destination", `spec: {mesh: {name: istiod, namespace: gloo-mesh}, kubeService: {ref: {name: a, namespace: b, clusterName: c},
  workloadSelectorLabels: {app: a}, labels: {app: a}, ports: [{port: 80, name: http, protocol: TCP, targetPortNumber: 8080}],
  endpointSubsets: [{endpoints: [{ipAddress: 10.0.0.1, labels: {app: a}}], ports: [{port: 8080, name: http, protocol: TCP}]}]}}`},
		{"Workload", `spec: {mesh: {name: istiod, namespace: gloo-mesh}, kubernetes: {controller: {name: a, namespace: b, clusterName: c}, podLabels: {app: a}}}`},
		{"TrafficPolicy", `spec: {destinationSelector: [{kubeServiceRefs: {services: [{name: a, namespace: b, clusterName: c}]}}], policy: {requestTimeout: 5s}}`},
	} {
		b.Run(bench.kind, func(b *testing.B) {
			v := validation.New()
			gvk, o := object(b, bench.kind, bench.text)
			if _, err := v.Check(gvk, o); err != nil {
				b.Fatal(err)
			}
			for b.Loop() {
				if _, err := v.Check(gvk, o); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkFirstCheck(b *testing.B) {
	gvk, o := object(b, "TrafficPolicy", `spec: {}`)
	for b.Loop() {
		if _, err := validation.New().Check(gvk, o); err != nil {
			b.Fatal(err)
		}
	}
}
