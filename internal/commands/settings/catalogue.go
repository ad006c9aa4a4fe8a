package settings

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/world"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// Keys of the settings. Each has a row in Catalogue.
const (
	Color      = "color"
	Filename   = "filename"
	MaxObjects = "max-objects"
	Namespace  = "namespace"
	NoInput    = "no-input"
	Recursive  = "recursive"
)

// Setting is a value that users can set permanently instead of passing it to every command: by
// a flag, a MESHCTL_* variable or the configuration file. Catalogue determines what all of
// these accept and what help says.
type Setting struct {
	// Key is the name in the configuration file.
	Key   string
	Kind  Kind
	Usage string
	// Default is the default value; not needed for empty lists and switches that are off.
	Default string
	// Allowed are the allowed values of a text; nil if any text is allowed.
	Allowed []string
	// Files enables completion of file names.
	Files bool

	// check validates a single value beyond its kind; may be nil.
	check func(value string) error
}

// Kind is the type of the value of a setting.
type Kind string

// Kinds of settings: a text, true or false, a list of texts.
const (
	Text   Kind = "text"
	Switch Kind = "true|false"
	List   Kind = "list"
)

// Catalogue returns all settings, sorted by key. A new row is all that is needed for a setting
// to be read, validated, listed, completed and documented; commands bind it to a flag.
func Catalogue() []Setting {
	return []Setting{
		{
			Key: Color, Kind: Text, Default: string(cli.ColorAuto), Allowed: colorModes(),
			Usage: "colour the output: auto, always or never; auto means on a terminal without NO_COLOR",
		},
		{
			Key: Filename, Kind: List, check: checkFilename, Files: true,
			Usage: "files or directories with manifests, used if -f is not given",
		},
		{
			Key: MaxObjects, Kind: Text, Default: strconv.Itoa(world.DefaultMaxObjects), check: checkMaxObjects,
			Usage: "refuse files with more than this number of objects",
		},
		{
			Key: Namespace, Kind: Text, Default: world.DefaultNamespace, check: checkNamespace,
			Usage: "default namespace of meshctl's resources",
		},
		{
			Key: NoInput, Kind: Switch,
			Usage: "never prompt; fail if an answer is required",
		},
		{
			Key: Recursive, Kind: Switch,
			Usage: "read directories with manifests recursively",
		},
	}
}

// Find returns the setting with the key, false if there is none.
func Find(key string) (Setting, bool) {
	table := Catalogue()
	i := slices.IndexFunc(table, func(s Setting) bool { return s.Key == key })
	if i < 0 {
		return Setting{}, false
	}
	return table[i], true
}

// keys returns the keys of all settings, sorted.
func keys() []string {
	var keys []string
	for _, s := range Catalogue() {
		keys = append(keys, s.Key)
	}
	return keys
}

// UsageOf returns the help text of a flag that sets the setting.
func UsageOf(key string) string {
	s, _ := Find(key)
	return s.Usage
}

// Allowed returns the allowed values of a setting; nil if any text is allowed.
func Allowed(key string) []string {
	s, _ := Find(key)
	return s.Allowed
}

// Env returns the name of the environment variable.
func (s Setting) Env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.Key, "-", "_"))
}

// Values returns the syntax of the value for help.
func (s Setting) Values() string {
	if s.Allowed != nil {
		return strings.Join(s.Allowed, "|")
	}
	return string(s.Kind)
}

// DefaultText returns the default as written in the configuration file.
func (s Setting) DefaultText() string {
	if s.Kind == Switch && s.Default == "" {
		return "false"
	}
	return s.Default
}

// Parse validates the texts of a value and returns it as the Go type of its kind: string, bool
// or []string. Only a list may have more or fewer than one text. It returns an error if a text
// is invalid.
func (s Setting) Parse(texts ...string) (any, error) {
	if s.Kind != List && len(texts) != 1 {
		return nil, fmt.Errorf("expected one value, got %d", len(texts))
	}
	for _, text := range texts {
		if err := s.checkOne(text); err != nil {
			return nil, err
		}
	}
	switch s.Kind {
	case Switch:
		on, err := strconv.ParseBool(texts[0])
		if err != nil {
			return nil, fmt.Errorf("must be true or false, got %q", texts[0])
		}
		return on, nil
	case List:
		return slices.Clone(texts), nil
	default:
		return texts[0], nil
	}
}

// Items splits command-line arguments into texts: items of a list may be separated by commas,
// as in flags.
func (s Setting) Items(words []string) []string {
	if s.Kind != List {
		return words
	}
	var items []string
	for _, word := range words {
		items = append(items, strings.Split(word, ",")...)
	}
	return items
}

// checkOne returns an error if a text is not valid as the value or as an item of it.
func (s Setting) checkOne(text string) error {
	switch {
	case text == "":
		return errors.New("must not be empty")
	case s.Allowed != nil && !slices.Contains(s.Allowed, text):
		return fmt.Errorf("%q must be one of: %s%s", text, strings.Join(s.Allowed, ", "), spelling.DidYouMean(text, s.Allowed))
	case s.check != nil:
		return s.check(text)
	default:
		return nil
	}
}

// defaultValue returns the default as the Go type of its kind.
func (s Setting) defaultValue() any {
	switch s.Kind {
	case Switch:
		return s.Default == "true"
	case List:
		return []string{}
	default:
		return s.Default
	}
}

func colorModes() []string {
	var modes []string
	for _, mode := range cli.ColorModes() {
		modes = append(modes, string(mode))
	}
	return modes
}

// checkFilename rejects standard input: commands would appear to hang if a setting made them
// read it.
func checkFilename(path string) error {
	if path == "-" {
		return errors.New("standard input can only be given on the command line, with -f -")
	}
	return nil
}

func checkMaxObjects(text string) error {
	if number, err := strconv.Atoi(text); err != nil || number <= 0 {
		return fmt.Errorf("%q must be a whole number above 0", text)
	}
	return nil
}

func checkNamespace(name string) error {
	if faults := validation.IsDNS1123Label(name); len(faults) > 0 {
		return fmt.Errorf("%q is not a valid namespace: %s", name, faults[0])
	}
	return nil
}
