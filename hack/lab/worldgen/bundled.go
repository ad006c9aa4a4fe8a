package worldgen

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// Bundled returns the bundled world, bookinfo in two clusters, from the root of
// the repository: what the dumps of both clusters hold that can be deployed
// again, and the policies. Its meshes have two trust domains, so each is told to
// accept the other's.
func Bundled(root string) (World, error) {
	w := World{Name: "bookinfo"}
	for _, name := range []string{"east", "west"} {
		c, err := dumped(name, filepath.Join(root, "testdata", "dumps", name))
		if err != nil {
			return World{}, fmt.Errorf("read the dump of cluster %s: %w", name, err)
		}
		w.Clusters = append(w.Clusters, c)
	}
	AcceptTrustDomains(w.Clusters)
	directory := filepath.Join(root, "testdata", "worlds", "bookinfo-two-clusters")
	for _, part := range []string{"settings.yaml", "virtualmesh.yaml", "traffic", "access"} {
		objects, err := readObjects(filepath.Join(directory, part))
		if err != nil {
			return World{}, fmt.Errorf("read the policies of the bundled world: %w", err)
		}
		w.Management = append(w.Management, objects...)
	}
	return w, nil
}

// dumped returns a cluster as it can be created anew.
func dumped(name, directory string) (Cluster, error) {
	objects, err := readObjects(directory)
	if err != nil {
		return Cluster{}, err
	}
	c := Cluster{Name: name, Domain: defaultDomain, TrustDomain: defaultDomain}
	proxy := proxyImage(objects)
	byKind := map[string][]unstructured.Unstructured{}
	for _, o := range objects {
		switch {
		case o.GetKind() == "ConfigMap" && o.GetName() == "istio":
			if err := c.readMeshConfig(o); err != nil {
				return Cluster{}, err
			}
		case keep(o):
			clean(o)
			setImage(o, proxy)
			byKind[o.GetKind()] = append(byKind[o.GetKind()], o)
		}
	}
	byKind["ServiceAccount"] = accountsOf(byKind["Deployment"])
	for _, kind := range []string{"Namespace", "ServiceAccount", "Deployment", "Service"} {
		c.Objects = append(c.Objects, byKind[kind]...)
	}
	return c, nil
}

// keep reports whether an object of a dump is deployed again: no istiod, which
// the lab brings, nothing of Kubernetes itself, and nothing that controllers
// make.
func keep(o unstructured.Unstructured) bool {
	if !slices.Contains([]string{"Namespace", "Deployment", "Service"}, o.GetKind()) {
		return false
	}
	const system = "kube-system"
	return o.GetNamespace() != system && o.GetName() != system && o.GetName() != "istiod"
}

// clean drops what an API server fills in.
func clean(o unstructured.Unstructured) {
	metadata := object{"name": o.GetName()}
	for _, field := range []string{"namespace", "labels", "annotations"} {
		if value, found, _ := unstructured.NestedFieldNoCopy(o.Object, "metadata", field); found {
			metadata[field] = value
		}
	}
	if labels, found := metadata["labels"].(object); found {
		delete(labels, "kubernetes.io/metadata.name")
	}
	o.Object["metadata"] = metadata
	delete(o.Object, "status")
	if o.GetKind() == "Namespace" {
		delete(o.Object, "spec")
	}
	for _, field := range []string{"clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy", "sessionAffinity"} {
		unstructured.RemoveNestedField(o.Object, "spec", field)
	}
	ports, _, _ := unstructured.NestedSlice(o.Object, "spec", "ports")
	for _, p := range ports {
		delete(p.(object), "nodePort")
	}
	if ports != nil {
		o.Object["spec"].(object)["ports"] = ports
	}
}

// proxyImage returns the image that injection gave to the pods of a dump.
func proxyImage(objects []unstructured.Unstructured) string {
	for _, o := range objects {
		containers, _, _ := unstructured.NestedSlice(o.Object, "spec", "containers")
		for _, c := range containers {
			if image, _, _ := unstructured.NestedString(c.(object), "image"); o.GetKind() == "Pod" && strings.Contains(image, "proxyv2") {
				return image
			}
		}
	}
	return "docker.io/istio/proxyv2:1.31.0"
}

// setImage writes the image of a proxy where a Deployment leaves that to
// injection.
func setImage(o unstructured.Unstructured, image string) {
	path := []string{"spec", "template", "spec", "containers"}
	containers, found, _ := unstructured.NestedSlice(o.Object, path...)
	if !found {
		return
	}
	for _, c := range containers {
		if container := c.(object); container["image"] == "auto" {
			container["image"] = image
		}
	}
	_ = unstructured.SetNestedSlice(o.Object, containers, path...) // it was there
}

// accountsOf returns the ServiceAccounts that Deployments name.
func accountsOf(deployments []unstructured.Unstructured) []unstructured.Unstructured {
	var keys []string
	for _, o := range deployments {
		name, _, _ := unstructured.NestedString(o.Object, "spec", "template", "spec", "serviceAccountName")
		if name != "" && name != "default" {
			keys = append(keys, o.GetNamespace()+"/"+name)
		}
	}
	slices.Sort(keys)
	var accounts []unstructured.Unstructured
	for _, key := range slices.Compact(keys) {
		namespace, name, _ := strings.Cut(key, "/")
		accounts = append(accounts, manifest(named("v1", "ServiceAccount", namespace, name, nil)))
	}
	return accounts
}

// readMeshConfig takes from a dump what the lab does not decide itself.
func (c *Cluster) readMeshConfig(configMap unstructured.Unstructured) error {
	text, _, err := unstructured.NestedString(configMap.Object, "data", "mesh")
	if err != nil {
		return fmt.Errorf("read the mesh's configuration: %w", err)
	}
	config := object{}
	if err := yaml.Unmarshal([]byte(text), &config); err != nil {
		return fmt.Errorf("read the mesh's configuration: %w", err)
	}
	if domain, found := config["trustDomain"].(string); found {
		c.TrustDomain = domain
	}
	c.MeshConfig = object{}
	if proxies, found, _ := unstructured.NestedMap(config, "defaultConfig", "proxyMetadata"); found {
		c.MeshConfig["defaultConfig"] = object{"proxyMetadata": proxies}
	}
	return nil
}

// readObjects reads a file or all YAML files of a directory, lists taken apart.
func readObjects(path string) ([]unstructured.Unstructured, error) {
	files := []string{path}
	if !strings.HasSuffix(path, ".yaml") {
		var err error
		if files, err = filepath.Glob(filepath.Join(path, "*.yaml")); err != nil {
			return nil, err
		}
		slices.Sort(files)
	}
	var objects []unstructured.Unstructured
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		found, err := decode(text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", file, err)
		}
		objects = append(objects, found...)
	}
	if len(objects) == 0 {
		return nil, fmt.Errorf("there are no objects in %s", path)
	}
	return objects, nil
}

func decode(text []byte) ([]unstructured.Unstructured, error) {
	var objects []unstructured.Unstructured
	documents := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return objects, nil
		}
		if err != nil {
			return nil, err
		}
		var content object
		if err := yaml.Unmarshal(document, &content); err != nil {
			return nil, err
		}
		if len(content) == 0 {
			continue
		}
		items, isList := content["items"].(list)
		if !isList {
			items = list{content}
		}
		for _, item := range items {
			fields, isObject := item.(object)
			if !isObject {
				return nil, errors.New("an item of a list is no object")
			}
			objects = append(objects, manifest(fields))
		}
	}
}
