//go:build linux

package mesh

import (
	"context"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/hack/lab/node"
)

// Configuration returns the objects of Istio in the cluster, but not the lab's
// own, by kind, namespace and name.
func (c *Cluster) Configuration(ctx context.Context) (map[string]unstructured.Unstructured, error) {
	found := map[string]unstructured.Unstructured{}
	for apiVersion, kinds := range configurationKinds() {
		for _, kind := range kinds {
			objects, err := c.Objects.List(ctx, apiVersion, kind)
			if err != nil {
				return nil, err
			}
			for i := range objects {
				if objects[i].GetName() != markName {
					found[kind+" "+objects[i].GetNamespace()+"/"+objects[i].GetName()] = objects[i]
				}
			}
		}
	}
	return found, nil
}

// Connections returns how many connections a pod's Envoy has made to the
// endpoints that one of its clusters has now.
func Connections(ctx context.Context, pod *node.Pod, cluster string) (int, error) {
	page, err := adminPage(ctx, pod, "/clusters")
	if err != nil {
		return 0, err
	}
	total := 0
	for line := range strings.Lines(string(page)) {
		fields := strings.Split(strings.TrimSpace(line), "::")
		if len(fields) == 4 && fields[0] == cluster && fields[2] == "cx_total" {
			n, err := strconv.Atoi(fields[3])
			if err != nil {
				return 0, fmt.Errorf("read the connections of %s/%s: %w", pod.Namespace, pod.Name, err)
			}
			total += n
		}
	}
	return total, nil
}

// Rejected returns the listeners of a pod's Envoy whose newest version it did not
// accept, and why.
func Rejected(dump []byte) (map[string]string, error) {
	var parsed struct {
		Configs []struct {
			DynamicListeners []struct {
				Name       string `json:"name"`
				ErrorState struct {
					Details string `json:"details"`
				} `json:"error_state"`
			} `json:"dynamic_listeners"`
		} `json:"configs"`
	}
	if err := json.Unmarshal(dump, &parsed); err != nil {
		return nil, err
	}
	rejected := map[string]string{}
	for i := range parsed.Configs {
		for _, listener := range parsed.Configs[i].DynamicListeners {
			if listener.ErrorState.Details != "" {
				rejected[listener.Name] = listener.ErrorState.Details
			}
		}
	}
	return rejected, nil
}
