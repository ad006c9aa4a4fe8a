package sharedtrust

import (
	"context"
	"crypto/x509"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/trust"
)

// rootConfigMap is where istiod puts the roots that the proxies of a namespace
// accept.
const rootConfigMap = "istio-ca-root-cert"

// NamespaceTrust says which roots the proxies of a namespace are told to accept.
type NamespaceTrust struct {
	Namespace string
	// Missing says that the namespace has no ConfigMap with roots.
	Missing bool
	// Lacks are the roots that it should have and has not; Err says why its roots
	// cannot be read.
	Lacks []*x509.Certificate
	Err   error
}

// Current reports whether the namespace has all that it should.
func (n *NamespaceTrust) Current() bool { return !n.Missing && n.Err == nil && len(n.Lacks) == 0 }

// Reach reads which roots the namespaces of a mesh's workloads have, sorted by
// namespace. It is nil for a mesh without certificates of meshctl: its control
// plane distributes what it likes.
func (m *MeshState) Reach(ctx context.Context, c *kube.Connection) ([]NamespaceTrust, error) {
	if !m.ours() {
		return nil, nil
	}
	type held struct{ namespace, roots string }
	resource := schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	found, err := kube.List(ctx, c, resource, kube.ListOptions{Fields: "metadata.name=" + rootConfigMap}, func(u *unstructured.Unstructured) held {
		roots, _, _ := unstructured.NestedString(u.Object, "data", trust.CARootKey)
		return held{u.GetNamespace(), roots}
	})
	if err != nil {
		return nil, err
	}
	byNamespace := map[string]string{}
	for _, h := range found {
		byNamespace[h.namespace] = h.roots
	}
	var reach []NamespaceTrust
	for _, namespace := range m.Workloads {
		roots, there := byNamespace[namespace]
		reach = append(reach, m.judgeNamespace(namespace, roots, there))
	}
	slices.SortFunc(reach, func(a, b NamespaceTrust) int { return strings.Compare(a.Namespace, b.Namespace) })
	return reach, nil
}

func (m *MeshState) judgeNamespace(namespace, text string, there bool) NamespaceTrust {
	n := NamespaceTrust{Namespace: namespace, Missing: !there}
	if !there {
		return n
	}
	roots, err := trust.ParseCertificates([]byte(text))
	if err != nil {
		n.Err = err
		return n
	}
	for _, root := range m.Bundle.Roots {
		if !slices.ContainsFunc(roots, root.Equal) {
			n.Lacks = append(n.Lacks, root)
		}
	}
	return n
}
