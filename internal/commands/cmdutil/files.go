package cmdutil

import (
	"cmp"
	"slices"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

// FilesVersion is the API version of the document printed by commands that write files.
const FilesVersion = "files.meshctl.io/v1alpha1"

// FileOutcome is how a file changed.
type FileOutcome string

// The outcomes of files that change.
const (
	FileWritten FileOutcome = "written"
	FileRemoved FileOutcome = "removed"
)

// FileResult is the change of one file.
type FileResult struct {
	Path    string      `json:"path"`
	Outcome FileOutcome `json:"outcome"`
}

// fileList is the JSON and YAML document of --output-dir.
type fileList struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// DryRun is none, or client for a dry run.
	DryRun string       `json:"dryRun"`
	Items  []FileResult `json:"items"`
}

// PrintFiles prints the changed files, sorted by path. It returns the error of printing.
func PrintFiles(streams *cli.Streams, format output.Format, dryRun bool, files []FileResult) error {
	files = append([]FileResult{}, files...)
	slices.SortFunc(files, func(a, b FileResult) int { return cmp.Compare(a.Path, b.Path) })
	list := fileList{APIVersion: FilesVersion, Kind: "FileList", DryRun: "none", Items: files}
	note := ""
	if dryRun {
		list.DryRun, note = "client", " (dry run)"
	}
	return output.Print(streams, format, view.View{
		Document: view.Value(list),
		Text: view.Lines(func(t *view.Text) {
			for _, f := range files {
				t.Linef("%s %s%s", f.Path, f.Outcome, note)
			}
		}),
		Names: view.NameEach(files, func(f *FileResult) string { return f.Path }),
	})
}
