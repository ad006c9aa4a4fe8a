package worldgen

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/json"
)

// object is a part of a manifest.
type object = map[string]any

// list is a list in a manifest.
type list = []any

// manifest returns an object in the form in which clients decode it: numbers
// are int64 or float64, and nothing is shared with other objects.
func manifest(content object) unstructured.Unstructured {
	text, err := json.Marshal(content)
	if err != nil {
		panic(fmt.Sprintf("a manifest of texts, numbers, maps and lists cannot be encoded: %v", err))
	}
	var decoded object
	if err := json.Unmarshal(text, &decoded); err != nil {
		panic(fmt.Sprintf("a manifest that was just encoded cannot be decoded: %v", err))
	}
	return unstructured.Unstructured{Object: decoded}
}

// named returns a manifest of a kind; an empty namespace is left out.
func named(apiVersion, kind, namespace, name string, rest object) object {
	metadata := object{"name": name}
	if namespace != "" {
		metadata["namespace"] = namespace
	}
	content := object{"apiVersion": apiVersion, "kind": kind, "metadata": metadata}
	for key, value := range rest {
		content[key] = value
	}
	return content
}

func labelled(content, labels object) object {
	content["metadata"].(object)["labels"] = labels
	return content
}

// texts returns a list of texts.
func texts(values ...string) list {
	result := make(list, 0, len(values))
	for _, value := range values {
		result = append(result, value)
	}
	return result
}
