package load

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
)

// Secrets are read on request, from any form of manifest, and never fail: those of
// other purposes may be encrypted, or have the same name in several clusters.
func TestSecretsOfFiles(t *testing.T) {
	t.Parallel()
	const text = `apiVersion: v1
kind: Secret
metadata: {name: corp, namespace: certs, labels: {a: b}}
type: Opaque
data: {key: c2VjcmV0}
stringData: {text: plain}
---
apiVersion: v1
kind: List
items:
- {apiVersion: v1, kind: Secret, metadata: {name: corp}, data: {key: "ENC[AES256]"}}
- {apiVersion: v1, kind: Secret, metadata: {name: corp}}
- {apiVersion: v1, kind: ConfigMap, metadata: {name: corp}}
`
	var secrets []*kube.Secret
	objects, err := readFiles(t.Context(), FileOptions{Paths: []string{"-"}, Stdin: strings.NewReader(text), Secrets: &secrets}, pickyChecker{})
	if err != nil || len(objects.Problems) > 0 || objects.Ignored != 4 {
		t.Errorf("%v, %v, %d ignored", err, objects.Problems, objects.Ignored)
	}
	want := []*kube.Secret{
		{Namespace: "certs", Name: "corp", Type: "Opaque", Labels: map[string]string{"a": "b"}, Data: map[string][]byte{"key": []byte("secret"), "text": []byte("plain")}},
		{Namespace: "gloo-mesh", Name: "corp"},
		{Namespace: "gloo-mesh", Name: "corp", Data: map[string][]byte{}},
	}
	if diff := cmp.Diff(want, secrets); diff != "" {
		t.Errorf("secrets (-want +got):\n%s", diff)
	}
}
