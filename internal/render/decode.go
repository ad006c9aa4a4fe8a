package render

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	kjson "sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/pkg/api/validation"
)

// Validate holds a resource against the CRD of its kind and the rules of
// metadata. The error lists every violation as PATH: MESSAGE.
func Validate(v *validation.Validator, o Object) error {
	fields, err := manifestFields(o)
	if err != nil {
		return err
	}
	apiVersion, kind := typeOf(o)
	return checkFields(v, schema.FromAPIVersionAndKind(apiVersion, kind), fields)
}

// checkFields reports unknown fields, which it removes, and violations.
func checkFields(v *validation.Validator, gvk schema.GroupVersionKind, fields map[string]any) error {
	report, err := v.Check(gvk, fields)
	if err != nil {
		return err
	}
	var errs []error
	for _, u := range report.Unknown {
		message := u.Path + ": unknown field"
		if u.Suggestion != "" {
			message += "; did you mean " + u.Suggestion + "?"
		}
		errs = append(errs, errors.New(message))
	}
	for _, e := range report.Errors {
		errs = append(errs, fmt.Errorf("%s: %s", e.Path, e.Message))
	}
	return errors.Join(errs...)
}

// Decode reads one manifest of the kind, in YAML or JSON. What only a server
// writes is dropped: status, and metadata besides name, namespace, labels and
// annotations. Everything wrong with the manifest is reported at once: unknown
// fields, with the field that was probably meant, and violations of the schema.
func (k Kind[I, O]) Decode(v *validation.Validator, data []byte) (O, error) {
	o := k.empty()
	fields, err := onlyDocument(data)
	if err != nil {
		return o, err
	}
	if err := k.checkType(fields); err != nil {
		return o, err
	}
	if err := checkFields(v, k.GVK, fields); err != nil {
		return o, err
	}
	delete(fields, "status")
	encoded, err := json.Marshal(fields)
	if err != nil {
		return o, fmt.Errorf("read the %s: %w", k.GVK.Kind, err)
	}
	if err := json.Unmarshal(encoded, o); err != nil {
		return o, fmt.Errorf("read the %s: %w", k.GVK.Kind, err)
	}
	dropServerMetadata(o)
	return o, nil
}

// checkType refuses other kinds, and Lists.
func (k Kind[I, O]) checkType(fields map[string]any) error {
	apiVersion, _ := fields["apiVersion"].(string)
	kind, _ := fields["kind"].(string)
	wanted := k.GVK.GroupVersion().String()
	switch {
	case apiVersion == "" || kind == "":
		return fmt.Errorf("the manifest does not say what it is; it needs apiVersion: %s and kind: %s", wanted, k.GVK.Kind)
	case fields["items"] != nil:
		return fmt.Errorf("the manifest is a list (%s); give one %s", kind, k.GVK.Kind)
	case kind != k.GVK.Kind:
		return fmt.Errorf("the manifest is of kind %s, not %s", kind, k.GVK.Kind)
	case apiVersion != wanted:
		return fmt.Errorf("the manifest has apiVersion %s, not %s", apiVersion, wanted)
	}
	return nil
}

// onlyDocument returns the fields of the one document that has content.
func onlyDocument(data []byte) (map[string]any, error) {
	var found map[string]any
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data)))
	for {
		text, err := reader.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("read the manifest: %w", err)
		}
		document, err := parseDocument(text)
		switch {
		case err != nil:
			return nil, err
		case document == nil:
			continue
		case found != nil:
			return nil, errors.New("there are several documents; give one")
		}
		found = document
	}
	if found == nil {
		return nil, errors.New("there is no manifest: nothing but blank lines and comments")
	}
	return found, nil
}

// parseDocument returns the fields of a document, nil if it has no content.
func parseDocument(text []byte) (map[string]any, error) {
	encoded, err := yaml.YAMLToJSONStrict(text)
	if err != nil {
		return nil, fmt.Errorf("not valid YAML or JSON: %w", err)
	}
	var value any
	if err := kjson.UnmarshalCaseSensitivePreserveInts(encoded, &value); err != nil {
		return nil, fmt.Errorf("not valid YAML or JSON: %w", err)
	}
	switch v := value.(type) {
	case nil:
		return nil, nil
	case map[string]any:
		return v, nil
	default:
		return nil, errors.New("the manifest is not an object with apiVersion, kind, metadata and spec")
	}
}

// lastApplied is where kubectl apply keeps a copy of what it sent.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// dropServerMetadata keeps of the metadata what users write.
func dropServerMetadata(o Object) {
	kept := metav1.ObjectMeta{Name: o.GetName(), Namespace: o.GetNamespace(), Labels: o.GetLabels(), Annotations: o.GetAnnotations()}
	delete(kept.Annotations, lastApplied)
	if len(kept.Annotations) == 0 {
		kept.Annotations = nil
	}
	if holder, ok := any(o).(interface{ GetObjectMeta() metav1.Object }); ok {
		if meta, ok := holder.GetObjectMeta().(*metav1.ObjectMeta); ok {
			*meta = kept
		}
	}
}
