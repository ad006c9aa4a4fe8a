package discovery

import (
	"maps"

	corev1 "k8s.io/api/core/v1"

	"github.com/meshctl/meshctl/internal/world"
)

// The labels and annotations of Kubernetes and Istio that discovery reads.
const (
	revisionLabel       = "istio.io/rev"
	tagLabel            = "istio.io/tag"
	dataplaneModeLabel  = "istio.io/dataplane-mode"
	redirectionKey      = "ambient.istio.io/redirection"
	exportToKey         = "networking.istio.io/exportTo"
	remoteClusterKey    = "networking.istio.io/cluster"
	subzoneLabel        = "topology.istio.io/subzone"
	podTemplateHash     = "pod-template-hash"
	canonicalRevision   = "service.istio.io/canonical-revision"
	proxyConfigKey      = "proxy.istio.io/config"
	discoveryEnabledKey = "discovery.mesh.gloo.solo.io/enabled"
)

// labelPair is a label in a namespace.
type labelPair struct{ namespace, key, value string }

// labelIndex finds objects by namespace and labels without scanning all of them.
// It holds positions in a list, ascending if they were added in ascending order.
type labelIndex map[labelPair][]int

func (x labelIndex) add(position int, namespace string, labels map[string]string) {
	for k, v := range labels {
		pair := labelPair{namespace, k, v}
		x[pair] = append(x[pair], position)
	}
}

// candidates returns the shortest list that holds every object of the namespace
// carrying all of the labels. Callers must still compare the labels. Without
// labels there are no candidates, because an empty Service selector selects
// nothing.
func (x labelIndex) candidates(namespace string, labels map[string]string) []int {
	var best []int
	first := true
	for k, v := range labels {
		found := x[labelPair{namespace, k, v}]
		if first || len(found) < len(best) {
			best, first = found, false
		}
	}
	return best
}

// podsMatching returns an iterator over the pods of the namespace that carry
// all of the labels, in key order; none if there are no labels.
func (d *discoverer) podsMatching(namespace string, labels map[string]string) func(yield func(*corev1.Pod) bool) {
	return func(yield func(*corev1.Pod) bool) {
		for _, i := range d.podsByLabel.candidates(namespace, labels) {
			if pod := d.pods[i]; world.HasLabels(pod.Labels, labels) && !yield(pod) {
				return
			}
		}
	}
}

// copyLabels returns a copy, nil if there are none.
func copyLabels(labels map[string]string) map[string]string {
	if len(labels) == 0 {
		return nil
	}
	return maps.Clone(labels)
}
