// Package e2e holds the tests that run the built meshctl against real
// Kubernetes control planes. They take the control plane's programs from the
// directory in KUBE_ASSETS and are left out without the build tag e2e:
//
//	KUBE_ASSETS=$(hack/kube/build.sh) go test -tags e2e ./test/e2e/...
package e2e
