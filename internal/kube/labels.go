package kube

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ManagedByLabel has the value ManagedBy on every object that meshctl owns.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "meshctl"
)

// partOfLabel is, in addition to ManagedByLabel, on every object that install
// creates and on the namespace of meshctl's resources.
const partOfLabel = "app.kubernetes.io/part-of"

// OwnLabels returns the labels of objects that install creates.
func OwnLabels() map[string]string {
	return map[string]string{ManagedByLabel: ManagedBy, partOfLabel: ManagedBy}
}

// IsOwned reports whether an object carries all labels of the owner.
func IsOwned(object metav1.Object, owner map[string]string) bool {
	labels := object.GetLabels()
	for key, value := range owner {
		if labels[key] != value {
			return false
		}
	}
	return true
}
