package inventory

import (
	"context"
	"errors"
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	discoveryk8sv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/discovery"
	"github.com/meshctl/meshctl/internal/kube"
)

// rawReader reads the objects of a cluster that discovery uses.
type rawReader struct {
	connection *kube.Connection
	scheme     *runtime.Scheme
	kinds      []discovery.Kind
	// failed holds, for each kind, why it could not be listed. Each element is written by one
	// question only.
	failed []error
	// failedRemoteSecrets is why remote secrets could not be listed, unless they may
	// not be.
	failedRemoteSecrets error
	input               discovery.Input
}

// discoveryScheme returns a scheme with the built-in kinds that discovery uses. Registering
// all kinds of Kubernetes would take longer than many commands.
func discoveryScheme() (*runtime.Scheme, error) {
	scheme := runtime.NewScheme()
	for _, add := range []func(*runtime.Scheme) error{corev1.AddToScheme, appsv1.AddToScheme, discoveryk8sv1.AddToScheme} {
		if err := add(scheme); err != nil {
			return nil, fmt.Errorf("register the built-in kinds: %w", err)
		}
	}
	return scheme, nil
}

func newRawReader(c *kube.Connection, scheme *runtime.Scheme) *rawReader {
	kinds := discovery.Kinds()
	return &rawReader{connection: c, scheme: scheme, kinds: kinds, failed: make([]error, len(kinds)), input: discovery.Input{Cluster: c.Name}}
}

// questions returns the requests to the cluster, one for each kind.
func (r *rawReader) questions() []kube.Question {
	var questions []kube.Question
	deployed := make(chan struct{})
	for i, kind := range r.kinds {
		questions = append(questions, func(ctx context.Context) error {
			err := r.read(ctx, kind, deployed)
			var e *kube.Error
			if kind.Optional && errors.As(err, &e) && e.Reason == kube.ReasonNoSuchKind {
				err = nil
			}
			r.failed[i] = err
			return err
		})
	}
	return append(questions, func(ctx context.Context) error {
		r.failedRemoteSecrets = r.readRemoteSecrets(ctx, deployed)
		return r.failedRemoteSecrets
	})
}

// readRemoteSecrets reads the metadata of Istio's remote secrets, and never their
// content. Whoever may not list Secrets, as the credentials of registered clusters,
// does without: which clusters the mesh spans is then not known.
func (r *rawReader) readRemoteSecrets(ctx context.Context, deployed <-chan struct{}) error {
	select {
	case <-deployed:
	case <-ctx.Done():
		return ctx.Err()
	}
	found := []metav1.ObjectMeta{}
	for _, namespace := range discovery.RemoteSecretNamespaces(r.input.Deployments) {
		metas, err := kube.ListMetadata(ctx, r.connection, schema.GroupVersionResource{Version: "v1", Resource: "secrets"},
			kube.ListOptions{Namespace: namespace, Labels: discovery.RemoteSecretLabels})
		var e *kube.Error
		switch {
		case errors.As(err, &e) && e.Skippable():
			return nil
		case err != nil:
			return err
		}
		found = append(found, metas...)
	}
	r.input.RemoteSecrets = found
	return nil
}

// unlisted returns the kinds that could not be listed. It may be called once all questions are
// answered.
func (r *rawReader) unlisted() []Unlisted {
	var unlisted []Unlisted
	for i, err := range r.failed {
		var e *kube.Error
		if errors.As(err, &e) {
			unlisted = append(unlisted, Unlisted{Kind: r.kinds[i], Err: e})
		}
	}
	return unlisted
}

// sawNothing reports whether none of the kinds that every cluster has could be listed.
// ConfigMaps do not count: they are only read if there are Deployments.
func (r *rawReader) sawNothing() bool {
	for i, kind := range r.kinds {
		if r.failed[i] == nil && !kind.Optional && kind.Kind != "ConfigMap" {
			return false
		}
	}
	return true
}

// read reads one kind into the input. ConfigMaps wait for the Deployments, which determine the
// namespaces to read: meshctl does not read the many other ConfigMaps, which may be
// confidential.
func (r *rawReader) read(ctx context.Context, kind discovery.Kind, deployed chan struct{}) error {
	in := &r.input
	var err error
	switch kind.GroupResource() {
	case schema.GroupResource{Group: appsv1.GroupName, Resource: "deployments"}:
		defer close(deployed)
		in.Deployments, err = listRaw(ctx, r, kind, &appsv1.DeploymentList{}, func(d *appsv1.Deployment) { discovery.TrimPod(&d.Spec.Template.Spec) })
	case schema.GroupResource{Group: appsv1.GroupName, Resource: "daemonsets"}:
		in.DaemonSets, err = listRaw(ctx, r, kind, &appsv1.DaemonSetList{}, func(d *appsv1.DaemonSet) { discovery.TrimPod(&d.Spec.Template.Spec) })
	case schema.GroupResource{Group: appsv1.GroupName, Resource: "statefulsets"}:
		in.StatefulSets, err = listRaw(ctx, r, kind, &appsv1.StatefulSetList{}, func(s *appsv1.StatefulSet) { discovery.TrimPod(&s.Spec.Template.Spec) })
	case schema.GroupResource{Group: appsv1.GroupName, Resource: "replicasets"}:
		metas, listErr := kube.ListMetadata(ctx, r.connection, kind.GroupVersionResource, kube.ListOptions{})
		err = listErr
		for _, meta := range metas {
			in.ReplicaSets = append(in.ReplicaSets, appsv1.ReplicaSet{ObjectMeta: meta})
		}
	case schema.GroupResource{Resource: "pods"}:
		in.Pods, err = listRaw(ctx, r, kind, &corev1.PodList{}, func(p *corev1.Pod) {
			discovery.TrimPod(&p.Spec)
			p.Status.Conditions, p.Status.ContainerStatuses, p.Status.InitContainerStatuses = nil, nil, nil
		})
	case schema.GroupResource{Resource: "services"}:
		in.Services, err = listRaw(ctx, r, kind, &corev1.ServiceList{}, func(*corev1.Service) {})
	case schema.GroupResource{Group: discoveryk8sv1.GroupName, Resource: "endpointslices"}:
		in.EndpointSlices, err = listRaw(ctx, r, kind, &discoveryk8sv1.EndpointSliceList{}, func(*discoveryk8sv1.EndpointSlice) {})
	case schema.GroupResource{Resource: "configmaps"}:
		return r.readConfigMaps(ctx, kind, deployed)
	case schema.GroupResource{Resource: "nodes"}:
		in.Nodes, err = listRaw(ctx, r, kind, &corev1.NodeList{}, func(*corev1.Node) {})
	case schema.GroupResource{Resource: "namespaces"}:
		metas, listErr := kube.ListMetadata(ctx, r.connection, kind.GroupVersionResource, kube.ListOptions{})
		err = listErr
		for _, meta := range metas {
			in.Namespaces = append(in.Namespaces, corev1.Namespace{ObjectMeta: meta})
		}
	case schema.GroupResource{Group: "appmesh.k8s.aws", Resource: "meshes"}:
		in.AppMeshes, err = kube.List(ctx, r.connection, kind.GroupVersionResource, kube.ListOptions{},
			func(u *unstructured.Unstructured) unstructured.Unstructured { return *u })
	default:
		return fmt.Errorf("no reader for resource %s", kind.GroupVersionResource)
	}
	return err
}

// readConfigMaps reads the ConfigMaps in the namespaces of control planes.
func (r *rawReader) readConfigMaps(ctx context.Context, kind discovery.Kind, deployed <-chan struct{}) error {
	select {
	case <-deployed:
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, namespace := range discovery.ControlPlaneNamespaces(r.input.Deployments) {
		found, err := kube.ListTyped(ctx, r.connection, r.scheme, kind.GroupVersionResource, &corev1.ConfigMapList{},
			kube.ListOptions{Namespace: namespace}, func(*corev1.ConfigMap) {})
		if err != nil {
			return err
		}
		r.input.ConfigMaps = append(r.input.ConfigMaps, found...)
	}
	return nil
}

func listRaw[T any](ctx context.Context, r *rawReader, kind discovery.Kind, list runtime.Object, trim func(*T)) ([]T, error) {
	return kube.ListTyped(ctx, r.connection, r.scheme, kind.GroupVersionResource, list, kube.ListOptions{}, trim)
}
