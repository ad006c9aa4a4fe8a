package settings

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
)

// Location is where the configuration file is.
type Location struct {
	// Path is empty if there is no place for it: no home directory is known.
	Path string
	// NamedBy is the flag or the variable that names the file; empty if it is in
	// its usual place, where it need not exist.
	NamedBy string
}

// Exists reports whether there is a file.
func (l Location) Exists() bool {
	_, err := os.Stat(l.Path)
	return err == nil
}

// ErrNoHome says that there is no place for a configuration file.
var ErrNoHome = errors.New("no configuration file: neither XDG_CONFIG_HOME nor HOME is set; use --config FILE")

// Locate finds the configuration file: the value of --config, MESHCTL_CONFIG, or
// meshctl/config.yaml in $XDG_CONFIG_HOME or else in $HOME/.config.
func Locate(flag string, getenv func(name string) string) Location {
	if flag != "" {
		return Location{flag, "--config"}
	}
	if path := getenv(envConfig); path != "" {
		return Location{path, envConfig}
	}
	// A relative directory is to be ignored, says the specification of XDG.
	dir := getenv("XDG_CONFIG_HOME")
	if !filepath.IsAbs(dir) {
		home := cmp.Or(getenv("HOME"), getenv("USERPROFILE"))
		if home == "" {
			return Location{}
		}
		dir = filepath.Join(home, ".config")
	}
	return Location{Path: filepath.Join(dir, "meshctl", "config.yaml")}
}
