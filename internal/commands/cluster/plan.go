package cluster

import (
	"bytes"
	"path/filepath"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/cli/file"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/registration"
)

// printPlan prints the manifests of a dry run, or writes them to files.
func (o *registerOptions) printPlan(plan *registration.Plan) error {
	if o.outputDir != "" {
		return o.savePlan(plan)
	}
	all := append(append([]*unstructured.Unstructured{}, plan.Remote...), plan.Management...)
	side := func(i int) string {
		if i >= len(plan.Remote) {
			return "the management cluster"
		}
		return o.Cluster
	}
	v := cmdutil.ManifestsView(all, func(i int) string {
		switch i {
		case 0:
			return "For cluster " + o.Cluster + ":"
		case len(plan.Remote):
			return "For " + side(i) + ":"
		default:
			return ""
		}
	})
	v.Text = view.Lines(func(t *view.Text) {
		for i, object := range all {
			t.Linef("%s applied on %s (%s dry run)", cmdutil.ObjectName(object.GroupVersionKind().GroupKind(), object.GetName()), side(i), o.dryRun)
		}
	})
	return output.Print(o.Streams, o.output.Format(), v)
}

// savePlan writes one file per cluster. Existing files are replaced; links are not followed.
func (o *registerOptions) savePlan(plan *registration.Plan) error {
	tree, err := file.Make(o.outputDir, file.Public)
	if err != nil {
		return file.CannotSave(o.outputDir, err)
	}
	defer func() { _ = tree.Close() }()
	var files []cmdutil.FileResult
	for _, side := range []struct {
		file    string
		objects []*unstructured.Unstructured
	}{{"remote.yaml", plan.Remote}, {"management.yaml", plan.Management}} {
		var text bytes.Buffer
		if err := output.Write(&text, output.FormatYAML, false, cmdutil.ManifestsView(side.objects, nil)); err != nil {
			return err
		}
		path := filepath.Join(o.outputDir, side.file)
		if err := tree.Replace(side.file, text.Bytes()); err != nil {
			return file.CannotSave(path, err)
		}
		files = append(files, cmdutil.FileResult{Path: path, Outcome: cmdutil.FileWritten})
	}
	return cmdutil.PrintFiles(o.Streams, o.output.Format(), false, files)
}
