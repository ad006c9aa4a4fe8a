//go:build unix

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// sidecar is what the injection of Istio would have added: here nobody injects.
const sidecarName, sidecarImage = "istio-proxy", "docker.io/istio/proxyv2:1.26.2"

// populate gives a cluster the Deployments, Services and settings of a dump; the
// cluster makes the pods and the rest of it.
func populate(ctx context.Context, c *clustertest.Cluster, dump string) error {
	objects, err := readDump(dump)
	if err != nil {
		return err
	}
	p := populator{ctx: ctx, cluster: c}
	if p.client, err = dynamic.NewForConfig(c.Admin().Config()); err != nil {
		return err
	}
	for _, object := range objects {
		if err := p.create(object); err != nil {
			return fmt.Errorf("cluster %s: %s %s: %w", c.Name, object.GetKind(), object.GetName(), err)
		}
	}
	return nil
}

// installDefinitions creates the CustomResourceDefinitions of a file in a cluster.
func installDefinitions(ctx context.Context, c *clustertest.Cluster, file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	client, err := dynamic.NewForConfig(c.Admin().Config())
	if err != nil {
		return err
	}
	definitions := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	for document := range strings.SplitSeq(string(text), "\n---\n") {
		definition := &unstructured.Unstructured{}
		if err := yaml.Unmarshal([]byte(document), &definition.Object); err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		if definition.GetKind() == "" {
			continue
		}
		if _, err := client.Resource(definitions).Create(ctx, definition, metav1.CreateOptions{}); err != nil {
			return fmt.Errorf("cluster %s: %s: %w", c.Name, definition.GetName(), err)
		}
	}
	return nil
}

// readDump returns the objects of the files in a directory.
func readDump(dir string) ([]*unstructured.Unstructured, error) {
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil {
		return nil, err
	}
	var objects []*unstructured.Unstructured
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		var list struct {
			Items []map[string]any `json:"items"`
		}
		if err := yaml.Unmarshal(text, &list); err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		for _, item := range list.Items {
			objects = append(objects, &unstructured.Unstructured{Object: item})
		}
	}
	return objects, nil
}

// populator writes the objects of one cluster.
type populator struct {
	ctx     context.Context
	cluster *clustertest.Cluster
	client  dynamic.Interface
}

func (p *populator) create(object *unstructured.Unstructured) error {
	switch object.GetKind() {
	case "ConfigMap":
		return p.createIn(schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}, object)
	case "Service":
		return p.createService(object)
	case "Deployment":
		return p.createDeployment(object)
	default: // The cluster makes it, or has its own.
		return nil
	}
}

func (p *populator) createService(object *unstructured.Unstructured) error {
	for _, field := range []string{"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "healthCheckNodePort"} {
		unstructured.RemoveNestedField(object.Object, "spec", field)
	}
	ports, _, _ := unstructured.NestedSlice(object.Object, "spec", "ports")
	for i := range ports {
		if port, isMap := ports[i].(map[string]any); isMap {
			delete(port, "nodePort")
		}
	}
	if err := unstructured.SetNestedSlice(object.Object, ports, "spec", "ports"); err != nil {
		return err
	}
	status, hasStatus := object.Object["status"]
	services := schema.GroupVersionResource{Version: "v1", Resource: "services"}
	if err := p.createIn(services, object); err != nil || !hasStatus {
		return err
	}
	patch, err := json.Marshal(map[string]any{"status": status})
	if err != nil {
		return err
	}
	_, err = p.client.Resource(services).Namespace(object.GetNamespace()).
		Patch(p.ctx, object.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	return err
}

func (p *populator) createDeployment(object *unstructured.Unstructured) error {
	template := []string{"spec", "template", "spec"}
	containers, _, err := unstructured.NestedSlice(object.Object, append(template, "containers")...)
	if err != nil {
		return err
	}
	// Control planes need none, neither Istio's nor that of Kubernetes.
	if object.GetName() != "istiod" && object.GetNamespace() != metav1.NamespaceSystem {
		containers = withSidecar(containers)
	}
	if err := unstructured.SetNestedSlice(object.Object, containers, append(template, "containers")...); err != nil {
		return err
	}
	account, _, err := unstructured.NestedString(object.Object, append(template, "serviceAccountName")...)
	if err != nil {
		return err
	}
	if err := p.ensureAccount(object.GetNamespace(), account); err != nil {
		return err
	}
	return p.createIn(schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}, object)
}

// withSidecar returns the containers with the proxy, whose image the injection
// fills in for gateways.
func withSidecar(containers []any) []any {
	for _, c := range containers {
		if container, isMap := c.(map[string]any); isMap && container["name"] == sidecarName {
			container["image"] = sidecarImage
			return containers
		}
	}
	return append(containers, map[string]any{"name": sidecarName, "image": sidecarImage})
}

func (p *populator) ensureAccount(namespace, name string) error {
	if name == "" || name == "default" {
		return nil
	}
	account := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ServiceAccount"}}
	account.SetName(name)
	account.SetNamespace(namespace)
	return p.createIn(schema.GroupVersionResource{Version: "v1", Resource: "serviceaccounts"}, account)
}

// createIn creates an object as nobody has seen it before, with its namespace.
// One that exists stays as it is.
func (p *populator) createIn(resource schema.GroupVersionResource, object *unstructured.Unstructured) error {
	client, err := p.cluster.Clientset()
	if err != nil {
		return err
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: object.GetNamespace()}}
	if _, err := client.CoreV1().Namespaces().Create(p.ctx, namespace, metav1.CreateOptions{}); err != nil && !apierrors.IsAlreadyExists(err) {
		return err
	}
	object.SetResourceVersion("")
	object.SetUID("")
	object.SetManagedFields(nil)
	object.SetOwnerReferences(nil)
	unstructured.RemoveNestedField(object.Object, "metadata", "creationTimestamp")
	unstructured.RemoveNestedField(object.Object, "metadata", "generation")
	delete(object.Object, "status")
	_, err = p.client.Resource(resource).Namespace(object.GetNamespace()).Create(p.ctx, object, metav1.CreateOptions{})
	if apierrors.IsAlreadyExists(err) {
		return nil
	}
	return err
}
