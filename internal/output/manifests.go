package output

import (
	"bufio"
	"bytes"
	"io"
	"iter"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/output/view"
)

// writeManifests writes one YAML document per object.
func writeManifests(out io.Writer, manifests view.Manifests) error {
	buffered := bufio.NewWriter(out)
	marked := manifests.Separated
	for m, err := range manifests.Items {
		var manifest []byte
		if err == nil {
			manifest, err = Manifest(m)
		}
		if err != nil {
			return err
		}
		if marked {
			_, _ = buffered.WriteString("---\n") // the buffer keeps the first error
		}
		marked = true
		if _, err := buffered.Write(manifest); err != nil {
			return err
		}
	}
	return buffered.Flush()
}

// Manifest returns the YAML of one object with its comment in front.
func Manifest(m view.Manifest) ([]byte, error) {
	manifest, err := yamlOf(m)
	if err != nil || m.Comment == "" {
		return manifest, err
	}
	var commented bytes.Buffer
	for line := range strings.Lines(m.Comment) {
		commented.WriteString("# " + text.Printable(strings.TrimSuffix(line, "\n")) + "\n")
	}
	commented.Write(manifest)
	return commented.Bytes(), nil
}

func yamlOf(m view.Manifest) ([]byte, error) {
	if m.YAML != nil {
		return m.YAML()
	}
	object, err := m.Object()
	if err != nil {
		return nil, err
	}
	return marshalYAML(object, nil)
}

func objectsOf(manifests view.Manifests) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for m, err := range manifests.Items {
			var object any
			if err == nil {
				object, err = m.Object()
			}
			if !yield(object, err) || err != nil {
				return
			}
		}
	}
}
