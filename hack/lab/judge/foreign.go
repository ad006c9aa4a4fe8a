package judge

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// foreign is an object of Istio that somebody else wrote.
type foreign struct {
	cluster, domain string
	unstructured.Unstructured
}

// touched returns tags for the foreign objects that may change what becomes of a
// question. They are part of the world, so that a disagreement on such a
// question can be told from others.
func (f *facts) touched(q Question) []string {
	var tags []string
	for _, o := range f.foreign {
		if f.touches(o, q) {
			tags = append(tags, "foreign "+o.GetKind())
		}
	}
	return tags
}

func (f *facts) touches(o foreign, q Question) bool {
	text := func(path ...string) []string {
		if value, found, _ := unstructured.NestedString(o.Object, path...); found {
			return []string{value}
		}
		values, _, _ := unstructured.NestedStringSlice(o.Object, path...)
		return values
	}
	selects := func(ref WorkloadRef, path ...string) bool {
		labels, _, _ := unstructured.NestedStringMap(o.Object, path...)
		w := f.workloads[ref]
		everywhere := o.GetNamespace() == "istio-system"
		return w != nil && w.Cluster == o.cluster && (everywhere || w.Namespace == o.GetNamespace()) && hasLabels(w.labels, labels)
	}
	switch o.GetKind() {
	case "AuthorizationPolicy", "PeerAuthentication":
		return slices.ContainsFunc(q.backends(), func(b Backend) bool { return selects(b.Workload, "spec", "selector", "matchLabels") })
	case "Sidecar":
		return selects(q.From, "spec", "workloadSelector", "labels")
	case "VirtualService", "ServiceEntry", "DestinationRule":
		hosts := append(text("spec", "hosts"), text("spec", "host")...)
		return slices.ContainsFunc(q.targets(), func(to Ref) bool {
			if o.cluster != q.From.Cluster && o.cluster != to.Cluster {
				return false
			}
			own := fmt.Sprintf("%s.%s.svc.%s", to.Name, to.Namespace, o.domain)
			federated := fmt.Sprintf("%s.%s.svc.%s.", to.Name, to.Namespace, to.Cluster)
			return slices.ContainsFunc(hosts, func(host string) bool {
				return to.Cluster == o.cluster && host == own || strings.HasPrefix(host, federated)
			})
		})
	default:
		return true
	}
}

// backends returns all who may get the request or a copy of it.
func (q Question) backends() []Backend {
	var all []Backend
	for _, s := range q.Expect.Shares {
		all = append(all, s.Backends...)
	}
	if q.Expect.Mirror != nil {
		all = append(all, q.Expect.Mirror.Backends...)
	}
	return all
}

// targets returns all Services that the request or a copy of it may go to.
func (q Question) targets() []Ref {
	all := []Ref{q.To}
	for _, s := range q.Expect.Shares {
		all = append(all, s.To)
	}
	if q.Expect.Mirror != nil {
		all = append(all, q.Expect.Mirror.To)
	}
	return all
}
