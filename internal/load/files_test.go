package load

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// pickyChecker is a fake schema: it does not know the field "retrys" and rejects the field
// "bad".
type pickyChecker struct{}

func (pickyChecker) Check(_ schema.GroupVersionKind, object map[string]any) (validation.Report, error) {
	var report validation.Report
	spec, _ := object["spec"].(map[string]any)
	if _, found := spec["retrys"]; found {
		delete(spec, "retrys")
		report.Unknown = []validation.UnknownField{{Path: "spec.retrys", Suggestion: "retries"}}
	}
	if _, found := spec["bad"]; found {
		delete(spec, "bad")
		report.Errors = []validation.FieldError{{Path: "spec.bad", Message: "must be good"}}
	}
	return report, nil
}

// summary is the loaded world in a form that is easy to compare.
type summary struct {
	Objects  []string
	Problems []string
	Ignored  int
}

func summarise(o world.Objects) summary {
	s := summary{Ignored: o.Ignored}
	s.Objects = slices.Concat(
		lines("VirtualMesh", o.VirtualMeshes), lines("TrafficPolicy", o.TrafficPolicies), lines("AccessPolicy", o.AccessPolicies),
		lines("Mesh", o.Meshes), lines("Workload", o.Workloads), lines("Destination", o.Destinations),
		lines("Settings", o.Settings), lines("KubernetesCluster", o.KubernetesClusters),
	)
	for _, p := range o.Problems {
		line := fmt.Sprintf("%s %s: %s", p.Kind, p.Origin, p.Message)
		if p.Object != "" {
			line += " [" + p.Object + "]"
		}
		if p.Hint != "" {
			line += " (" + p.Hint + ")"
		}
		s.Problems = append(s.Problems, line)
	}
	return s
}

func lines[T any, P resource[T]](kind string, objects []world.Object[T]) []string {
	var lines []string
	for _, o := range objects {
		meta := P(o.Resource).GetObjectMeta()
		line := fmt.Sprintf("%s/%s.%s %s", kind, meta.GetName(), meta.GetNamespace(), o.Origin)
		if len(o.Errors) > 0 {
			line += fmt.Sprintf(" %q", o.Errors)
		}
		lines = append(lines, line)
	}
	return lines
}

func load(t *testing.T, stdin string, paths ...string) world.Objects {
	t.Helper()
	objects, err := readFiles(t.Context(), FileOptions{Paths: paths, Recursive: true, Stdin: strings.NewReader(stdin)}, pickyChecker{})
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

const (
	networking = "apiVersion: networking.mesh.gloo.solo.io/v1\n"
	discovery  = "apiVersion: discovery.mesh.gloo.solo.io/v1\n"
)

func TestLoadDocuments(t *testing.T) {
	tests := []struct {
		name, text string
		want       summary
	}{
		{name: "nothing"},
		{
			name: "every kind",
			text: networking + "kind: VirtualMesh\nmetadata: {name: a}\n---\n" +
				networking + "kind: TrafficPolicy\nmetadata: {name: b, namespace: x}\n---\n" +
				networking + "kind: AccessPolicy\nmetadata: {name: c, namespace: ''}\n---\n" +
				discovery + "kind: Mesh\nmetadata: {name: d, namespace: null}\n---\n" +
				discovery + "kind: Workload\nmetadata: {name: e}\n---\n" +
				discovery + "kind: Destination\nmetadata: {name: f}\n---\n" +
				"apiVersion: settings.mesh.gloo.solo.io/v1\nkind: Settings\nmetadata: {name: g}\n---\n" +
				"apiVersion: multicluster.solo.io/v1alpha1\nkind: KubernetesCluster\nmetadata: {name: h}\n",
			want: summary{Objects: []string{
				"VirtualMesh/a.gloo-mesh stdin:1 (document 1)",
				"TrafficPolicy/b.x stdin:5 (document 2)",
				"AccessPolicy/c.gloo-mesh stdin:9 (document 3)",
				"Mesh/d.gloo-mesh stdin:13 (document 4)",
				"Workload/e.gloo-mesh stdin:17 (document 5)",
				"Destination/f.gloo-mesh stdin:21 (document 6)",
				"Settings/g.gloo-mesh stdin:25 (document 7)",
				"KubernetesCluster/h.gloo-mesh stdin:29 (document 8)",
			}},
		},
		{
			name: "kinds that meshctl does not use",
			text: "apiVersion: v1\nkind: Service\nmetadata: {name: a}\n---\n" +
				"apiVersion: certificates.mesh.gloo.solo.io/v1\nkind: IssuedCertificate\nmetadata: {name: a}\n---\n" +
				"apiVersion: settings.mesh.gloo.solo.io/v1\nkind: Dashboard\nmetadata: {name: a}\n---\n" +
				"apiVersion: security.policy.gloo.solo.io/v2\nkind: AccessPolicy\nmetadata: {name: a}\n---\n" +
				"replicas: 1\nitems:\n- a\n---\njust text\n---\n[1, 2]\n",
			want: summary{Ignored: 7},
		},
		{
			name: "wrong kinds, versions and groups",
			text: "apiVersion: networking.mesh.gloo.solo.io/v1alpha2\nkind: TrafficPolicy\nmetadata: {name: a}\n---\n" +
				networking + "kind: TraficPolicy\nmetadata: {name: b}\n---\n" +
				networking + "kind: workload\nmetadata: {name: c}\n---\n" +
				networking + "kind: FailoverService\nmetadata: {namespace: x}\n---\n" +
				"apiVersion: networking.mesh.glo.solo.io/v1\nkind: VirtualMesh\nmetadata: {name: e}\n---\n" +
				"apiVersion: a/b/c\nkind: Mesh\nmetadata: {name: f}\n",
			want: summary{Problems: []string{
				"UnknownKind stdin:1 (document 1): version v1alpha2 of TrafficPolicy.networking.mesh.gloo.solo.io is not supported [TrafficPolicy/a.gloo-mesh] (use apiVersion: networking.mesh.gloo.solo.io/v1)",
				"UnknownKind stdin:5 (document 2): networking.mesh.gloo.solo.io/v1 has no kind TraficPolicy [TraficPolicy/b.gloo-mesh] (did you mean TrafficPolicy?)",
				"UnknownKind stdin:9 (document 3): networking.mesh.gloo.solo.io/v1 has no kind workload [workload/c.gloo-mesh] (Workload belongs to apiVersion: discovery.mesh.gloo.solo.io/v1)",
				"UnknownKind stdin:13 (document 4): networking.mesh.gloo.solo.io/v1 has no kind FailoverService [FailoverService] (its kinds are AccessPolicy, TrafficPolicy, VirtualMesh)",
				"UnknownKind stdin:17 (document 5): there is no API group networking.mesh.glo.solo.io [VirtualMesh/e.gloo-mesh] (did you mean apiVersion: networking.mesh.gloo.solo.io/v1?)",
				`UnreadableDocument stdin:21 (document 6): apiVersion "a/b/c" is not of the form GROUP/VERSION (use apiVersion: discovery.mesh.gloo.solo.io/v1)`,
			}},
		},
		{
			name: "objects without their type",
			text: discovery + "metadata: {name: a}\n---\nspec: {}\n---\nkind: Mesh\nmetadata: {name: a}\n---\nkind: Other\nspec: {}\n---\nkind: free text\n---\n" +
				"- kind: Mesh\n---\n{\"kind\": 5, \"metadata\": {}}\n",
			want: summary{
				Problems: []string{
					"UnreadableDocument stdin:1 (document 1): document has no kind; Kubernetes objects have apiVersion, kind and metadata (add kind: Destination, or Mesh, or Workload)",
					"UnreadableDocument stdin:4 (document 2): document has no kind; Kubernetes objects have apiVersion, kind and metadata",
					"UnreadableDocument stdin:6 (document 3): document of kind Mesh has no apiVersion (use apiVersion: discovery.mesh.gloo.solo.io/v1)",
					"UnreadableDocument stdin:9 (document 4): document of kind Other has no apiVersion",
					`UnreadableDocument stdin:14 (document 6): document is a bare sequence of objects (put the objects below "items:" of a "kind: List")`,
					"UnreadableDocument stdin:16 (document 7): document has no kind; Kubernetes objects have apiVersion, kind and metadata",
				},
				Ignored: 1,
			},
		},
		{
			name: "objects without a name",
			text: discovery + "kind: Mesh\n---\n" + discovery + "kind: Mesh\nmetadata: {generateName: a-}\n---\n" + discovery + "kind: Mesh\nmetadata: {name: 1}\n",
			want: summary{Problems: []string{
				"SchemaViolation stdin:1 (document 1): metadata.name: must be a non-empty string [Mesh] (the object is ignored; set a name, and quote it if it looks like a number or a boolean)",
				"SchemaViolation stdin:4 (document 2): metadata.name: must be a non-empty string [Mesh] (the object is ignored; set a name, and quote it if it looks like a number or a boolean)",
				"SchemaViolation stdin:8 (document 3): metadata.name: must be a non-empty string [Mesh] (the object is ignored; set a name, and quote it if it looks like a number or a boolean)",
			}},
		},
		{
			name: "what the schema says",
			text: networking + "kind: TrafficPolicy\nmetadata: {name: a}\nspec: {bad: x, retrys: y}\n---\n" +
				networking + "kind: TrafficPolicy\nmetadata: {name: b}\nspec: 5\n---\n" +
				networking + "kind: TrafficPolicy\nmetadata: {name: c}\nstatus: 5\n",
			want: summary{
				Objects: []string{
					`TrafficPolicy/a.gloo-mesh stdin:1 (document 1) ["spec.bad: must be good"]`,
					`TrafficPolicy/b.gloo-mesh stdin:6 (document 2) ["cannot be read as TrafficPolicy: cannot restore struct from: int64"]`,
					"TrafficPolicy/c.gloo-mesh stdin:11 (document 3)",
				},
				Problems: []string{
					"UnknownField stdin:1 (document 1): unknown field spec.retrys, did you mean retries? [TrafficPolicy/a.gloo-mesh] (the field is ignored)",
					"SchemaViolation stdin:1 (document 1): spec.bad: must be good [TrafficPolicy/a.gloo-mesh]",
					"SchemaViolation stdin:6 (document 2): cannot be read as TrafficPolicy: cannot restore struct from: int64 [TrafficPolicy/b.gloo-mesh]",
				},
			},
		},
		{
			name: "documents that cannot be read do not hide the others",
			text: discovery + "kind: Mesh\nmetadata: {name: a}\n---\n# broken\na: b\n  c: d\n---\n" +
				discovery + "kind: Mesh\nmetadata:\n  name: c\n  name: d\n---\n{\"kind\": \"Mesh\",\n \"spec\" {}}\n---\n" +
				discovery + "kind: Mesh\nmetadata:\n\tname: e\n---\nreplicas: {{ .Values.replicas }}\n---\n" +
				discovery + "kind: Mesh\nmetadata: {name: g}\n",
			want: summary{
				Objects: []string{"Mesh/a.gloo-mesh stdin:1 (document 1)", "Mesh/g.gloo-mesh stdin:25 (document 7)"},
				Problems: []string{
					"UnreadableDocument stdin:7 (document 2): not valid YAML: mapping values are not allowed in this context",
					`UnreadableDocument stdin:13 (document 3): not valid YAML: duplicate key "name" (remove one of the two)`,
					"UnreadableDocument stdin:16 (document 4): not valid JSON: invalid character '{' after object key",
					"UnreadableDocument stdin:21 (document 5): not valid YAML: found character that cannot start any token (indent with spaces, not with tabs)",
					"UnreadableDocument stdin:23 (document 6): not valid YAML: a mapping or sequence cannot be a key (this looks like a template; render it first)",
				},
			},
		},
		{
			name: "concatenated JSON",
			text: `{"apiVersion":"discovery.mesh.gloo.solo.io/v1","kind":"Mesh","metadata":{"name":"a"}}{"kind":"A","kind":"B"}` + "\n" +
				`{"apiVersion":"discovery.mesh.gloo.solo.io/v1","kind":"Mesh","metadata":{"name":"c"}}`,
			want: summary{
				Objects:  []string{"Mesh/a.gloo-mesh stdin:1 (document 1)", "Mesh/c.gloo-mesh stdin:2 (document 3)"},
				Problems: []string{`UnreadableDocument stdin:1 (document 2): not valid JSON: duplicate field "kind" (remove one of the two)`},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, summarise(load(t, tt.text, "-"))); diff != "" {
				t.Errorf("loaded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestLoadKeepsTheOrder(t *testing.T) {
	objects := largeWorld(2 * maxPending * 3)
	half := len(objects) / 2
	inDirectory(t, map[string]string{
		"a.yaml": strings.Join(objects[:half], "---\n"), "b.yaml": asList(objects[half:]), "c.json": asJSON(t, objects[half:]),
	})
	for _, second := range []string{"b.yaml", "c.json"} {
		loaded := load(t, "", "a.yaml", second)
		var got, want []string
		for _, w := range loaded.Workloads {
			got = append(got, w.Resource.Name)
		}
		for _, object := range objects {
			if _, rest, found := strings.Cut(object, "kind: Workload\nmetadata:\n  name: "); found {
				name, _, _ := strings.Cut(rest, "\n")
				want = append(want, name)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("order with %s (-want +got):\n%s", second, diff)
		}
	}
}

func TestLoadStopsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	silent, writer := io.Pipe() // standard input that never ends
	defer writer.Close()
	_, err := readFiles(ctx, FileOptions{Paths: []string{"-"}, Stdin: silent}, pickyChecker{})
	if !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got error %v, want that of the context", err)
	}
}

func TestLoadKeepsMetadata(t *testing.T) {
	objects := load(t, networking+`kind: AccessPolicy
metadata:
  name: a
  labels: {app: x, count: 5}
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: |
      {"kind": "AccessPolicy"}
  managedFields:
  - manager: kubectl
  creationTimestamp: "2021-03-04T05:06:07Z"
spec: 5
---
`+networking+`kind: AccessPolicy
metadata:
  name: b
  annotations: {note: kept}
  managedFields:
  - manager: kubectl
  creationTimestamp: "2021-03-04T05:06:07Z"
`, "-")
	var got []metav1.ObjectMeta
	for _, o := range objects.AccessPolicies {
		got = append(got, o.Resource.ObjectMeta)
	}
	want := []metav1.ObjectMeta{
		{
			Name: "a", Namespace: "gloo-mesh", Labels: map[string]string{"app": "x"},
			Annotations: map[string]string{"kubectl.kubernetes.io/last-applied-configuration": "{\"kind\": \"AccessPolicy\"}\n"},
		},
		{
			Name: "b", Namespace: "gloo-mesh", Annotations: map[string]string{"note": "kept"},
			CreationTimestamp: metav1.NewTime(time.Date(2021, 3, 4, 5, 6, 7, 0, time.UTC)),
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metadata (-want +got):\n%s", diff)
	}
}

func TestLoadDefaultNamespace(t *testing.T) {
	objects, err := readFiles(t.Context(), FileOptions{
		Paths: []string{"-"}, DefaultNamespace: "mesh-config", Stdin: strings.NewReader(discovery + "kind: Mesh\nmetadata: {name: a}\n"),
	}, pickyChecker{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"Mesh/a.mesh-config stdin:1 (document 1)"}, summarise(objects).Objects); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
}

func TestFilesChecksTheSchema(t *testing.T) {
	text := networking + `kind: TrafficPolicy
metadata: {name: a, labels: {app: x, count: 5, on: true}}
spec:
  policy:
    requestTimeout: 5s
    retrys: {attempts: 3}
    faultInjection: {abort: {httpStatus: 42}}
status: {observedGeneration: many}
`
	objects, err := Files(t.Context(), FileOptions{Paths: []string{"-"}, Stdin: strings.NewReader(text)}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	violations := []string{
		`metadata.labels[count]: must be of type string; write "5" in quotes`,
		`metadata.labels[true]: must be of type string; write "true" in quotes`,
		"spec.policy.faultInjection.abort.httpStatus: must be greater than or equal to 200, not 42",
	}
	want := summary{
		Objects: []string{fmt.Sprintf("TrafficPolicy/a.gloo-mesh stdin:1 (document 1) %q", violations)},
		Problems: []string{
			"UnknownField stdin:1 (document 1): unknown field spec.policy.retrys, did you mean retries? [TrafficPolicy/a.gloo-mesh] (the field is ignored)",
			"SchemaViolation stdin:1 (document 1): " + violations[0] + " [TrafficPolicy/a.gloo-mesh]",
			"SchemaViolation stdin:1 (document 1): " + violations[1] + " [TrafficPolicy/a.gloo-mesh]",
			"SchemaViolation stdin:1 (document 1): " + violations[2] + " [TrafficPolicy/a.gloo-mesh]",
		},
	}
	if diff := cmp.Diff(want, summarise(objects)); diff != "" {
		t.Errorf("loaded (-want +got):\n%s", diff)
	}
	policy := objects.TrafficPolicies[0].Resource
	if got := policy.Spec.Policy.RequestTimeout.Std(); got != 5*time.Second {
		t.Errorf("got request timeout %v, want what can be read of an invalid object", got)
	}
	if got := policy.Labels["app"]; got != "x" {
		t.Errorf("got label app=%q, want x", got)
	}
}

func TestFilesReadsTheBundledWorld(t *testing.T) {
	objects, err := Files(t.Context(), FileOptions{
		Paths: []string{"../../testdata/worlds/bookinfo-two-clusters"}, Recursive: true,
	}, validation.New())
	if err != nil {
		t.Fatal(err)
	}
	if len(objects.Problems) > 0 || objects.Ignored > 0 {
		t.Errorf("got problems %v and %d ignored objects, want none", objects.Problems, objects.Ignored)
	}
	if len(objects.VirtualMeshes) == 0 || len(objects.Workloads) == 0 {
		t.Error("got no VirtualMesh or no Workload")
	}
}
