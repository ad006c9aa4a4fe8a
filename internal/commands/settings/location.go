package settings

import (
	"cmp"
	"errors"
	"os"
	"path/filepath"
)

// Location is the location of the configuration file.
type Location struct {
	// Path is empty if there is no location because the home directory is not known.
	Path string
	// NamedBy is the flag or variable that specifies the file; empty for the default location,
	// where the file need not exist.
	NamedBy string
}

// Exists reports whether the file exists.
func (l Location) Exists() bool {
	_, err := os.Stat(l.Path)
	return err == nil
}

// ErrNoHome says that there is no location for a configuration file.
var ErrNoHome = errors.New("no configuration file: neither XDG_CONFIG_HOME nor HOME is set; use --config FILE")

// Locate returns the location of the configuration file: the value of --config, that of
// MESHCTL_CONFIG, or meshctl/config.yaml in $XDG_CONFIG_HOME or $HOME/.config.
func Locate(flag string, getenv func(name string) string) Location {
	if flag != "" {
		return Location{flag, "--config"}
	}
	if path := getenv(envConfig); path != "" {
		return Location{path, envConfig}
	}
	// The XDG specification requires that a relative path is ignored.
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
