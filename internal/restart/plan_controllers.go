package restart

import (
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
)

// RestartedAtAnnotation is the annotation of the pod template that triggers a restart, as set
// by `kubectl rollout restart`.
const RestartedAtAnnotation = "kubectl.kubernetes.io/restartedAt"

// controller is a Deployment, DaemonSet or StatefulSet.
type controller struct {
	meta     *metav1.ObjectMeta
	template *corev1.PodTemplateSpec
	// object is the whole Deployment, DaemonSet or StatefulSet.
	object runtime.Object
}

// index builds the lookup tables of the planner.
func (p *planner) index() {
	f := p.facts
	p.controllers = make(map[Ref]*controller, len(f.Deployments)+len(f.DaemonSets)+len(f.StatefulSets))
	add := func(kind string, meta *metav1.ObjectMeta, template *corev1.PodTemplateSpec, object runtime.Object) {
		p.controllers[Ref{kind, meta.Namespace, meta.Name}] = &controller{meta, template, object}
	}
	for i := range f.Deployments {
		o := &f.Deployments[i]
		add(kindDeployment, &o.ObjectMeta, &o.Spec.Template, o)
	}
	for i := range f.DaemonSets {
		o := &f.DaemonSets[i]
		add(kindDaemonSet, &o.ObjectMeta, &o.Spec.Template, o)
	}
	for i := range f.StatefulSets {
		o := &f.StatefulSets[i]
		add(kindStatefulSet, &o.ObjectMeta, &o.Spec.Template, o)
	}
	deployments := map[Ref]Ref{}
	for i := range f.ReplicaSets {
		set := &f.ReplicaSets[i]
		deployments[Ref{"ReplicaSet", set.Namespace, set.Name}] = ownerOf(&set.ObjectMeta)
	}
	p.pods = make(map[podName]*podFacts, len(f.Pods))
	for i := range f.Pods {
		pod := &f.Pods[i]
		if pod.DeletionTimestamp != nil || pod.Status.Phase == corev1.PodSucceeded || pod.Status.Phase == corev1.PodFailed {
			continue // ended pods do not use their certificates
		}
		owner := ownerOf(&pod.ObjectMeta)
		if of := deployments[owner]; of != (Ref{}) {
			owner = of
		}
		p.pods[podName{pod.Namespace, pod.Name}] = &podFacts{created: pod.CreationTimestamp.Time, labels: pod.Labels, owner: owner}
	}
}

// ownerOf returns the controller of an object; the zero value if it has none.
func ownerOf(meta *metav1.ObjectMeta) Ref {
	ref := metav1.GetControllerOfNoCopy(meta)
	if ref == nil {
		return Ref{}
	}
	return Ref{Kind: ref.Kind, Namespace: meta.Namespace, Name: ref.Name}
}

// resumed reports whether the run to resume has already restarted the item.
func (p *planner) resumed(item *Item) bool {
	c := p.controllers[item.Ref]
	return c != nil && p.opts.RestartedAt != "" && c.template.Annotations[RestartedAtAnnotation] == p.opts.RestartedAt
}

// underWay reports whether the item is already being restarted since the reason for the
// restart arose, and what its rollout is waiting for. A restart that has finished, or that the
// controller has given up, is not under way.
func (p *planner) underWay(item *Item, resumed bool) (bool, string) {
	c := p.controllers[item.Ref]
	if c == nil {
		return false, ""
	}
	if !resumed {
		if p.threshold.IsZero() || p.opts.AllWorkloads || p.opts.RestartedAt != "" || len(p.opts.Namespaces[item.Namespace]) > 0 {
			return false, ""
		}
		at, err := time.Parse(time.RFC3339, c.template.Annotations[RestartedAtAnnotation])
		if err != nil || !at.After(p.mesh.TrustChanged) || p.controlPlaneOutdated && item.Stage != StageControlPlane {
			return false, ""
		}
	}
	message, done, err := rolloutStatus(item.Kind, c.object)
	return err == nil && !done, message
}
