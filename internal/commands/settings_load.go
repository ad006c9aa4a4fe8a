package commands

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"github.com/spf13/viper"
)

// envPrefix starts the names of the environment variables that belong to
// meshctl; envConfig names the configuration file.
const (
	envPrefix = "MESHCTL_"
	envConfig = envPrefix + "CONFIG"
)

// completionVariables are read, and in some shells set, by the completion
// scripts of cobra.
func completionVariables() []string {
	return []string{envPrefix + "ACTIVE_HELP", envPrefix + "COMPLETION_DESCRIPTIONS"}
}

// sourceKind says where the value of a setting comes from.
type sourceKind string

// The sources, in order of precedence (design, section 5).
const (
	fromFlag    sourceKind = "flag"
	fromEnv     sourceKind = "env"
	fromFile    sourceKind = "file"
	fromDefault sourceKind = "default"
)

// settingSource is where the value of a setting comes from. The name is that of
// the flag or of the variable, or the path of the file; empty for defaults.
type settingSource struct {
	kind sourceKind
	name string
}

// Settings are the effective settings of one command line.
type Settings struct {
	values  *viper.Viper
	sources map[string]settingSource
	// location is where the configuration file is, or would be.
	location configLocation
}

// Namespace returns the namespace of meshctl's resources that name none.
func (s *Settings) Namespace() string { return s.text(settingNamespace) }

// Filenames returns the manifests to read, none if neither the command line nor
// the settings name any.
func (s *Settings) Filenames() []string { return s.list(settingFilename) }

// Recursive reports whether directories are read with their subdirectories.
func (s *Settings) Recursive() bool { return s.enabled(settingRecursive) }

// text, list and enabled return the value of a setting of that kind.
func (s *Settings) text(key string) string   { return s.values.GetString(key) }
func (s *Settings) list(key string) []string { return s.values.GetStringSlice(key) }
func (s *Settings) enabled(key string) bool  { return s.values.GetBool(key) }

// settingOfFlag is the annotation of a flag that holds the key of its setting.
const settingOfFlag = "meshctl.io/setting"

// takeSetting makes a setting the default of the named flag, and the flag take
// precedence over the setting.
func takeSetting(flags *pflag.FlagSet, name, key string) {
	if err := flags.SetAnnotation(name, settingOfFlag, []string{key}); err != nil {
		panic(err) // there is no such flag: no input can cause it
	}
}

// withoutSettings is the annotation of commands that work without the settings,
// and so with a configuration file that is broken.
const withoutSettings = "meshctl.io/without-settings"

// loadSettingsFirst makes every command below cmd, but those without settings,
// load them before it runs.
func loadSettingsFirst(cmd *cobra.Command, f *Factory) {
	for _, child := range cmd.Commands() {
		loadSettingsFirst(child, f)
	}
	if cmd.HasSubCommands() || cmd.Annotations[withoutSettings] != "" {
		return
	}
	run := cmd.RunE
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if err := f.useSettings(cmd); err != nil {
			return err
		}
		return run(cmd, args)
	}
}

// useSettings loads the settings of a command whose flags are parsed, and gives
// the flags that the user left out the values that were chosen for them.
func (f *Factory) useSettings(cmd *cobra.Command) error {
	f.beginsWork()
	f.given = settingFlags(cmd)
	settings, err := f.Settings()
	if err != nil {
		return err
	}
	var errs []error
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if keys := flag.Annotations[settingOfFlag]; len(keys) > 0 {
			errs = append(errs, settings.fill(flag, keys[0]))
		}
	})
	return errors.Join(errs...)
}

// settingFlags returns the flags that the user gave and that have a setting, by
// its key.
func settingFlags(cmd *cobra.Command) map[string]*pflag.Flag {
	given := map[string]*pflag.Flag{}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		if keys := flag.Annotations[settingOfFlag]; len(keys) > 0 {
			given[keys[0]] = flag
		}
	})
	return given
}

// fill gives a flag the value of its setting, unless the user gave the flag or
// nobody chose a value.
func (s *Settings) fill(flag *pflag.Flag, key string) error {
	switch s.sources[key].kind {
	case fromFlag, fromDefault:
		return nil
	case fromEnv, fromFile:
	}
	var err error
	if list, isList := flag.Value.(pflag.SliceValue); isList {
		err = list.Replace(s.list(key))
	} else {
		err = flag.Value.Set(s.text(key))
	}
	if err != nil {
		return fmt.Errorf("use the setting %s as --%s: %w", key, flag.Name, err)
	}
	return nil
}

// loadSettings reads the environment and the configuration file, once for a
// command line. Everything wrong with them is reported together.
func (f *Factory) loadSettings() (*Settings, error) {
	if f.loaded != nil {
		return f.loaded, nil
	}
	location := f.configLocation()
	file, fileErr := readConfig(location)
	env, envErr := f.environmentSettings()
	if err := errors.Join(fileErr, envErr); err != nil {
		return nil, err
	}
	s := &Settings{values: viper.New(), sources: map[string]settingSource{}, location: location}
	for _, layer := range []map[string]any{file, env} {
		if err := s.values.MergeConfigMap(layer); err != nil {
			return nil, fmt.Errorf("merge the settings: %w", err)
		}
	}
	for _, row := range settingTable() {
		s.values.SetDefault(row.key, row.defaultValue())
		source := settingSource{kind: fromDefault}
		if file[row.key] != nil {
			source = settingSource{fromFile, location.path}
		}
		if env[row.key] != nil {
			source = settingSource{fromEnv, row.env()}
		}
		if flag := f.given[row.key]; flag != nil {
			if err := s.values.BindPFlag(row.key, flag); err != nil {
				return nil, fmt.Errorf("read --%s: %w", flag.Name, err)
			}
			source = settingSource{fromFlag, "--" + flag.Name}
		}
		s.sources[row.key] = source
	}
	f.loaded = s
	return s, nil
}

// environmentSettings returns the settings in MESHCTL_* variables, by key. An
// empty variable is like one that is not set.
func (f *Factory) environmentSettings() (map[string]any, error) {
	values := map[string]any{}
	known := []string{envConfig}
	var errs []error
	for _, s := range settingTable() {
		known = append(known, s.env())
		text := f.Getenv(s.env())
		if text == "" {
			continue
		}
		texts := []string{text}
		if s.kind == listSetting {
			texts = splitPaths(text)
		}
		value, err := s.parse(texts...)
		if err != nil {
			errs = append(errs, fmt.Errorf("invalid environment variable %s: %w", s.env(), err))
			continue
		}
		values[s.key] = value
	}
	return values, errors.Join(append(errs, f.unknownVariables(known)...)...)
}

// unknownVariables returns an error for each variable that looks like one of
// meshctl's and is none, sorted by name.
func (f *Factory) unknownVariables(known []string) []error {
	var errs []error
	for _, assignment := range slices.Sorted(slices.Values(f.Environ())) {
		name, _, _ := strings.Cut(assignment, "=")
		if !strings.HasPrefix(name, envPrefix) || slices.Contains(known, name) || slices.Contains(completionVariables(), name) || f.Getenv(name) == "" {
			continue
		}
		hint := didYouMean(name, known)
		if hint == "" {
			hint = ": there are " + strings.Join(known, ", ")
		}
		errs = append(errs, fmt.Errorf("unknown environment variable %s%s", name, hint))
	}
	return errs
}

// splitPaths splits a list of paths at commas and at what separates the paths
// of PATH on this system.
func splitPaths(text string) []string {
	return strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == os.PathListSeparator })
}
