package settings

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/viper"

	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// envPrefix is the prefix of meshctl's environment variables. envConfig is the variable with
// the path of the configuration file.
const (
	envPrefix = "MESHCTL_"
	envConfig = envPrefix + "CONFIG"
)

// completionVariables are used by the completion scripts of cobra.
func completionVariables() []string {
	return []string{envPrefix + "ACTIVE_HELP", envPrefix + "COMPLETION_DESCRIPTIONS"}
}

// SourceKind is the kind of source of a setting's value.
type SourceKind string

// The sources, in order of precedence (design, section 5).
const (
	FromFlag    SourceKind = "flag"
	FromEnv     SourceKind = "env"
	FromFile    SourceKind = "file"
	FromDefault SourceKind = "default"
)

// Source is the source of a setting's value.
type Source struct {
	Kind SourceKind
	// Name is the flag, variable, or path of the file; empty for defaults.
	Name string
}

// Flag is the value of a setting from the command line.
type Flag struct {
	// Name is the name of the flag without dashes.
	Name string
	// Value is the text of the flag, or the list of texts.
	Value any
}

// Origins are the sources from which Load reads.
type Origins struct {
	// File is the location of the configuration file.
	File Location
	// Getenv reads an environment variable; empty if it is not set. Environ returns the
	// environment as NAME=VALUE.
	Getenv  func(name string) string
	Environ func() []string
	// Flags are the flags on the command line, by the key of their setting.
	Flags map[string]Flag
}

// Settings are the effective settings of one command line.
type Settings struct {
	values  *viper.Viper
	sources map[string]Source
	// configured is the namespace as set without the flag.
	configured string
	// location is the location of the configuration file.
	location Location
}

// Namespace returns the default namespace of meshctl's resources.
func (s *Settings) Namespace() string { return s.values.GetString(Namespace) }

// ConfiguredNamespace returns the namespace as set without the flag, for commands whose flag
// --namespace has another meaning.
func (s *Settings) ConfiguredNamespace() string { return s.configured }

// Filenames returns the manifests to read; empty if there are none.
func (s *Settings) Filenames() []string { return s.List(Filename) }

// Recursive reports whether to read directories recursively.
func (s *Settings) Recursive() bool { return s.values.GetBool(Recursive) }

// Text returns the value of a setting as a text.
func (s *Settings) Text(key string) string { return s.values.GetString(key) }

// List returns the value of a setting that is a list.
func (s *Settings) List(key string) []string { return s.values.GetStringSlice(key) }

// Value returns the value of a setting as the Go type of its kind: string, bool or []string,
// which is never nil.
func (s *Settings) Value(row Setting) any {
	switch row.Kind {
	case List:
		return append([]string{}, s.List(row.Key)...)
	case Switch:
		return s.values.GetBool(row.Key)
	default:
		return s.Text(row.Key)
	}
}

// Source returns the source of a setting's value.
func (s *Settings) Source(key string) Source { return s.sources[key] }

// Location returns the location of the configuration file.
func (s *Settings) Location() Location { return s.location }

// Load reads the environment and the configuration file. Its error lists everything that is
// invalid in them.
func Load(from Origins) (*Settings, error) {
	file, fileErr := read(from.File)
	env, envErr := from.environment()
	if err := errors.Join(fileErr, envErr); err != nil {
		return nil, err
	}
	s := &Settings{values: viper.New(), sources: map[string]Source{}, location: from.File}
	for _, layer := range []map[string]any{file, env} {
		if err := s.values.MergeConfigMap(layer); err != nil {
			return nil, fmt.Errorf("merge the settings: %w", err)
		}
	}
	for _, row := range Catalogue() {
		s.values.SetDefault(row.Key, row.defaultValue())
		source := Source{Kind: FromDefault}
		if file[row.Key] != nil {
			source = Source{FromFile, from.File.Path}
		}
		if env[row.Key] != nil {
			source = Source{FromEnv, row.Env()}
		}
		if row.Key == Namespace {
			s.configured = s.values.GetString(row.Key)
		}
		if flag, given := from.Flags[row.Key]; given {
			s.values.Set(row.Key, flag.Value)
			source = Source{FromFlag, "--" + flag.Name}
		}
		s.sources[row.Key] = source
	}
	return s, nil
}

// environment returns the settings in MESHCTL_* variables, by key. An empty variable counts as
// not set.
func (o *Origins) environment() (map[string]any, error) {
	values := map[string]any{}
	known := []string{envConfig}
	var errs []error
	for _, s := range Catalogue() {
		known = append(known, s.Env())
		text := o.Getenv(s.Env())
		if text == "" {
			continue
		}
		texts := []string{text}
		if s.Kind == List {
			texts = splitPaths(text)
		}
		value, err := s.Parse(texts...)
		if err != nil {
			errs = append(errs, fmt.Errorf("invalid environment variable %s: %w", s.Env(), err))
			continue
		}
		values[s.Key] = value
	}
	return values, errors.Join(append(errs, o.unknownVariables(known)...)...)
}

// unknownVariables returns an error for each unknown variable with meshctl's prefix, sorted by
// name.
func (o *Origins) unknownVariables(known []string) []error {
	var errs []error
	for _, assignment := range slices.Sorted(slices.Values(o.Environ())) {
		name, _, _ := strings.Cut(assignment, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(known, name) || slices.Contains(completionVariables(), name) || o.Getenv(name) == "" {
			continue
		}
		hint := spelling.DidYouMean(name, known)
		if hint == "" {
			hint = ": must be one of: " + strings.Join(known, ", ")
		}
		errs = append(errs, fmt.Errorf("unknown environment variable %s%s", name, hint))
	}
	return errs
}

// splitPaths splits a list of paths at commas and at the path list separator of the platform.
func splitPaths(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == os.PathListSeparator })
}
