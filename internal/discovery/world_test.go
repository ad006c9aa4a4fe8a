package discovery_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/discovery"
	settingsv1 "github.com/meshctl/meshctl/pkg/api/settings/v1"
)

// readInput reads the manifests of one cluster. Unknown fields are errors: a
// typing mistake must not make a case pass.
func readInput(cluster string, manifests []byte) (discovery.Input, error) {
	in := discovery.Input{Cluster: cluster}
	for _, document := range documents(manifests) {
		if err := addDocument(&in, document); err != nil {
			return in, fmt.Errorf("%w in\n%s", err, document)
		}
	}
	return in, nil
}

func documents(manifests []byte) [][]byte {
	var found [][]byte
	for _, document := range bytes.Split(append([]byte("\n"), manifests...), []byte("\n---\n")) {
		if len(bytes.TrimSpace(document)) > 0 {
			found = append(found, document)
		}
	}
	return found
}

func addDocument(in *discovery.Input, document []byte) error {
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal(document, &meta); err != nil {
		return err
	}
	switch meta.Kind {
	case "Deployment":
		return add(&in.Deployments, document)
	case "DaemonSet":
		return add(&in.DaemonSets, document)
	case "StatefulSet":
		return add(&in.StatefulSets, document)
	case "ReplicaSet":
		return add(&in.ReplicaSets, document)
	case "Pod":
		return add(&in.Pods, document)
	case "Service":
		return add(&in.Services, document)
	case "EndpointSlice":
		return add(&in.EndpointSlices, document)
	case "ConfigMap":
		return add(&in.ConfigMaps, document)
	case "Node":
		return add(&in.Nodes, document)
	case "Namespace":
		return add(&in.Namespaces, document)
	case "Settings":
		in.Settings = &settingsv1.Settings{}
		return yaml.UnmarshalStrict(document, in.Settings)
	case "Mesh":
		var object map[string]any
		err := yaml.Unmarshal(document, &object)
		in.AppMeshes = append(in.AppMeshes, unstructured.Unstructured{Object: object})
		return err
	default:
		return fmt.Errorf("unknown kind %q", meta.Kind)
	}
}

func add[T any](list *[]T, document []byte) error {
	var object T
	err := yaml.UnmarshalStrict(document, &object)
	*list = append(*list, object)
	return err
}

// mustRead is readInput for tests.
func mustRead(t *testing.T, manifests string) discovery.Input {
	t.Helper()
	in, err := readInput("east", []byte(manifests))
	if err != nil {
		t.Fatal(err)
	}
	return in
}

// shuffled returns the input with every list in another order.
func shuffled(random *rand.Rand, in discovery.Input) discovery.Input {
	in.Deployments = shuffle(random, in.Deployments)
	in.DaemonSets = shuffle(random, in.DaemonSets)
	in.StatefulSets = shuffle(random, in.StatefulSets)
	in.ReplicaSets = shuffle(random, in.ReplicaSets)
	in.Pods = shuffle(random, in.Pods)
	in.Services = shuffle(random, in.Services)
	in.EndpointSlices = shuffle(random, in.EndpointSlices)
	in.ConfigMaps = shuffle(random, in.ConfigMaps)
	in.Nodes = shuffle(random, in.Nodes)
	in.Namespaces = shuffle(random, in.Namespaces)
	in.AppMeshes = shuffle(random, in.AppMeshes)
	return in
}

func shuffle[T any](random *rand.Rand, list []T) []T {
	list = slices.Clone(list)
	random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
	return list
}

// text writes an output: the objects as manifests, then the notes.
func text(t *testing.T, out discovery.Output) string {
	t.Helper()
	var b strings.Builder
	write := func(object any) {
		data, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		b.WriteString("---\n")
		b.Write(data)
	}
	for _, o := range out.Meshes {
		write(o)
	}
	for _, o := range out.Workloads {
		write(o)
	}
	for _, o := range out.Destinations {
		write(o)
	}
	if len(out.Notes) > 0 {
		b.WriteString("--- # notes\n")
	}
	for _, n := range out.Notes {
		skipped := ""
		if n.Skipped {
			skipped = " (skipped)"
		}
		fmt.Fprintf(&b, "# %s%s: %s\n#   %s\n", n.Object, skipped, n.Message, n.Hint)
	}
	return b.String()
}

// repeats reports whether the input holds an object twice.
func repeats(in discovery.Input) bool {
	return slices.ContainsFunc(discovery.Discover(in).Notes, func(n discovery.Note) bool {
		return strings.Contains(n.Message, "occurs twice")
	})
}
