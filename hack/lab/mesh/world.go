//go:build linux

package mesh

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

// OptionsOf returns the clusters that a world needs.
func OptionsOf(world *worldgen.World) []ClusterOptions {
	var options []ClusterOptions
	for i := range world.Clusters {
		options = append(options, ClusterOptions{
			Name: world.Clusters[i].Name, Domain: world.Clusters[i].Domain, MeshConfig: meshConfigOf(&world.Clusters[i]),
		})
	}
	return options
}

func meshConfigOf(c *worldgen.Cluster) map[string]any {
	config := maps.Clone(c.MeshConfig)
	if config == nil {
		config = map[string]any{}
	}
	config["trustDomain"] = c.TrustDomain
	return config
}

// Deploy deploys a world and lets meshctl do the rest, as a person would:
// discover what is there, create the resources, issue certificates, restart
// what runs with others, and apply. The clusters must be managed already.
func (l *Lab) Deploy(ctx context.Context, world *worldgen.World) error {
	if err := l.deployObjects(ctx, world); err != nil {
		return err
	}
	return l.Govern(ctx, world)
}

// deployObjects creates the world's objects, and waits until all pods are
// ready.
func (l *Lab) deployObjects(ctx context.Context, world *worldgen.World) error {
	if err := l.SetFlat(ctx, world.Flat); err != nil {
		return err
	}
	return l.eachCluster(func(c *Cluster) error {
		there := world.Cluster(c.Name)
		if there == nil {
			return nil
		}
		config := meshConfigOf(there)
		if !sameJSON(config, c.options.MeshConfig) {
			if err := c.Reconfigure(ctx, config, c.options.IstiodEnv); err != nil {
				return err
			}
		}
		if err := c.Objects.Apply(ctx, there.Objects...); err != nil {
			return err
		}
		return c.AwaitAll(ctx)
	})
}

// Govern lets meshctl discover, create, issue, restart and apply.
func (l *Lab) Govern(ctx context.Context, world *worldgen.World) error {
	if _, err := l.Meshctl(ctx, nil, "discover"); err != nil {
		return err
	}
	management, err := NewObjects(l.fleet.Cluster(Management).Admin().Config())
	if err != nil {
		return err
	}
	if err := management.Apply(ctx, world.Management...); err != nil {
		return err
	}
	if err := l.Trust(ctx, world); err != nil {
		return err
	}
	_, err = l.Meshctl(ctx, nil, "apply", "--yes")
	return err
}

// Trust issues the certificates of a world's virtual meshes and restarts what
// runs with others.
func (l *Lab) Trust(ctx context.Context, world *worldgen.World) error {
	for i := range world.Management {
		object := &world.Management[i]
		// The certificates of the world before are those of another virtual mesh.
		if object.GetKind() != "VirtualMesh" {
			continue
		}
		if _, found, _ := unstructured.NestedMap(object.Object, "spec", "mtlsConfig", "shared"); !found {
			continue
		}
		if _, err := l.Meshctl(ctx, nil, "trust", "issue", object.GetName(), "--yes", "--force-takeover"); err != nil {
			return err
		}
		if _, err := l.Meshctl(ctx, nil, "mesh", "restart", "--virtual-mesh", object.GetName(), "--yes"); err != nil {
			return err
		}
		// Pods have new addresses.
		if _, err := l.Meshctl(ctx, nil, "discover"); err != nil {
			return err
		}
	}
	return nil
}

// eachCluster calls the function for all clusters at the same time.
func (l *Lab) eachCluster(f func(*Cluster) error) error {
	errs := make([]error, len(l.Clusters))
	var group sync.WaitGroup
	for i, c := range l.Clusters {
		group.Go(func() {
			if err := f(c); err != nil {
				errs[i] = fmt.Errorf("cluster %s: %w", c.Name, err)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}

// keptNamespaces are not part of worlds.
func keptNamespaces() []string {
	return []string{metav1.NamespaceDefault, metav1.NamespaceSystem, metav1.NamespacePublic, "kube-node-lease", istioSystem, worldgen.ManagementNamespace}
}

// configurationKinds are those of Istio's objects.
func configurationKinds() map[string][]string {
	return map[string][]string{
		"networking.istio.io/v1": {"VirtualService", "DestinationRule", "ServiceEntry", "Gateway", "Sidecar", "WorkloadEntry"},
		"security.istio.io/v1":   {"AuthorizationPolicy", "PeerAuthentication", "RequestAuthentication"},
	}
}

// Clear removes a world: all namespaces but those of Kubernetes, Istio and
// meshctl, Istio's configuration, gateways, and meshctl's resources. Clusters
// stay registered and keep their certificates.
func (l *Lab) Clear(ctx context.Context) error {
	management, err := NewObjects(l.fleet.Cluster(Management).Admin().Config())
	if err != nil {
		return err
	}
	for apiVersion, kinds := range map[string][]string{
		"networking.mesh.gloo.solo.io/v1": {"TrafficPolicy", "AccessPolicy", "VirtualMesh"},
		"discovery.mesh.gloo.solo.io/v1":  {"Workload", "Destination", "Mesh"},
		"settings.mesh.gloo.solo.io/v1":   {"Settings"},
	} {
		for _, kind := range kinds {
			if err := deleteAll(ctx, management, apiVersion, kind, func(*unstructured.Unstructured) bool { return true }); err != nil {
				return err
			}
		}
	}
	return l.eachCluster(func(c *Cluster) error { return c.clear(ctx) })
}

func (c *Cluster) clear(ctx context.Context) error {
	for apiVersion, kinds := range configurationKinds() {
		for _, kind := range kinds {
			if err := deleteAll(ctx, c.Objects, apiVersion, kind, func(*unstructured.Unstructured) bool { return true }); err != nil {
				return err
			}
		}
	}
	notIstiod := func(o *unstructured.Unstructured) bool {
		return o.GetNamespace() == istioSystem && o.GetName() != "istiod"
	}
	for _, kind := range [][2]string{{"apps/v1", "Deployment"}, {"v1", "Service"}} {
		if err := deleteAll(ctx, c.Objects, kind[0], kind[1], notIstiod); err != nil {
			return err
		}
	}
	namespaces, err := c.Client.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	now := int64(0)
	var gone []string
	for i := range namespaces.Items {
		name := namespaces.Items[i].Name
		if slices.Contains(keptNamespaces(), name) {
			continue
		}
		gone = append(gone, name)
		if err := c.Client.CoreV1().Namespaces().Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
			return err
		}
		// Their pods need not end in an orderly way.
		if err := c.Client.CoreV1().Pods(name).DeleteCollection(ctx, metav1.DeleteOptions{GracePeriodSeconds: &now}, metav1.ListOptions{}); err != nil {
			return err
		}
	}
	return eventually(ctx, time.Minute, func(ctx context.Context) error {
		for _, name := range gone {
			_, err := c.Client.CoreV1().Namespaces().Get(ctx, name, metav1.GetOptions{})
			if err == nil {
				return fmt.Errorf("namespace %s of %s is still there", name, c.Name)
			}
			if !apierrors.IsNotFound(err) {
				return err
			}
		}
		return nil
	})
}

// deleteAll deletes the objects of a kind that the function picks.
func deleteAll(ctx context.Context, objects *Objects, apiVersion, kind string, pick func(*unstructured.Unstructured) bool) error {
	list, err := objects.List(ctx, apiVersion, kind)
	if err != nil {
		return err
	}
	for i := range list {
		if pick(&list[i]) {
			if err := objects.Delete(ctx, list[i]); err != nil {
				return err
			}
		}
	}
	return nil
}
