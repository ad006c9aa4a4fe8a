//go:build linux

package mesh

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/hack/lab/node"
)

// About returns Istio's objects of the cluster that name the host, as YAML.
func (c *Cluster) About(ctx context.Context, host string) (string, error) {
	var b strings.Builder
	for apiVersion, kinds := range configurationKinds() {
		for _, kind := range kinds {
			objects, err := c.Objects.List(ctx, apiVersion, kind)
			if err != nil {
				return b.String(), err
			}
			for i := range objects {
				text, err := json.Marshal(objects[i].Object["spec"])
				if err != nil || (!strings.Contains(string(text), host) && !strings.HasPrefix(apiVersion, "security")) {
					continue
				}
				spec, err := yaml.JSONToYAML(text)
				if err != nil {
					continue
				}
				fmt.Fprintf(&b, "# %s: %s %s/%s\n%s", c.Name, kind, objects[i].GetNamespace(), objects[i].GetName(), spec)
			}
		}
	}
	return b.String(), nil
}

// ConfigAbout returns what the configuration of a pod's Envoy says about a
// host: its clusters and virtual hosts.
func ConfigAbout(ctx context.Context, pod *node.Pod, host string) (string, error) {
	dump, err := adminPage(ctx, pod, "/config_dump?include_eds")
	if err != nil {
		return "", err
	}
	var parsed any
	if err := json.Unmarshal(dump, &parsed); err != nil {
		return "", fmt.Errorf("read the configuration of %s/%s: %w", pod.Namespace, pod.Name, err)
	}
	var b strings.Builder
	about(&b, parsed, host)
	return b.String(), nil
}

// about writes the smallest named parts of a configuration whose names contain
// the host.
func about(b *strings.Builder, value any, host string) {
	switch v := value.(type) {
	case []any:
		for _, element := range v {
			about(b, element, host)
		}
	case map[string]any:
		for _, key := range []string{"name", "cluster_name", "service_name"} {
			if name, ok := v[key].(string); ok && strings.Contains(name, host) {
				if text, err := yaml.Marshal(v); err == nil {
					b.Write(text)
					b.WriteString("---\n")
				}
				return
			}
		}
		for _, element := range v {
			about(b, element, host)
		}
	}
}
