package registration

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
)

// forget deletes the registration, and the objects discovered on the cluster, from the
// management cluster.
func (d *deregistrar) forget(ctx context.Context) (string, error) {
	m := d.found.member
	discovered, err := d.forgetDiscovered(ctx)
	if err != nil {
		return "", err
	}
	keys := []kube.ObjectKey{m.registrationKey()}
	if d.found.secret != nil {
		keys = append(keys, kube.ObjectKey{GVK: kube.SecretKind(), Namespace: m.namespace, Name: d.found.secretName})
	}
	for _, key := range keys {
		result := kube.Delete(ctx, d.management, key, kube.DeleteOptions{Owner: m.labels()})
		if result.Err != nil {
			return "", result.Err
		}
		d.result.Results = append(d.result.Results, result)
	}
	if discovered == 0 {
		return "", nil
	}
	return "with " + text.Count(discovered, "discovered object"), nil
}

// discoveredKinds returns the kinds that discovery writes, in the order of deletion.
func discoveredKinds() []schema.GroupVersionKind {
	discovery := schema.GroupVersion{Group: "discovery.mesh.gloo.solo.io", Version: "v1"}
	return []schema.GroupVersionKind{discovery.WithKind("Destination"), discovery.WithKind("Workload"), discovery.WithKind("Mesh")}
}

// discovered lists the discovered objects of the cluster, and returns the labels that identify
// them.
func (d *deregistrar) discovered(ctx context.Context, gvk schema.GroupVersionKind) ([]metav1.ObjectMeta, map[string]string, error) {
	owner := map[string]string{discoveryOwnerLabel: d.opts.Namespace, discoveredInLabel: d.opts.Cluster}
	selector := metav1.FormatLabelSelector(&metav1.LabelSelector{MatchLabels: owner})
	resource, err := d.management.Resource(ctx, gvk)
	if kube.IsReason(err, kube.ReasonNoSuchKind) {
		return nil, owner, nil
	}
	if err != nil {
		return nil, owner, err
	}
	found, err := kube.ListMetadata(ctx, d.management, resource.GroupVersionResource, kube.ListOptions{Namespace: d.opts.Namespace, Labels: selector})
	return found, owner, err
}

// forgetDiscovered deletes the discovered objects of the cluster and returns their number.
func (d *deregistrar) forgetDiscovered(ctx context.Context) (int, error) {
	total := 0
	for _, gvk := range discoveredKinds() {
		found, owner, err := d.discovered(ctx, gvk)
		if err != nil {
			return total, err
		}
		results := kube.ParallelRequests(found, func(object metav1.ObjectMeta) *kube.Error {
			return kube.Delete(ctx, d.management, kube.ObjectKey{GVK: gvk, Namespace: object.Namespace, Name: object.Name}, kube.DeleteOptions{Owner: owner}).Err
		})
		for _, e := range results {
			if e != nil {
				return total, e
			}
		}
		total += len(found)
	}
	return total, nil
}
