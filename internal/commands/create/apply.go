package create

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
)

// applies reports whether the resource goes to the management cluster, rather
// than to standard output or a file.
func (o *options[I, O]) applies() bool {
	return o.world.FromManagement() && o.save == "" && o.dryRun.String() != dryRunClient
}

// confirm asks on a terminal, below the effect of the resource, whether to write it.
// Without a terminal, complete flags need no confirmation, as with kubectl create.
func (o *options[I, O]) confirm(ctx context.Context, a *authored[I, O]) error {
	if o.yes || o.dryRun.String() != dryRunNone || !o.streams.CanPrompt() {
		return nil
	}
	manifest, err := render.Manifest(a.resource)
	if err != nil {
		return err
	}
	o.streams.Block("\n%s", manifest)
	question := wizard.Question{
		Text: fmt.Sprintf("Apply this %s to %s?", o.kind.Noun, o.world.Kube.Describe()),
		Help: "The manifest above is written to the management cluster. No writes nothing.",
	}
	agreed, err := o.prompter(ctx).Confirm(question, false)
	if err == nil && !agreed {
		err = cli.ErrCancelled
	}
	return err
}

// apply writes the resource to the management cluster and prints the outcome. It
// fails if the resource exists, unless --from started from it.
func (o *options[I, O]) apply(ctx context.Context, a *authored[I, O]) error {
	management, err := o.world.Kube.Management()
	if err != nil {
		return err
	}
	object, err := unstructuredOf(a.resource)
	if err != nil {
		return err
	}
	opts := kube.ApplyOptions{Force: o.force, Create: a.base == nil || (*a.base).GetName() != a.resource.GetName()}
	note := ""
	if o.dryRun.String() == dryRunServer {
		opts.DryRun, note = kube.DryRunServer, " (server dry run)"
	}
	result := kube.Apply(ctx, management, []*unstructured.Unstructured{object}, opts)[0]
	if result.Err != nil {
		return errors.Join(result.Err)
	}
	if o.format.String() != "" {
		err = o.deliver(a, "")
	} else {
		err = output.Print(o.streams, output.FormatTable, view.View{Text: view.Lines(func(t *view.Text) {
			t.Linef("%s %s%s", resourceName(a.resource), result.Outcome, note)
		})})
	}
	if err == nil && opts.DryRun != kube.DryRunServer && !a.fails {
		o.streams.Say("Run 'meshctl apply' to write the configuration to the clusters.")
	}
	return err
}

// unstructuredOf returns the resource as its manifest has it.
func unstructuredOf(resource render.Object) (*unstructured.Unstructured, error) {
	manifest, err := render.ManifestJSON(resource)
	if err != nil {
		return nil, err
	}
	object := &unstructured.Unstructured{}
	if err := json.Unmarshal(manifest, &object.Object); err != nil {
		return nil, fmt.Errorf("encode the manifest: %w", err)
	}
	return object, nil
}
