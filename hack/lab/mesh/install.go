//go:build linux

package mesh

import (
	"bytes"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/template"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

// istioSystem is the namespace of istiod.
const istioSystem = "istio-system"

//go:embed istiod.yaml
var istiodManifest string

// install installs Istio as its charts would, and waits until istiod is ready
// and pods are injected.
func (c *Cluster) install(ctx context.Context) error {
	crds, err := os.ReadFile(filepath.Join(c.lab.options.Programs, "crds.yaml"))
	if err != nil {
		return err
	}
	if err := c.Objects.ApplyYAML(ctx, string(crds)); err != nil {
		return err
	}
	if err := c.Objects.Apply(ctx, c.options.Objects...); err != nil {
		return err
	}
	if err := c.applyIstiod(ctx); err != nil {
		return err
	}
	if err := c.AwaitDeployment(ctx, istioSystem, "istiod"); err != nil {
		return err
	}
	return c.awaitInjection(ctx)
}

// Reconfigure changes the mesh's configuration and istiod's variables. istiod
// is replaced if its variables change.
func (c *Cluster) Reconfigure(ctx context.Context, meshConfig map[string]any, env map[string]string) error {
	c.options.MeshConfig, c.options.IstiodEnv = meshConfig, env
	if err := c.applyIstiod(ctx); err != nil {
		return err
	}
	return c.AwaitDeployment(ctx, istioSystem, "istiod")
}

func (c *Cluster) applyIstiod(ctx context.Context) error {
	config, err := yaml.Marshal(c.meshConfig())
	if err != nil {
		return err
	}
	tag, err := os.ReadFile(filepath.Join(c.lab.options.Programs, "version"))
	if err != nil {
		return err
	}
	manifest, err := template.New("istiod").Parse(istiodManifest)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := manifest.Execute(&text, map[string]any{
		"Cluster": c.Name, "Domain": c.Domain, "MeshConfig": string(config), "Tag": string(bytes.TrimSpace(tag)), "Env": c.options.IstiodEnv,
		"EnvNames": slices.Sorted(maps.Keys(c.options.IstiodEnv)),
	}); err != nil {
		return err
	}
	return c.Objects.ApplyYAML(ctx, text.String())
}

// meshConfig returns the configuration of the mesh: what every lab has, and
// above it what the options say.
func (c *Cluster) meshConfig() map[string]any {
	config := map[string]any{
		"trustDomain": "cluster.local", "rootNamespace": istioSystem, "enablePrometheusMerge": false,
		// Statistics and metadata exchange need filters of Istio's own Envoy.
		"defaultProviders": map[string]any{},
		"accessLogFile":    "/dev/stdout", "accessLogEncoding": "JSON", "accessLogFormat": accessLogFormat,
		"defaultConfig": map[string]any{
			"discoveryAddress": "istiod.istio-system.svc:15012", "meshId": "lab", "concurrency": 1,
			"drainDuration": "2s", "terminationDrainDuration": "1s",
			"proxyMetadata": map[string]any{"ISTIO_META_DNS_CAPTURE": "true"},
		},
	}
	merge(config, c.options.MeshConfig)
	return config
}

// accessLogFormat is what can be told of a request afterwards.
const accessLogFormat = `{"id":"%REQ(X-LAB-ID)%","flags":"%RESPONSE_FLAGS%","details":"%RESPONSE_CODE_DETAILS%",` +
	`"code":"%RESPONSE_CODE%","authority":"%REQ(:AUTHORITY)%","cluster":"%UPSTREAM_CLUSTER%","upstream":"%UPSTREAM_HOST%",` +
	`"failure":"%UPSTREAM_TRANSPORT_FAILURE_REASON%","termination":"%CONNECTION_TERMINATION_DETAILS%","sni":"%REQUESTED_SERVER_NAME%"}`

// merge adds the values to the map, and descends into maps that both have.
func merge(into, values map[string]any) {
	for key, value := range values {
		below, ok := into[key].(map[string]any)
		more, both := value.(map[string]any)
		if ok && both {
			merge(below, more)
			continue
		}
		into[key] = value
	}
}

// patience is how long a Deployment may take on a busy machine.
const patience = 3 * time.Minute

// AwaitDeployment waits until all pods of a Deployment are of its newest
// revision and ready.
func (c *Cluster) AwaitDeployment(ctx context.Context, namespace, name string) error {
	return eventually(ctx, patience, func(ctx context.Context) error {
		deployment, err := c.Client.AppsV1().Deployments(namespace).Get(ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		want, status := int32(1), deployment.Status
		if deployment.Spec.Replicas != nil {
			want = *deployment.Spec.Replicas
		}
		if status.ObservedGeneration < deployment.Generation || status.UpdatedReplicas != want || status.ReadyReplicas != want || status.Replicas != want {
			return fmt.Errorf("%d of %d pods of Deployment %s/%s are ready", status.ReadyReplicas, want, namespace, name)
		}
		return nil
	})
}

// AwaitAll waits until all Deployments of the cluster are ready.
func (c *Cluster) AwaitAll(ctx context.Context) error {
	deployments, err := c.Client.AppsV1().Deployments(metav1.NamespaceAll).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	var errs []error
	for i := range deployments.Items {
		errs = append(errs, c.AwaitDeployment(ctx, deployments.Items[i].Namespace, deployments.Items[i].Name))
	}
	return errors.Join(errs...)
}

// awaitInjection waits until the API server adds sidecars to pods: policies of
// admission take effect in their own time.
func (c *Cluster) awaitInjection(ctx context.Context) error {
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "injection", Labels: map[string]string{"sidecar.istio.io/inject": "true"}},
		Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "app", Image: "lab/echo"}}},
	}
	return eventually(ctx, patience, func(ctx context.Context) error {
		created, err := c.Client.CoreV1().Pods(istioSystem).Create(ctx, pod, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}})
		if err != nil {
			return err
		}
		if len(created.Spec.Containers) != 2 {
			return errors.New("pods are not injected")
		}
		return nil
	})
}
