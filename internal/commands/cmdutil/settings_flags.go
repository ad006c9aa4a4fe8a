package cmdutil

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/commands/settings"
)

// SettingOfFlag is the annotation that holds the key of the setting of a flag.
const SettingOfFlag = "meshctl.io/setting"

// BindSetting makes a setting the default of the named flag. A flag on the command line takes
// precedence.
func BindSetting(flags *pflag.FlagSet, name, key string) {
	if err := flags.SetAnnotation(name, SettingOfFlag, []string{key}); err != nil {
		panic(err) // the flag does not exist, which is a bug
	}
}

// WithoutSettings is the annotation of commands that do not use settings, and therefore work
// even if the configuration file is broken.
const WithoutSettings = "meshctl.io/without-settings"

// LoadSettingsFirst makes every command below cmd load the settings before it runs, except
// commands without settings.
func LoadSettingsFirst(cmd *cobra.Command, f *Factory) {
	for _, child := range cmd.Commands() {
		LoadSettingsFirst(child, f)
	}
	if cmd.HasSubCommands() || cmd.Annotations[WithoutSettings] != "" {
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

// useSettings loads the settings after the flags were parsed, and applies them to flags that
// are not on the command line.
func (f *Factory) useSettings(cmd *cobra.Command) error {
	f.BeginsWork()
	f.running = cmd
	f.given = settingFlags(cmd)
	loaded, err := f.Settings()
	if err != nil {
		return err
	}
	var errs []error
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if keys := flag.Annotations[SettingOfFlag]; len(keys) > 0 {
			errs = append(errs, fillFlag(flag, loaded, keys[0]))
		}
	})
	return errors.Join(errs...)
}

// settingFlags returns the flags on the command line that have a setting, by the key of the
// setting.
func settingFlags(cmd *cobra.Command) map[string]settings.Flag {
	given := map[string]settings.Flag{}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		keys := flag.Annotations[SettingOfFlag]
		if len(keys) == 0 {
			return
		}
		value := any(flag.Value.String())
		if list, isList := flag.Value.(pflag.SliceValue); isList {
			value = list.GetSlice()
		}
		given[keys[0]] = settings.Flag{Name: flag.Name, Value: value}
	})
	return given
}

// fillFlag sets a flag to its setting, unless the flag is on the command line or the setting
// has its default value.
func fillFlag(flag *pflag.Flag, loaded *settings.Settings, key string) error {
	switch loaded.Source(key).Kind {
	case settings.FromFlag, settings.FromDefault:
		return nil
	case settings.FromEnv, settings.FromFile:
	}
	var err error
	if list, isList := flag.Value.(pflag.SliceValue); isList {
		err = list.Replace(loaded.List(key))
	} else {
		err = flag.Value.Set(loaded.Text(key))
	}
	if err != nil {
		return fmt.Errorf("use the setting %s as --%s: %w", key, flag.Name, err)
	}
	return nil
}

// ConfigLocation returns the location of the configuration file.
func (f *Factory) ConfigLocation() settings.Location {
	return settings.Locate(f.ConfigFile, f.Getenv)
}

// loadSettings loads the settings once.
func (f *Factory) loadSettings() (*settings.Settings, error) {
	if f.loaded == nil {
		loaded, err := settings.Load(settings.Origins{File: f.ConfigLocation(), Getenv: f.Getenv, Environ: f.Environ, Flags: f.given})
		if err != nil {
			return nil, err
		}
		f.loaded = loaded
	}
	return f.loaded, nil
}
