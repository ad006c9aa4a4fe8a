package cluster

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/registration"
)

// TestSavePlan writes the manifests of a registration to directories with unexpected content:
// earlier files are replaced, and links are not followed.
func TestSavePlan(t *testing.T) {
	t.Parallel()
	outside := filepath.Join(t.TempDir(), "outside")
	for name, tt := range map[string]struct {
		prepare func(directory string) error
		fails   string
	}{
		"new": {prepare: func(string) error { return nil }},
		"earlier file": {prepare: func(directory string) error {
			return os.WriteFile(filepath.Join(directory, "remote.yaml"), []byte("old"), 0o600)
		}},
		"link to a file": {
			prepare: func(directory string) error { return os.Symlink(outside, filepath.Join(directory, "management.yaml")) },
			fails:   "management.yaml: not a regular file",
		},
		"directory": {
			prepare: func(directory string) error { return os.Mkdir(filepath.Join(directory, "remote.yaml"), 0o700) },
			fails:   "remote.yaml: not a regular file",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			if err := tt.prepare(directory); err != nil {
				t.Fatal(err)
			}
			streams, out, _ := cli.Test("")
			o := &registerOptions{ClusterCommand: cmdutil.NewClusterCommand(cmdutil.NewFactory(streams)), outputDir: directory, output: cmdutil.NewOutput(output.FormatName)}
			object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "gloo-mesh"}}}
			err := o.savePlan(&registration.Plan{Remote: []*unstructured.Unstructured{object}, Management: []*unstructured.Unstructured{object}})
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) {
					t.Errorf("got error %v, want one with %q", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, file := range []string{"remote.yaml", "management.yaml"} {
				path := filepath.Join(directory, file)
				if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), "kind: Namespace") || !strings.Contains(out.String(), path+"\n") {
					t.Errorf("%s: %q, %v; said %q", file, text, err, out)
				}
			}
		})
	}
	t.Cleanup(func() {
		if _, err := os.Stat(outside); !os.IsNotExist(err) {
			t.Errorf("a file outside was written: %v", err)
		}
	})
}
