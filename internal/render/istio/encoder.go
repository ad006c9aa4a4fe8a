package istio

import (
	"bytes"
	"fmt"
	"strings"

	yaml "go.yaml.in/yaml/v2"
	"google.golang.org/protobuf/proto"

	"github.com/meshctl/meshctl/internal/world"
)

// Encoder writes objects as YAML. It caches the text of parts that objects share,
// so use one Encoder for all objects of a Renderer. It is not safe for concurrent
// use.
type Encoder struct {
	specs       map[proto.Message][]byte
	annotations map[annotationsKey][]byte
	labels      map[[2]string][]byte
	scalars     map[string]string
}

// annotationsKey identifies equal annotations, because parents are shared, not
// copied.
type annotationsKey struct {
	parents   *world.ObjectID
	count     int
	federates string
}

// NewEncoder returns an Encoder with an empty cache.
func NewEncoder() *Encoder {
	return &Encoder{
		specs: map[proto.Message][]byte{}, annotations: map[annotationsKey][]byte{},
		labels: map[[2]string][]byte{}, scalars: map[string]string{},
	}
}

// YAML returns the object's manifest: the result of Fields with sorted keys, so
// that equal objects give equal bytes. It ends with a line break and has no
// document marker.
func (e *Encoder) YAML(o *Object) ([]byte, error) {
	spec, err := e.spec(o)
	if err != nil {
		return nil, err
	}
	annotations, err := e.annotationsOf(o)
	if err != nil {
		return nil, err
	}
	labels, err := e.labelsOf(o)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Grow(256 + len(annotations) + len(labels) + len(spec))
	fmt.Fprintf(&out, "apiVersion: %s\nkind: %s\nmetadata:\n", o.Kind.APIVersion(), o.Kind)
	out.Write(annotations)
	out.Write(labels)
	fmt.Fprintf(&out, "  name: %s\n  namespace: %s\n", e.scalar(o.Name), e.scalar(o.Namespace))
	out.Write(spec)
	return out.Bytes(), nil
}

// YAML returns the object's manifest; see Encoder.YAML.
func (o *Object) YAML() ([]byte, error) { return NewEncoder().YAML(o) }

func (e *Encoder) spec(o *Object) ([]byte, error) {
	if text, known := e.specs[o.Spec]; known {
		return text, nil
	}
	fields, err := o.specFields()
	if err != nil {
		return nil, err
	}
	text, err := section(o, "spec", fields, "")
	if err != nil {
		return nil, err
	}
	e.specs[o.Spec] = text
	return text, nil
}

func (e *Encoder) annotationsOf(o *Object) ([]byte, error) {
	key := annotationsKey{count: len(o.Parents), federates: o.Federates}
	if len(o.Parents) > 0 {
		key.parents = &o.Parents[0]
	}
	if text, known := e.annotations[key]; known {
		return text, nil
	}
	text, err := section(o, "annotations", plain(o.Annotations()), "  ")
	if err != nil {
		return nil, err
	}
	e.annotations[key] = text
	return text, nil
}

func (e *Encoder) labelsOf(o *Object) ([]byte, error) {
	key := [2]string{o.Owner, o.Cluster}
	if text, known := e.labels[key]; known {
		return text, nil
	}
	text, err := section(o, "labels", plain(o.Labels()), "  ")
	if err != nil {
		return nil, err
	}
	e.labels[key] = text
	return text, nil
}

// section writes one field with each line indented. Multi-line values are only
// broken where YAML folds or quotes them, so that the indentation does not change
// them.
func section(o *Object, name string, fields map[string]any, indentation string) ([]byte, error) {
	text, err := yaml.Marshal(map[string]any{name: fields})
	if err != nil {
		return nil, fmt.Errorf("write %s of %s as YAML: %w", name, o.ID(), err)
	}
	if indentation == "" {
		return text, nil
	}
	lines := strings.TrimSuffix(string(text), "\n")
	return []byte(indentation + strings.ReplaceAll(lines, "\n", "\n"+indentation) + "\n"), nil
}

// scalar writes a name, quoted if YAML would read it as another type.
func (e *Encoder) scalar(name string) string {
	if text, known := e.scalars[name]; known {
		return text
	}
	text, err := yaml.Marshal(name)
	if err != nil { // never happens for a string
		text = fmt.Appendf(nil, "%q", name)
	}
	e.scalars[name] = strings.TrimSuffix(string(text), "\n")
	return e.scalars[name]
}
