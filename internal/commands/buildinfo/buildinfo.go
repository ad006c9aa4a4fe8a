// Package buildinfo says what the binary was built from.
package buildinfo

import (
	"runtime"
	"runtime/debug"
)

// Set by the linker (see the Makefile); what is empty is taken from what the Go
// toolchain records about the build.
//
//nolint:gochecknoglobals // the linker can only set package-level variables
var (
	buildVersion string
	buildCommit  string
	buildDate    string
)

// Info says what a binary was built from.
type Info struct {
	Version string `json:"version"`
	// Commit is the full hash of the commit, with "-dirty" if files differed
	// from it; empty if it is unknown.
	Commit string `json:"commit,omitempty"`
	// Date is the time of the commit in RFC 3339, empty if it is unknown.
	Date      string `json:"date,omitempty"`
	GoVersion string `json:"goVersion"`
	// Platform is the operating system and architecture, as in linux/amd64.
	Platform string `json:"platform"`
}

// DirtySuffix marks a commit from which the built files differed.
const DirtySuffix = "-dirty"

// unknownVersion is the version of a build from a tree without git.
const unknownVersion = "v0.0.0-unknown"

// Read describes the running binary.
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

// complete fills what the linker did not set from what the toolchain recorded.
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
