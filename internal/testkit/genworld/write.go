package genworld

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/world"
)

// Write prints all objects as one stream of YAML documents.
func Write(w io.Writer, objects world.Objects) error {
	buffered := bufio.NewWriter(w)
	for _, section := range sections(objects) {
		if err := section.write(buffered); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// WriteDir writes one file per kind into a directory, which it creates.
func WriteDir(dir string, objects world.Objects) error {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return fmt.Errorf("create the output directory: %w", err)
	}
	for _, section := range sections(objects) {
		if err := section.writeFile(filepath.Join(dir, section.name+".yaml")); err != nil {
			return err
		}
	}
	return nil
}

// section is the content of one file.
type section struct {
	name  string
	write func(io.Writer) error
}

func sections(o world.Objects) []section {
	return []section{
		{"settings", writer(o.Settings)},
		{"clusters", writer(o.KubernetesClusters)},
		{"meshes", writer(o.Meshes)},
		{"virtualmeshes", writer(o.VirtualMeshes)},
		{"destinations", writer(o.Destinations)},
		{"workloads", writer(o.Workloads)},
		{"trafficpolicies", writer(o.TrafficPolicies)},
		{"accesspolicies", writer(o.AccessPolicies)},
	}
}

func (s section) writeFile(path string) error {
	file, err := os.Create(path)
	if err != nil {
		return fmt.Errorf("create %s: %w", path, err)
	}
	buffered := bufio.NewWriter(file)
	if err := cmp.Or(errors.Join(s.write(buffered), buffered.Flush()), file.Close()); err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	return nil
}

func writer[T any](objects []world.Object[T]) func(io.Writer) error {
	return func(w io.Writer) error {
		for _, o := range objects {
			text, err := yaml.Marshal(o.Resource)
			if err != nil {
				return fmt.Errorf("marshal %T: %w", o.Resource, err)
			}
			if _, err := fmt.Fprintf(w, "---\n%s", text); err != nil {
				return err
			}
		}
		return nil
	}
}
