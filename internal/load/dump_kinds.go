package load

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryk8sv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	meshdiscovery "github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/validation"
)

// rawObjects collects the objects that discovery uses from files.
type rawObjects struct {
	input meshdiscovery.Input
	// count is the number of objects of each kind.
	count map[string]int
}

// kinds returns a table that decodes the kinds of discovery into the input and ignores all
// others, whatever their group.
func (r *rawObjects) kinds() (kindTable, error) {
	table := kindTable{open: true}
	in := &r.input
	for _, kind := range meshdiscovery.Kinds() {
		var known modelledKind
		switch kind.GroupResource() {
		case schema.GroupResource{Group: appsv1.GroupName, Resource: "deployments"}:
			known = rawKind(r, kind, &in.Deployments, func(d *appsv1.Deployment) { meshdiscovery.TrimPod(&d.Spec.Template.Spec) })
		case schema.GroupResource{Group: appsv1.GroupName, Resource: "daemonsets"}:
			known = rawKind(r, kind, &in.DaemonSets, func(d *appsv1.DaemonSet) { meshdiscovery.TrimPod(&d.Spec.Template.Spec) })
		case schema.GroupResource{Group: appsv1.GroupName, Resource: "statefulsets"}:
			known = rawKind(r, kind, &in.StatefulSets, func(s *appsv1.StatefulSet) { meshdiscovery.TrimPod(&s.Spec.Template.Spec) })
		case schema.GroupResource{Group: appsv1.GroupName, Resource: "replicasets"}:
			known = rawKind(r, kind, &in.ReplicaSets, func(s *appsv1.ReplicaSet) { *s = appsv1.ReplicaSet{ObjectMeta: s.ObjectMeta} })
		case schema.GroupResource{Resource: "pods"}:
			known = rawKind(r, kind, &in.Pods, func(p *corev1.Pod) {
				meshdiscovery.TrimPod(&p.Spec)
				p.Status.Conditions, p.Status.ContainerStatuses, p.Status.InitContainerStatuses = nil, nil, nil
			})
		case schema.GroupResource{Resource: "services"}:
			known = rawKind(r, kind, &in.Services, func(*corev1.Service) {})
		case schema.GroupResource{Group: discoveryk8sv1.GroupName, Resource: "endpointslices"}:
			known = rawKind(r, kind, &in.EndpointSlices, func(*discoveryk8sv1.EndpointSlice) {})
		case schema.GroupResource{Resource: "configmaps"}:
			known = rawKind(r, kind, &in.ConfigMaps, func(*corev1.ConfigMap) {})
		case schema.GroupResource{Resource: "nodes"}:
			known = rawKind(r, kind, &in.Nodes, func(n *corev1.Node) { n.Namespace = "" })
		case schema.GroupResource{Resource: "namespaces"}:
			known = rawKind(r, kind, &in.Namespaces, func(n *corev1.Namespace) {
				*n = corev1.Namespace{ObjectMeta: n.ObjectMeta}
				n.Namespace = ""
			})
		case schema.GroupResource{Group: "appmesh.k8s.aws", Resource: "meshes"}:
			known = r.appMeshKind(kind)
		default:
			return kindTable{}, fmt.Errorf("no reader for resource %s", kind.GroupVersionResource)
		}
		table.modelled = append(table.modelled, known)
	}
	return table, nil
}

// rawKind returns how to decode a built-in kind into a list. trim removes the fields that
// discovery does not use.
func rawKind[T any, P interface {
	*T
	metav1.Object
}](r *rawObjects, kind meshdiscovery.Kind, list *[]T, trim func(*T),
) modelledKind {
	return modelledKind{
		gvk: kind.GroupVersion().WithKind(kind.Kind),
		decode: func(object map[string]any, _ world.Origin, _ []string) (func(*world.Objects), error) {
			decoded := new(T)
			if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object, decoded); err != nil {
				return nil, err
			}
			P(decoded).SetAnnotations(withoutLastApplied(P(decoded).GetAnnotations()))
			trim(decoded)
			return func(*world.Objects) {
				*list = append(*list, *decoded)
				r.count[kind.Kind]++
			}, nil
		},
	}
}

// withoutLastApplied removes kubectl's copy of the whole object.
func withoutLastApplied(annotations map[string]string) map[string]string {
	delete(annotations, "kubectl.kubernetes.io/last-applied-configuration")
	return annotations
}

func (r *rawObjects) appMeshKind(kind meshdiscovery.Kind) modelledKind {
	return modelledKind{
		gvk: kind.GroupVersion().WithKind(kind.Kind),
		decode: func(object map[string]any, _ world.Origin, _ []string) (func(*world.Objects), error) {
			unstructured.RemoveNestedField(object, "metadata", "namespace")
			return func(*world.Objects) {
				r.input.AppMeshes = append(r.input.AppMeshes, unstructured.Unstructured{Object: object})
				r.count[kind.Kind]++
			}, nil
		},
	}
}

// acceptAll is a checker that accepts everything: objects printed by a cluster have passed its
// validation.
type acceptAll struct{}

// Check implements checker.
func (acceptAll) Check(schema.GroupVersionKind, map[string]any) (validation.Report, error) {
	return validation.Report{}, nil
}
