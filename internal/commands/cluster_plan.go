package commands

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/registration"
)

// printPlan prints the manifests of a dry run, or writes them to files.
func (o *clusterRegisterOptions) printPlan(plan *registration.Plan) error {
	if o.outputDir != "" {
		return o.savePlan(plan)
	}
	all := append(append([]*unstructured.Unstructured{}, plan.Remote...), plan.Management...)
	side := func(i int) string {
		if i >= len(plan.Remote) {
			return "the management cluster"
		}
		return o.cluster
	}
	v := manifestsView(all, func(i int) string {
		switch i {
		case 0:
			return "For cluster " + o.cluster + ":"
		case len(plan.Remote):
			return "For " + side(i) + ":"
		default:
			return ""
		}
	})
	v.Text = view.Lines(func(t *view.Text) {
		for i, object := range all {
			t.Linef("%s applied on %s (%s dry run)", objectName(object.GroupVersionKind().GroupKind(), object.GetName()), side(i), o.dryRun)
		}
	})
	return output.Print(o.streams, o.output.format(), v)
}

// savePlan writes one file for each side. Earlier ones are replaced.
func (o *clusterRegisterOptions) savePlan(plan *registration.Plan) error {
	const mode = 0o755
	if err := os.MkdirAll(o.outputDir, mode); err != nil {
		return cannotSave(o.outputDir, err)
	}
	root, err := os.OpenRoot(o.outputDir)
	if err != nil {
		return cannotSave(o.outputDir, err)
	}
	defer func() { _ = root.Close() }()
	for _, side := range []struct {
		file    string
		objects []*unstructured.Unstructured
	}{{"remote.yaml", plan.Remote}, {"management.yaml", plan.Management}} {
		var text bytes.Buffer
		if err := output.Write(&text, output.FormatYAML, false, manifestsView(side.objects, nil)); err != nil {
			return err
		}
		path := filepath.Join(o.outputDir, side.file)
		if _, err := root.Stat(side.file); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return cannotSave(path, err) // such as a link that leads out of the directory
		}
		if err := saveFile(path, text.Bytes(), true); err != nil {
			return err
		}
		if _, err := fmt.Fprintln(o.streams.Out, path); err != nil {
			return err
		}
	}
	return nil
}
