package render_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/render"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

func TestDecodeDropsWhatServersWrite(t *testing.T) {
	t.Parallel()
	const manifest = `# a comment
---
apiVersion: networking.mesh.gloo.solo.io/v1
kind: AccessPolicy
metadata:
  name: a
  namespace: b
  labels: {x: z}
  annotations:
    kubectl.kubernetes.io/last-applied-configuration: "{}"
    team: t
  creationTimestamp: "2026-01-02T03:04:05Z"
  generation: 3
  resourceVersion: "17"
  uid: 0a1b
  managedFields: [{manager: m}]
  finalizers: [f.example/x]
spec:
  allowedPorts: [80]
  allowedPaths: null
status:
  state: ACCEPTED
  whatever: 1
---
`
	o, err := render.AccessPolicy().Decode(validation.New(), []byte(manifest))
	if err != nil {
		t.Fatal(err)
	}
	want := &networkingv1.AccessPolicy{
		TypeMeta: metav1.TypeMeta{APIVersion: "networking.mesh.gloo.solo.io/v1", Kind: "AccessPolicy"},
		ObjectMeta: metav1.ObjectMeta{
			Name: "a", Namespace: "b", Labels: map[string]string{"x": "z"}, Annotations: map[string]string{"team": "t"},
		},
		Spec: networkingv1.AccessPolicySpec{AllowedPorts: []uint32{80}},
	}
	if diff := cmp.Diff(want, o); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestDecodeErrors(t *testing.T) {
	t.Parallel()
	const head = "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: AccessPolicy\nmetadata: {name: a, namespace: b}\n"
	tests := []struct{ name, manifest, want string }{
		{"empty", "", "there is no manifest: nothing but blank lines and comments"},
		{"comments", "# a\n---\n# b\n", "there is no manifest: nothing but blank lines and comments"},
		{"several", head + "---\n" + head, "there are several documents; give one"},
		{"scalar", "a", "the manifest is not an object with apiVersion, kind, metadata and spec"},
		{"no kind", "apiVersion: v1", "the manifest does not say what it is; it needs apiVersion: networking.mesh.gloo.solo.io/v1 and kind: AccessPolicy"},
		{"other kind", "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: TrafficPolicy", "the manifest is of kind TrafficPolicy, not AccessPolicy"},
		{"other version", "apiVersion: networking.mesh.gloo.solo.io/v2\nkind: AccessPolicy", "the manifest has apiVersion networking.mesh.gloo.solo.io/v2, not networking.mesh.gloo.solo.io/v1"},
		{"list", "apiVersion: v1\nkind: List\nitems: []", "the manifest is a list (List); give one AccessPolicy"},
		{
			"all at once", head + "spec: {allowedPort: [1], allowedPorts: [0, 70000], sourceSelector: [{kubeIdentityMatcher: {namespace: x}}]}",
			"spec.allowedPort: unknown field; did you mean allowedPorts?\n" +
				"spec.sourceSelector[0].kubeIdentityMatcher.namespace: unknown field; did you mean namespaces?\n" +
				"spec.allowedPorts[0]: must be greater than or equal to 1, not 0\n" +
				"spec.allowedPorts[1]: must be less than or equal to 65535, not 70000",
		},
		{"bad name", "apiVersion: networking.mesh.gloo.solo.io/v1\nkind: AccessPolicy\nmetadata: {}", "metadata.name: is required"},
	}
	v := validation.New()
	for _, tt := range tests {
		_, err := render.AccessPolicy().Decode(v, []byte(tt.manifest))
		if err == nil {
			t.Errorf("%s: no error", tt.name)
			continue
		}
		if diff := cmp.Diff(tt.want, err.Error()); diff != "" {
			t.Errorf("%s (-want +got):\n%s", tt.name, diff)
		}
	}
}

// TestDecodeRefusesBrokenText shows that text without structure is an error, and
// that a key given twice is.
func TestDecodeRefusesBrokenText(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"a: [", "a: 1\na: 2", "\t- x", "{\"a\": 1,}}", "\x00"} {
		if _, err := render.AccessPolicy().Decode(validation.New(), []byte(text)); err == nil {
			t.Errorf("%q: no error", text)
		}
	}
}

func TestValidateListsEverything(t *testing.T) {
	t.Parallel()
	o := &networkingv1.AccessPolicy{ObjectMeta: metav1.ObjectMeta{Name: "A_b", Labels: map[string]string{"!": "x"}}}
	o.Spec.AllowedPorts = []uint32{0}
	err := render.Validate(validation.New(), o)
	if err == nil {
		t.Fatal("no error")
	}
	for _, path := range []string{"metadata.name: ", "metadata.labels: ", "spec.allowedPorts[0]: "} {
		if !containsLine(err.Error(), path) {
			t.Errorf("no line starts with %q in:\n%v", path, err)
		}
	}
}

func containsLine(text, prefix string) bool {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, prefix) {
			return true
		}
	}
	return false
}
