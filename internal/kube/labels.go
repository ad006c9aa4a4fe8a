package kube

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// ManagedByLabel has the value ManagedBy on every object that belongs to meshctl
// itself.
const (
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "meshctl"
)

// partOfLabel is, besides ManagedByLabel, on everything that install makes, and
// on the namespace of meshctl's resources.
const partOfLabel = "app.kubernetes.io/part-of"

// OwnLabels are those of what install makes.
func OwnLabels() map[string]string {
	return map[string]string{ManagedByLabel: ManagedBy, partOfLabel: ManagedBy}
}

// IsOwned reports whether an object carries the labels of its owner.
func IsOwned(object metav1.Object, owner map[string]string) bool {
	labels := object.GetLabels()
	for key, value := range owner {
		if labels[key] != value {
			return false
		}
	}
	return true
}
