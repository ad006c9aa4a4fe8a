package judge_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/hack/lab/judge"
	"github.com/meshctl/meshctl/hack/lab/worldgen"
)

var root = filepath.Join("..", "..", "..")

// built is where the product was built, "" if no test needed it.
var built string

// meshctl is the product, built once.
var meshctl = sync.OnceValues(func() (string, error) {
	directory, err := os.MkdirTemp("", "judge")
	if err != nil {
		return "", err
	}
	built = directory
	binary := filepath.Join(directory, "meshctl")
	build := exec.Command("go", "build", "-C", root, "-o", binary, "./cmd/meshctl")
	if output, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build meshctl: %w\n%s", err, output)
	}
	return binary, nil
})

func TestMain(m *testing.M) {
	code := m.Run()
	if built != "" {
		os.RemoveAll(built)
	}
	os.Exit(code)
}

func run(t *testing.T, args ...string) []byte {
	t.Helper()
	binary, err := meshctl()
	if err != nil {
		t.Fatal(err)
	}
	command := exec.Command(binary, args...)
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil && stdout.Len() == 0 {
		t.Fatalf("meshctl %s: %v\n%s", strings.Join(args, " "), err, stderr.String())
	}
	return stdout.Bytes()
}

// described returns what the product says about a world, as if it were deployed:
// the pods that controllers, injection and the lab would add are added here.
func described(t *testing.T, w worldgen.World) judge.Descriptions {
	t.Helper()
	directory := t.TempDir()
	args := []string{"discover", "-o", "yaml"}
	for i, c := range w.Clusters {
		file := filepath.Join(directory, "dump-"+c.Name+".yaml")
		write(t, file, deployed(c, i+1))
		args = append(args, "--from", c.Name+"="+file)
	}
	found := filepath.Join(directory, "world")
	if err := os.Mkdir(found, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(found, "discovered.yaml"), run(t, args...), 0o600); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(found, "management.yaml"), w.Management)
	text := run(t, "describe", "workload", "-f", found, "--all-destinations", "-o", "json")
	d, err := judge.ReadDescriptions(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func write(t *testing.T, file string, objects []unstructured.Unstructured) {
	t.Helper()
	var b bytes.Buffer
	for _, o := range objects {
		text, err := yaml.Marshal(o.Object)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("---\n")
		b.Write(text)
	}
	if err := os.WriteFile(file, b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// deployed returns the objects of a cluster with istiod and pods.
func deployed(c worldgen.Cluster, number int) []unstructured.Unstructured {
	mesh := map[string]any{"trustDomain": c.TrustDomain}
	for key, value := range c.MeshConfig {
		mesh[key] = value
	}
	text, err := yaml.Marshal(mesh)
	if err != nil {
		panic(err)
	}
	parse := func(text string) unstructured.Unstructured {
		var o unstructured.Unstructured
		if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
			panic(err)
		}
		return o
	}
	config := parse(`{apiVersion: v1, kind: ConfigMap, metadata: {name: istio, namespace: istio-system}}`)
	config.Object["data"] = map[string]any{"mesh": string(text)}
	objects := []unstructured.Unstructured{config, parse(`{apiVersion: apps/v1, kind: Deployment, metadata: {name: istiod, namespace: istio-system},
  spec: {selector: {matchLabels: {istio: pilot}}, template: {metadata: {labels: {istio: pilot}}, spec: {serviceAccountName: istiod, containers: [{name: discovery, image: docker.io/istio/pilot:1.31.0}]}}}}`)}
	injected := map[string]bool{}
	pods := 0
	for _, o := range c.Objects {
		o = *o.DeepCopy()
		switch o.GetKind() {
		case "Namespace":
			injected[o.GetName()] = o.GetLabels()["istio-injection"] == "enabled"
		case "Service":
			if kind, _, _ := unstructured.NestedString(o.Object, "spec", "type"); kind == "LoadBalancer" {
				o.Object["status"] = map[string]any{"loadBalancer": map[string]any{"ingress": []any{map[string]any{"ip": fmt.Sprintf("198.51.100.%d", number)}}}}
			}
		case "Deployment":
			pods++
			objects = append(objects, podsOf(o, injected[o.GetNamespace()], fmt.Sprintf("10.%d.0.%d", number, pods))...)
		}
		objects = append(objects, o)
	}
	return objects
}

func podsOf(deployment unstructured.Unstructured, injected bool, ip string) []unstructured.Unstructured {
	template, _, _ := unstructured.NestedMap(deployment.Object, "spec", "template")
	labels := template["metadata"].(map[string]any)["labels"]
	spec := template["spec"].(map[string]any)
	if injected {
		spec["containers"] = append(spec["containers"].([]any), map[string]any{"name": "istio-proxy", "image": "docker.io/istio/proxyv2:1.31.0"})
	}
	owned := func(apiVersion, kind, name, ownerVersion, ownerKind, owner string, content map[string]any) unstructured.Unstructured {
		content["apiVersion"], content["kind"] = apiVersion, kind
		content["metadata"] = map[string]any{"name": name, "namespace": deployment.GetNamespace(), "labels": labels, "ownerReferences": []any{
			map[string]any{"apiVersion": ownerVersion, "kind": ownerKind, "name": owner, "controller": true, "uid": "uid-" + owner},
		}}
		return unstructured.Unstructured{Object: content}
	}
	name := deployment.GetName()
	return []unstructured.Unstructured{
		owned("apps/v1", "ReplicaSet", name+"-1", "apps/v1", "Deployment", name, map[string]any{"spec": map[string]any{"template": template}}),
		owned("v1", "Pod", name+"-1-1", "apps/v1", "ReplicaSet", name+"-1", map[string]any{
			"spec": spec, "status": map[string]any{"phase": "Running", "podIP": ip, "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}},
		}),
	}
}
