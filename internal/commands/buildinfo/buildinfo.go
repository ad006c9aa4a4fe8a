// Package buildinfo describes the build of the binary.
package buildinfo

import (
	"runtime"
	"runtime/debug"
)

// Set by the linker (see the Makefile). Empty values are taken from the build information
// recorded by the Go toolchain.
//
//nolint:gochecknoglobals // the linker can only set package-level variables
var (
	buildVersion string
	buildCommit  string
	buildDate    string
)

// Info describes the build of a binary.
type Info struct {
	Version string `json:"version"`
	// Commit is the full commit hash, with "-dirty" if files differed from it; empty if not
	// known.
	Commit string `json:"commit,omitempty"`
	// Date is the time of the commit in RFC 3339; empty if not known.
	Date      string `json:"date,omitempty"`
	GoVersion string `json:"goVersion"`
	// Platform is the operating system and architecture, such as linux/amd64.
	Platform string `json:"platform"`
}

// DirtySuffix marks a commit from which the source files differed.
const DirtySuffix = "-dirty"

// unknownVersion is the version of a build from a tree without git.
const unknownVersion = "v0.0.0-unknown"

// Read returns the build information of the running binary.
func Read() Info {
	info := Info{
		Version: buildVersion, Commit: buildCommit, Date: buildDate,
		GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if recorded, ok := debug.ReadBuildInfo(); ok {
		info.complete(recorded)
	}
	if info.Version == "" {
		info.Version = unknownVersion
	}
	return info
}

// complete sets the fields that the linker did not set to the values recorded by the
// toolchain.
func (info *Info) complete(recorded *debug.BuildInfo) {
	if info.Version == "" && recorded.Main.Version != "(devel)" {
		info.Version = recorded.Main.Version
	}
	settings := map[string]string{}
	for _, setting := range recorded.Settings {
		settings[setting.Key] = setting.Value
	}
	if info.Commit == "" && settings["vcs.revision"] != "" {
		info.Commit = settings["vcs.revision"]
		if settings["vcs.modified"] == "true" {
			info.Commit += DirtySuffix
		}
	}
	if info.Date == "" {
		info.Date = settings["vcs.time"]
	}
}
