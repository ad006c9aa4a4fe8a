package restart

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	policyv1 "k8s.io/api/policy/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// InspectOptions configure Inspect.
type InspectOptions struct {
	// ManagementNamespace is the namespace of the Mesh resources, which are named as discovery
	// names them; world.DefaultNamespace if empty.
	ManagementNamespace string
	// Settings determine how gateways are recognised; nil for the defaults.
	Settings *settingsv1.Settings
	// Deadline limits the reading of a cluster; kube.DefaultDeadline if 0.
	Deadline time.Duration
}

// Inspect reads everything that NewPlan needs from a cluster. It writes nothing. It returns a
// *kube.Error if the cluster cannot be used or if a required kind cannot be listed, and the
// error of ctx. If the CA of a mesh cannot be read, the error is in MeshFacts.TrustErr.
func Inspect(ctx context.Context, c *kube.Connection, opts InspectOptions) (Facts, error) {
	found, err := inventory.Discover(ctx, inventory.DiscoverOptions{
		Connections: []*kube.Connection{c}, ManagementNamespace: opts.ManagementNamespace, Settings: opts.Settings,
		Deadline: opts.Deadline, Members: true,
	})
	if err != nil {
		return Facts{}, err
	}
	if found[0].Err != nil {
		return Facts{}, found[0].Err
	}
	for _, u := range found[0].Unlisted {
		if slices.Contains([]string{kindDeployment, kindDaemonSet, kindStatefulSet, "ReplicaSet", "Pod", "ConfigMap"}, u.Kind.Kind) {
			return Facts{}, u.Err
		}
	}
	in := &found[0].Input
	facts := Facts{
		Cluster: c.Name, Deployments: in.Deployments, DaemonSets: in.DaemonSets, StatefulSets: in.StatefulSets,
		ReplicaSets: in.ReplicaSets, Pods: in.Pods,
	}
	for _, m := range found[0].Members {
		mesh := MeshFacts{
			Name: m.Mesh.Name, Namespace: m.Mesh.Namespace, InstallationNamespace: m.ControlPlane.Namespace,
			ControlPlane: Ref(m.ControlPlane), Members: make([]Member, 0, len(m.Pods)),
		}
		for _, pod := range m.Pods {
			mesh.Members = append(mesh.Members, Member{Namespace: pod.Namespace, Name: pod.Name, Owner: Ref(pod.Owner), Gateway: pod.Gateway})
		}
		facts.Meshes = append(facts.Meshes, mesh)
	}
	if err := readTrust(ctx, c, &facts, found[0].Output.Meshes); err != nil {
		return Facts{}, err
	}
	return facts, readBudgets(ctx, c, &facts)
}

// Inspected is the result of inspecting one cluster.
type Inspected struct {
	Facts Facts
	// Err is the error of Inspect.
	Err error
}

// InspectAll inspects several clusters in parallel and returns the results in the order of the
// connections.
func InspectAll(ctx context.Context, connections []*kube.Connection, opts InspectOptions) []Inspected {
	return kube.Each(connections, func(c *kube.Connection) Inspected {
		facts, err := Inspect(ctx, c, opts)
		return Inspected{facts, err}
	})
}

// readTrust reads when the CAs of the Istio meshes last changed.
func readTrust(ctx context.Context, c *kube.Connection, facts *Facts, meshes []discoveryv1.Mesh) error {
	for i := range facts.Meshes {
		mesh := &facts.Meshes[i]
		if !slices.ContainsFunc(meshes, func(m discoveryv1.Mesh) bool { return m.Name == mesh.Name && m.Spec.Istio != nil }) {
			continue
		}
		mesh.TrustChanged, _, mesh.TrustErr = authorityChangedAt(ctx, c, mesh.InstallationNamespace)
		var e *kube.Error
		if errors.As(mesh.TrustErr, &e) && e.WholeCluster() {
			return e
		}
	}
	return ctx.Err()
}

// readBudgets reads the PodDisruptionBudgets. They are only used for notes, so a missing
// permission is not an error.
func readBudgets(ctx context.Context, c *kube.Connection, facts *Facts) error {
	type read struct {
		budget policyv1.PodDisruptionBudget
		err    error
	}
	all, err := kube.List(ctx, c, policyv1.SchemeGroupVersion.WithResource("poddisruptionbudgets"), kube.ListOptions{},
		func(u *unstructured.Unstructured) read {
			var r read
			r.err = runtime.DefaultUnstructuredConverter.FromUnstructured(u.Object, &r.budget)
			return r
		})
	var e *kube.Error
	if errors.As(err, &e) && !e.WholeCluster() {
		return ctx.Err()
	}
	if err != nil {
		return err
	}
	for _, r := range all {
		if r.err != nil {
			return fmt.Errorf("read the PodDisruptionBudgets of cluster %s: %w", c.Name, r.err)
		}
		facts.Budgets = append(facts.Budgets, r.budget)
	}
	return nil
}
