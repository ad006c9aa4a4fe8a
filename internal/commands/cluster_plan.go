package commands

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/registration"
)

// printPlan prints the manifests of a dry run, or writes them to files.
func (o *clusterRegisterOptions) printPlan(plan *registration.Plan) error {
	if o.outputDir != "" {
		return o.savePlan(plan)
	}
	all := append(append([]*unstructured.Unstructured{}, plan.Remote...), plan.Management...)
	switch o.output.String() {
	case "json":
		return printManifestList(o.streams.Out.Write, all)
	case "yaml":
		remote, err := manifests(plan.Remote)
		if err != nil {
			return err
		}
		management, err := manifests(plan.Management)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(o.streams.Out, "# For cluster %s:\n%s---\n# For the management cluster:\n%s", o.cluster, remote, management)
		return err
	default:
		for i, object := range all {
			line := objectName(object.GroupVersionKind().GroupKind(), object.GetName())
			if o.output.String() != "name" {
				side := "on " + o.cluster
				if i >= len(plan.Remote) {
					side = "on the management cluster"
				}
				line = fmt.Sprintf("%s applied %s (%s dry run)", line, side, o.dryRun)
			}
			if _, err := fmt.Fprintln(o.streams.Out, line); err != nil {
				return err
			}
		}
		return nil
	}
}

// savePlan writes one file for each side. Earlier ones are replaced.
func (o *clusterRegisterOptions) savePlan(plan *registration.Plan) error {
	const mode = 0o755
	if err := os.MkdirAll(o.outputDir, mode); err != nil {
		return cannotSave(o.outputDir, err)
	}
	for _, side := range []struct {
		file    string
		objects []*unstructured.Unstructured
	}{{"remote.yaml", plan.Remote}, {"management.yaml", plan.Management}} {
		text, err := manifests(side.objects)
		if err != nil {
			return err
		}
		path := filepath.Join(o.outputDir, side.file)
		if err := saveFile(path, text, true); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(o.streams.Out, path); err != nil {
			return err
		}
	}
	return nil
}

// manifests writes objects as YAML documents.
func manifests(objects []*unstructured.Unstructured) ([]byte, error) {
	var text bytes.Buffer
	for i, object := range objects {
		if i > 0 {
			text.WriteString("---\n")
		}
		document, err := yaml.Marshal(object.Object)
		if err != nil {
			return nil, fmt.Errorf("encode %s %s: %w", object.GetKind(), object.GetName(), err)
		}
		text.Write(document)
	}
	return text.Bytes(), nil
}

// printManifestList prints objects as one List in JSON.
func printManifestList(write func([]byte) (int, error), objects []*unstructured.Unstructured) error {
	items := make([]any, 0, len(objects))
	for _, object := range objects {
		items = append(items, object.Object)
	}
	text, err := json.MarshalIndent(map[string]any{"apiVersion": "v1", "kind": "List", "items": items}, "", "  ")
	if err != nil {
		return fmt.Errorf("encode the manifests: %w", err)
	}
	_, err = write(append(text, '\n'))
	return err
}
