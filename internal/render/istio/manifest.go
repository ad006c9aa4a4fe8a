package istio

import (
	"encoding/json"
	"fmt"
	"strings"

	utiljson "k8s.io/apimachinery/pkg/util/json"

	"github.com/meshctl/meshctl/internal/world"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	"github.com/meshctl/meshctl/pkg/api/naming"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// Labels returns the labels of the object.
func (o *Object) Labels() map[string]string {
	return OwnerLabels(o.Owner, o.Cluster)
}

// OwnerLabels returns the labels of all objects that are rendered for a
// management namespace and a cluster.
func OwnerLabels(namespace, cluster string) map[string]string {
	return map[string]string{OwnerLabel: namespace, ClusterLabel: ClusterLabelValue(cluster)}
}

// Annotations returns the annotations of the object.
func (o *Object) Annotations() map[string]string {
	annotations := map[string]string{ParentsAnnotation: parentsText(o.Parents)}
	if o.Federates != "" {
		annotations[FederationAnnotation] = o.Federates
	}
	return annotations
}

// ClusterLabelValue returns the value of ClusterLabel for a cluster: its name,
// converted if it is not a valid label value.
func ClusterLabelValue(cluster string) string {
	if isLabelValue(cluster) {
		return cluster
	}
	return naming.Sanitise(cluster)
}

// parentsText encodes parents as JSON: a list of names and namespaces by type.
func parentsText(parents []world.ObjectID) string {
	type ref struct {
		Name      string `json:"name"`
		Namespace string `json:"namespace"`
	}
	byType := map[string][]ref{}
	for _, p := range parents {
		version := networkingv1.GroupVersion()
		if p.Kind == kindDestination {
			version = discoveryv1.GroupVersion()
		}
		key := version.WithKind(p.Kind).String()
		byType[key] = append(byType[key], ref{p.Name, p.Namespace})
	}
	text, err := json.Marshal(byType)
	if err != nil {
		return "{}" // never happens: strings can always be encoded
	}
	return string(text)
}

// ParentsIn parses the value of a ParentsAnnotation and returns the parents,
// sorted; none if it is invalid.
func ParentsIn(text string) []world.ObjectID {
	var byType map[string][]struct{ Name, Namespace string }
	if json.Unmarshal([]byte(text), &byType) != nil {
		return nil
	}
	var parents []world.ObjectID
	for key, refs := range byType {
		_, kind, typed := strings.Cut(key, ", Kind=")
		for _, ref := range refs {
			if typed && ref.Name != "" {
				parents = append(parents, world.ObjectID{Kind: kind, Namespace: ref.Namespace, Name: ref.Name})
			}
		}
	}
	return sortedIDs(parents)
}

// Fields returns the object as a manifest in plain values, without status and
// server-side fields, as kubectl apply accepts it. The caller may modify the
// result.
func (o *Object) Fields() (map[string]any, error) {
	spec, err := o.specFields()
	if err != nil {
		return nil, err
	}
	return map[string]any{
		"apiVersion": o.Kind.APIVersion(), "kind": string(o.Kind), "spec": spec,
		"metadata": map[string]any{
			"name": o.Name, "namespace": o.Namespace, "labels": plain(o.Labels()), "annotations": plain(o.Annotations()),
		},
	}, nil
}

func (o *Object) specFields() (map[string]any, error) {
	spec := map[string]any{}
	text, err := json.Marshal(o.Spec)
	if err == nil {
		err = utiljson.Unmarshal(text, &spec)
	}
	if err != nil {
		return nil, fmt.Errorf("write the specification of %s: %w", o.ID(), err)
	}
	writeZeroEnums(o.Spec.ProtoReflect(), spec)
	return spec, nil
}

func plain(texts map[string]string) map[string]any {
	values := make(map[string]any, len(texts))
	for k, v := range texts {
		values[k] = v
	}
	return values
}
