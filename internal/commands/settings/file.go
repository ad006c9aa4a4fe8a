package settings

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// read returns the settings in the configuration file, by key. It is not an error if the file
// does not exist in the default location.
func read(location Location) (map[string]any, error) {
	document, err := open(location)
	switch {
	case errors.Is(err, fs.ErrNotExist) && location.NamedBy == "":
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the configuration file %s of %s does not exist: create it with 'meshctl config set'", location.Path, location.NamedBy)
	case err != nil:
		return nil, err
	default:
		return document.settings()
	}
}

// Document is a configuration file as YAML nodes, which preserve comments.
type Document struct {
	path string
	// document is nil for an empty file. entries are its keys and values.
	document *yaml.Node
	entries  *yaml.Node
	// comments is the content of a file that has only comments.
	comments []byte
}

// maxSize limits the size of the configuration file, in bytes.
const maxSize = 1 << 20

// open reads and parses the configuration file. It returns fs.ErrNotExist if the file does not
// exist.
func open(location Location) (*Document, error) {
	if location.Path == "" {
		return &Document{}, fs.ErrNotExist
	}
	file, err := os.Open(location.Path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the configuration file: %w", err)
	case len(text) > maxSize:
		return nil, fmt.Errorf("the configuration file %s is too large", location.Path)
	}
	return parse(location.Path, text)
}

// parse parses a single YAML document, which must be a mapping or empty.
func parse(path string, text []byte) (*Document, error) {
	config := &Document{path: path}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("cannot parse %s: not valid UTF-8", path)
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var document yaml.Node
	switch err := decoder.Decode(&document); {
	case errors.Is(err, io.EOF):
		config.comments = bytes.TrimSpace(text)
		return config, nil
	case err != nil:
		return nil, fmt.Errorf("cannot parse %s: %w", path, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("cannot parse %s: more than one YAML document", path)
	}
	config.document = &document
	switch root := document.Content[0]; {
	case root.Kind == yaml.MappingNode:
		config.entries = root
	case root.Kind == yaml.ScalarNode && root.Tag == "!!null":
		// The file has only comments; keep them in place.
		root.Kind, root.Tag, root.Value = yaml.MappingNode, "!!map", ""
		config.entries = root
	default:
		return nil, fmt.Errorf("cannot parse %s: line %d is not KEY: VALUE", path, root.Line)
	}
	return config, nil
}

// settings returns the values by key. It reports all errors at once, with their lines.
func (c *Document) settings() (map[string]any, error) {
	values := map[string]any{}
	if c.entries == nil {
		return values, nil
	}
	var errs []error
	refuse := func(node *yaml.Node, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s:%d: %w", c.path, node.Line, fmt.Errorf(format, args...)))
	}
	for i := 0; i+1 < len(c.entries.Content); i += 2 {
		key, node := c.entries.Content[i], c.entries.Content[i+1]
		s, known := Find(key.Value)
		if !known {
			refuse(key, "%w", Unknown(key.Value))
			continue
		}
		if _, again := values[s.Key]; again {
			refuse(key, "%s is set twice", s.Key)
			continue
		}
		texts, err := scalars(node, s.Kind == List)
		if err != nil {
			refuse(node, "%s: %w", s.Key, err)
			continue
		}
		value, err := s.Parse(texts...)
		if err != nil {
			refuse(node, "%s: %w", s.Key, err)
			continue
		}
		values[s.Key] = value
	}
	return values, errors.Join(errs...)
}

// scalars returns the texts of a value: exactly one, or any number for a list.
func scalars(node *yaml.Node, list bool) ([]string, error) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		return nil, errors.New("no value")
	case node.Kind == yaml.ScalarNode:
		return []string{node.Value}, nil
	case node.Kind != yaml.SequenceNode:
		return nil, errors.New("expected a value, got a mapping")
	case !list:
		return nil, errors.New("expected one value, got a list")
	}
	texts := []string{}
	for _, item := range node.Content {
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			return nil, fmt.Errorf("line %d is not a string", item.Line)
		}
		texts = append(texts, item.Value)
	}
	return texts, nil
}

// Unknown returns the error for an unknown setting.
func Unknown(key string) error {
	if hint := spelling.DidYouMean(key, keys()); hint != "" {
		return fmt.Errorf("unknown setting %q%s", key, hint)
	}
	return fmt.Errorf("unknown setting %q: see 'meshctl config --help'", key)
}
