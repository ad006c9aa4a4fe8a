// Package istiocheck holds what meshctl renders against Istio's own code.
package istiocheck
