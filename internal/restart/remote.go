package restart

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/meshctl/meshctl/internal/kube"
)

// remote is a target that sends requests to a cluster.
type remote struct{ connection *kube.Connection }

func (r *remote) client(item *Item) (dynamic.ResourceInterface, error) {
	client, err := r.connection.Dynamic()
	if err != nil {
		return nil, err
	}
	return client.Resource(resourceOf(item.Kind)).Namespace(item.Namespace), nil
}

// resourceOf returns the resource of a kind that supports rolling restarts.
func resourceOf(kind string) schema.GroupVersionResource {
	return appsv1.SchemeGroupVersion.WithResource(strings.ToLower(kind) + "s")
}

func (r *remote) get(ctx context.Context, item *Item) (*unstructured.Unstructured, error) {
	client, err := r.client(item)
	if err != nil {
		return nil, err
	}
	object, err := client.Get(ctx, item.Name, metav1.GetOptions{})
	return object, r.connection.Explain("read "+item.String(), err)
}

// restart patches only the annotation, and only if the object is still the one in the plan.
func (r *remote) restart(ctx context.Context, item *Item, restartedAt string, dryRun bool) error {
	client, err := r.client(item)
	if err != nil {
		return err
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"uid": item.uid},
		"spec":     map[string]any{"template": map[string]any{"metadata": map[string]any{"annotations": map[string]any{RestartedAtAnnotation: restartedAt}}}},
	})
	if err != nil {
		return err
	}
	opts := metav1.PatchOptions{FieldManager: kube.DefaultFieldManager}
	if dryRun {
		opts.DryRun = []string{metav1.DryRunAll}
	}
	_, err = client.Patch(ctx, item.Name, types.MergePatchType, patch, opts)
	return r.connection.Explain("restart "+item.String(), err)
}

// Permissions returns the distinct permissions needed to run the plan.
func (p *Plan) Permissions() []kube.Permission {
	var permissions []kube.Permission
	seen := map[kube.Permission]bool{}
	for i := range p.Items {
		item := &p.Items[i]
		if item.Action != ActionRestart {
			continue
		}
		resource := resourceOf(item.Kind)
		permission := kube.Permission{Verb: "patch", Group: resource.Group, Resource: resource.Resource, Namespace: item.Namespace}
		if !seen[permission] {
			seen[permission] = true
			permissions = append(permissions, permission)
		}
	}
	return permissions
}

// Missing returns the permissions needed to run the plan that the connection lacks. It writes
// nothing. It returns an error if the cluster cannot be asked.
func Missing(ctx context.Context, c *kube.Connection, plan *Plan) ([]kube.Permission, error) {
	wanted := plan.Permissions()
	// Most users have the permissions in all namespaces, so try that first: it takes fewer
	// requests.
	var everywhere []kube.Permission
	for _, permission := range wanted {
		permission.Namespace = ""
		if !slices.Contains(everywhere, permission) {
			everywhere = append(everywhere, permission)
		}
	}
	missing, err := kube.Missing(ctx, c, everywhere)
	if err != nil || len(missing) == 0 {
		return nil, err
	}
	return kube.Missing(ctx, c, wanted)
}
