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

// rootConfigMap is the ConfigMap in which istiod publishes the roots that the proxies of a
// namespace trust.
const rootConfigMap = "istio-ca-root-cert"

// NamespaceTrust are the roots published to the proxies of a namespace.
type NamespaceTrust struct {
	Namespace string
	// Missing is true if the namespace does not have the ConfigMap.
	Missing bool
	// Lacks are the desired roots that are not published. Err is why the roots cannot be read.
	Lacks []*x509.Certificate
	Err   error
}

// Current reports whether all desired roots are published.
func (n *NamespaceTrust) Current() bool { return !n.Missing && n.Err == nil && len(n.Lacks) == 0 }

// Reach returns the roots published in the namespaces of the mesh's workloads, sorted by
// namespace. It returns nil for a mesh without certificates of meshctl, because its control
// plane may publish any roots. The error is that of listing the ConfigMaps.
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
