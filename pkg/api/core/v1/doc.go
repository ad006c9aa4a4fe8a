// Package v1 holds the types that the resources of several API groups share:
// references, selectors, request matchers and approval states.
//
// +kubebuilder:object:generate=true
package v1
