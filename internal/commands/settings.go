package commands

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/world"
)

// The keys of the settings. Each has a row in settingTable.
const (
	settingColor     = "color"
	settingFilename  = "filename"
	settingNamespace = "namespace"
	settingNoInput   = "no-input"
	settingRecursive = "recursive"
)

// setting is something that a user chooses once instead of with every command:
// by a flag, a MESHCTL_* variable or the configuration file. The table of
// settings is the source of what all of them accept and of what help says.
type setting struct {
	key   string
	kind  settingKind
	usage string
	// fallback is the value that holds if nobody chose one; empty lists and
	// switches that are off need none.
	fallback string
	// allowed lists the only values of a text, nil if there are too many.
	allowed []string
	// check refuses single values beyond what the kind refuses; may be nil.
	check func(value string) error
	// files says that completion offers files.
	files bool
}

// settingKind is the type of a setting's value.
type settingKind string

// The kinds of settings: one text, true or false, texts.
const (
	textSetting   settingKind = "text"
	switchSetting settingKind = "true|false"
	listSetting   settingKind = "list"
)

// settingTable returns all settings, sorted by key. A new row is all that
// another setting needs to be read, checked, listed, completed and documented;
// takeSetting connects it with a flag.
func settingTable() []setting {
	return []setting{
		{
			key: settingColor, kind: textSetting, fallback: string(cli.ColorAuto), allowed: colorModes(),
			usage: "colour the output; auto means on a terminal, and respects NO_COLOR",
		},
		{
			key: settingFilename, kind: listSetting, check: checkFilename, files: true,
			usage: "files or directories with manifests, read by commands that are given no -f",
		},
		{
			key: settingNamespace, kind: textSetting, fallback: world.DefaultNamespace, check: checkNamespace,
			usage: "namespace of the resources of meshctl that name none",
		},
		{
			key: settingNoInput, kind: switchSetting,
			usage: "never ask questions; fail where an answer is missing",
		},
		{
			key: settingRecursive, kind: switchSetting,
			usage: "read directories with manifests recursively",
		},
	}
}

// findSetting returns the setting of that key, false if there is none.
func findSetting(key string) (setting, bool) {
	table := settingTable()
	i := slices.IndexFunc(table, func(s setting) bool { return s.key == key })
	if i < 0 {
		return setting{}, false
	}
	return table[i], true
}

// settingKeys returns the keys of all settings, sorted.
func settingKeys() []string {
	var keys []string
	for _, s := range settingTable() {
		keys = append(keys, s.key)
	}
	return keys
}

// settingUsage returns the help text of a flag that sets the setting.
func settingUsage(key string) string {
	s, _ := findSetting(key)
	return s.usage
}

// env returns the name of the environment variable.
func (s setting) env() string {
	return envPrefix + strings.ToUpper(strings.ReplaceAll(s.key, "-", "_"))
}

// values returns what people may write for the value, in a word.
func (s setting) values() string {
	if s.allowed != nil {
		return strings.Join(s.allowed, "|")
	}
	return string(s.kind)
}

// defaultText returns the default the way people write it.
func (s setting) defaultText() string {
	if s.kind == switchSetting && s.fallback == "" {
		return "false"
	}
	return s.fallback
}

// parse checks the texts of one value and returns it as the kind's Go type:
// string, bool or []string. Only a list has other than one text.
func (s setting) parse(texts ...string) (any, error) {
	if s.kind != listSetting && len(texts) != 1 {
		return nil, fmt.Errorf("it takes one value, not %d", len(texts))
	}
	for _, text := range texts {
		if err := s.checkOne(text); err != nil {
			return nil, err
		}
	}
	switch s.kind {
	case switchSetting:
		on, err := strconv.ParseBool(texts[0])
		if err != nil {
			return nil, fmt.Errorf("it must be true or false, not %q", texts[0])
		}
		return on, nil
	case listSetting:
		return slices.Clone(texts), nil
	default:
		return texts[0], nil
	}
}

// checkOne refuses a text that cannot be the value, or one item of it.
func (s setting) checkOne(text string) error {
	switch {
	case text == "":
		return errors.New("it must not be empty")
	case s.allowed != nil && !slices.Contains(s.allowed, text):
		return fmt.Errorf("%q is not one of %s%s", text, strings.Join(s.allowed, ", "), didYouMean(text, s.allowed))
	case s.check != nil:
		return s.check(text)
	default:
		return nil
	}
}

// defaultValue returns the default as the kind's Go type.
func (s setting) defaultValue() any {
	switch s.kind {
	case switchSetting:
		return s.fallback == "true"
	case listSetting:
		return []string{}
	default:
		return s.fallback
	}
}

func colorModes() []string {
	var modes []string
	for _, mode := range cli.ColorModes() {
		modes = append(modes, string(mode))
	}
	return modes
}

// checkFilename refuses standard input: a command that reads it because of a
// setting would seem to hang.
func checkFilename(path string) error {
	if path == "-" {
		return errors.New("standard input can only be given on the command line, with -f -")
	}
	return nil
}

func checkNamespace(name string) error {
	if faults := validation.IsDNS1123Label(name); len(faults) > 0 {
		return fmt.Errorf("%q is not a namespace: %s", name, faults[0])
	}
	return nil
}
