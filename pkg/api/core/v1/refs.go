package v1

// ObjectRef names a namespaced object in the management cluster.
type ObjectRef struct {
	Name      string `json:"name,omitempty"`
	Namespace string `json:"namespace,omitempty"`
}

// ClusterObjectRef names a namespaced object in a cluster. In a selector, an empty field
// matches any value.
type ClusterObjectRef struct {
	Name        string `json:"name,omitempty"`
	Namespace   string `json:"namespace,omitempty"`
	ClusterName string `json:"clusterName,omitempty"`
}

// ObjectSelector selects objects by labels, namespaces and label expressions;
// all that are set must match.
type ObjectSelector struct {
	Labels      map[string]string          `json:"labels,omitempty"`
	Namespaces  []string                   `json:"namespaces,omitempty"`
	Expressions []ObjectSelectorExpression `json:"expressions,omitempty"`
}

// ObjectSelectorExpression is one requirement on a label.
type ObjectSelectorExpression struct {
	Key      string   `json:"key,omitempty"`
	Operator string   `json:"operator,omitempty"`
	Values   []string `json:"values,omitempty"`
}

// Empty is a message without fields, written `{}`.
type Empty struct{}
