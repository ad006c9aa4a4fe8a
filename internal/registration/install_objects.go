package registration

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/pkg/api/crds"
)

// DefinitionAnnotation is the annotation of installed CRDs with a hash of their content.
const DefinitionAnnotation = "meshctl.io/definition"

// InstallObjects returns the objects that Install writes, in that order: the CRDs, the
// namespace with its policy namespaces, and the roles. It returns an error if a CRD cannot be
// encoded.
func InstallObjects(namespace string, policyNamespaces []string) ([]*unstructured.Unstructured, error) {
	definitions, err := definitions()
	if err != nil {
		return nil, err
	}
	home := newNamespace(namespace, kube.OwnLabels())
	annotate(home, policyNamespaces)
	objects := append(definitions, home) //nolint:gocritic // definitions is not used otherwise
	for _, role := range managementRoles() {
		objects = append(objects, toUnstructured(role))
	}
	return objects, nil
}

// definitions returns meshctl's CRDs.
func definitions() ([]*unstructured.Unstructured, error) {
	all, err := crds.All()
	if err != nil {
		return nil, err
	}
	objects := make([]*unstructured.Unstructured, 0, len(all))
	for _, crd := range all {
		edition, err := editionOf(crd.Spec)
		if err != nil {
			return nil, err
		}
		crd = crd.DeepCopy()
		crd.SetGroupVersionKind(definitionKind())
		crd.Labels = kube.OwnLabels()
		crd.Annotations = map[string]string{DefinitionAnnotation: edition}
		objects = append(objects, toUnstructured(crd))
	}
	return objects, nil
}

// editionOf returns a short hash of the spec of a CRD.
func editionOf(spec any) (string, error) {
	text, err := json.Marshal(spec)
	if err != nil {
		return "", fmt.Errorf("encode a definition: %w", err)
	}
	const length = 8
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:length]), nil
}

func definitionKind() schema.GroupVersionKind {
	return schema.GroupVersionKind{Group: "apiextensions.k8s.io", Version: "v1", Kind: "CustomResourceDefinition"}
}
