package commands

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// configLocation is where the configuration file is.
type configLocation struct {
	// path is empty if there is no place for it: no home directory is known.
	path string
	// origin is the flag or the variable that names the file; empty if it is in
	// its usual place, where it need not exist.
	origin string
}

// exists reports whether there is a file.
func (l configLocation) exists() bool {
	_, err := os.Stat(l.path)
	return err == nil
}

// errNoHome says that there is no place for a configuration file.
var errNoHome = errors.New("there is no place for a configuration file: neither XDG_CONFIG_HOME nor HOME is set; name one with --config FILE")

// configLocation finds the configuration file: --config, MESHCTL_CONFIG, or
// meshctl/config.yaml in $XDG_CONFIG_HOME or else in $HOME/.config.
func (f *Factory) configLocation() configLocation {
	if f.ConfigFile != "" {
		return configLocation{f.ConfigFile, "--config"}
	}
	if path := f.Getenv(envConfig); path != "" {
		return configLocation{path, envConfig}
	}
	// A relative directory is to be ignored, says the specification of XDG.
	dir := f.Getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home := cmp.Or(f.Getenv("HOME"), f.Getenv("USERPROFILE"))
		if home == "" {
			return configLocation{}
		}
		dir = filepath.Join(home, ".config")
	}
	return configLocation{path: filepath.Join(dir, "meshctl", "config.yaml")}
}

// readConfig returns the settings in the configuration file, by key. A file in
// the usual place that does not exist has none.
func readConfig(location configLocation) (map[string]any, error) {
	document, err := openConfig(location)
	switch {
	case errors.Is(err, fs.ErrNotExist) && location.origin == "":
		return nil, nil
	case errors.Is(err, fs.ErrNotExist):
		return nil, fmt.Errorf("the configuration file %s, named by %s, does not exist: create it with 'meshctl config set', or name another", location.path, location.origin)
	case err != nil:
		return nil, err
	default:
		return document.settings()
	}
}

// configDocument is a configuration file as YAML nodes, which keep comments.
type configDocument struct {
	path string
	// document is nil in an empty file; entries are its keys and values.
	document *yaml.Node
	entries  *yaml.Node
	// comments is the text of a file that has nothing else.
	comments []byte
}

// maxConfigSize bounds what is read, in bytes: a larger file is something else.
const maxConfigSize = 1 << 20

// openConfig reads and parses the configuration file. The error is
// fs.ErrNotExist if there is none.
func openConfig(location configLocation) (*configDocument, error) {
	if location.path == "" {
		return &configDocument{}, fs.ErrNotExist
	}
	file, err := os.Open(location.path)
	if err != nil {
		return nil, fmt.Errorf("read the configuration file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxConfigSize+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read the configuration file: %w", err)
	case len(text) > maxConfigSize:
		return nil, fmt.Errorf("%s is too large for a configuration file", location.path)
	}
	return parseConfig(location.path, text)
}

// parseConfig reads one YAML document that is a mapping, or nothing.
func parseConfig(path string, text []byte) (*configDocument, error) {
	config := &configDocument{path: path}
	if !utf8.Valid(text) {
		return nil, fmt.Errorf("cannot parse %s: it is not text in UTF-8", path)
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
		return nil, fmt.Errorf("cannot parse %s: it has more than one YAML document", path)
	}
	config.document = &document
	switch root := document.Content[0]; {
	case root.Kind == yaml.MappingNode:
		config.entries = root
	case root.Kind == yaml.ScalarNode && root.Tag == "!!null":
		// Comments only: they stay where they are.
		root.Kind, root.Tag, root.Value = yaml.MappingNode, "!!map", ""
		config.entries = root
	default:
		return nil, fmt.Errorf("cannot parse %s: line %d is not KEY: VALUE", path, root.Line)
	}
	return config, nil
}

// settings returns the values by key. Everything wrong is reported together,
// each with its line.
func (c *configDocument) settings() (map[string]any, error) {
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
		s, known := findSetting(key.Value)
		if !known {
			refuse(key, "%w", unknownSetting(key.Value))
			continue
		}
		if _, again := values[s.key]; again {
			refuse(key, "%s is set twice", s.key)
			continue
		}
		texts, err := scalars(node, s.kind == listSetting)
		if err != nil {
			refuse(node, "%s: %w", s.key, err)
			continue
		}
		value, err := s.parse(texts...)
		if err != nil {
			refuse(node, "%s: %w", s.key, err)
			continue
		}
		values[s.key] = value
	}
	return values, errors.Join(errs...)
}

// scalars returns the texts of a value: one, or for a list any number.
func scalars(node *yaml.Node, list bool) ([]string, error) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		return nil, errors.New("it has no value")
	case node.Kind == yaml.ScalarNode:
		return []string{node.Value}, nil
	case node.Kind != yaml.SequenceNode:
		return nil, errors.New("it must be a value, not KEY: VALUE")
	case !list:
		return nil, errors.New("it takes one value, not a list")
	}
	texts := []string{}
	for _, item := range node.Content {
		if item.Kind != yaml.ScalarNode || item.Tag == "!!null" {
			return nil, fmt.Errorf("line %d is not a text", item.Line)
		}
		texts = append(texts, item.Value)
	}
	return texts, nil
}

// unknownSetting explains a key that no setting has.
func unknownSetting(key string) error {
	if hint := didYouMean(key, settingKeys()); hint != "" {
		return fmt.Errorf("unknown setting %q%s", key, hint)
	}
	return fmt.Errorf("unknown setting %q; 'meshctl config --help' lists those there are", key)
}
