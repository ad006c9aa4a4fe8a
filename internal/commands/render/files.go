package render

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/file"
	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/pkg/api/naming"
)

// renderedFiles is a directory with a subdirectory per cluster, and a file per object.
// Symbolic links out of the directory are not followed.
type renderedFiles struct {
	*rendering
	// tree is nil if the directory does not exist and a dry run must not create it.
	tree *file.Tree
	// wanted are the paths of all objects. directories are the names of the clusters by the
	// lower-case name of their directory.
	wanted      map[string]bool
	directories map[string]string

	// changed are the written and removed files.
	changed   []cmdutil.FileResult
	unchanged int
	failures  []string
}

// writeFiles writes the files of the objects and removes stale ones.
func (r *rendering) writeFiles() error {
	f := &renderedFiles{rendering: r, wanted: map[string]bool{}, directories: map[string]string{}}
	what, openTree := "create", file.Make
	if r.dryRun {
		what, openTree = "open", file.Open
	}
	tree, err := openTree(r.outputDir, file.Public)
	if err != nil && (!r.dryRun || !errors.Is(err, fs.ErrNotExist)) {
		return f.cannot(what, "", err)
	}
	if err == nil {
		f.tree = tree
	}
	err = f.writeAll()
	if f.tree != nil {
		err = errors.Join(err, f.tree.Close())
	}
	format := f.format.Format()
	if !f.formatGiven {
		format = output.FormatTable // the default format is for manifests
	}
	if printErr := cmdutil.PrintFiles(f.streams, format, f.dryRun, f.changed); printErr != nil || err != nil {
		return errors.Join(err, printErr)
	}
	return f.summarise()
}

func (f *renderedFiles) writeAll() error {
	encoder := istio.NewEncoder()
	if err := f.each(func(cluster string, objects []istio.Object) error {
		return f.writeCluster(encoder, cluster, objects)
	}); err != nil {
		return err
	}
	return f.removeStale()
}

func (f *renderedFiles) summarise() error {
	wrote, removed := "written", "removed"
	if f.dryRun {
		wrote, removed = "would be written", "would be removed"
	}
	count := map[cmdutil.FileOutcome]int{}
	for _, changed := range f.changed {
		count[changed.Outcome]++
	}
	f.streams.Say("%s: %d %s, %d %s, %d unchanged.", f.outputDir, count[cmdutil.FileWritten], wrote, count[cmdutil.FileRemoved], removed, f.unchanged)
	for i, failure := range f.failures {
		if i == cmdutil.ReportedProblems {
			f.streams.Say("... %s", text.More(len(f.failures)-i))
			break
		}
		f.streams.Fail("%s", failure)
	}
	if len(f.failures) > 0 {
		return cli.ErrReported
	}
	return nil
}

// directoryOf returns the directory name of a cluster: its name, unless that is not a valid
// directory name or differs from another one only in case.
func (f *renderedFiles) directoryOf(cluster string) string {
	name := cmdutil.ClusterDirectory(cluster)
	for taken := f.directories[strings.ToLower(name)]; taken != "" && taken != cluster; taken = f.directories[strings.ToLower(name)] {
		name += "-" + naming.Digest(cluster)[:cmdutil.FileDigest]
	}
	f.directories[strings.ToLower(name)] = cluster
	return name
}

// fileOf returns the file name of an object. Names that are too long, and duplicates, end in a
// digest.
func (f *renderedFiles) fileOf(directory string, o *istio.Object) string {
	name := strings.ToLower(string(o.Kind)) + "-" + o.Namespace + "-" + o.Name
	digest := naming.Digest(o.Namespace + "/" + o.Name)[:cmdutil.FileDigest]
	if len(name) > cmdutil.MaxFileName {
		name = name[:cmdutil.MaxFileName-cmdutil.FileDigest-1] + "-" + digest
	}
	path := filepath.Join(directory, name+".yaml")
	if f.wanted[path] {
		path = filepath.Join(directory, name+"-"+digest+".yaml")
	}
	return path
}

func (f *renderedFiles) writeCluster(encoder *istio.Encoder, cluster string, objects []istio.Object) error {
	directory := f.directoryOf(cluster)
	for i := range objects {
		text, err := output.Manifest(f.manifest(encoder, &objects[i]))
		if err != nil {
			return err
		}
		path := f.fileOf(directory, &objects[i])
		f.wanted[path] = true
		if err := f.write(path, cluster, text); err != nil {
			foreign, held := (*foreignFileError)(nil), (*heldFileError)(nil)
			if errors.As(err, &foreign) || errors.As(err, &held) {
				f.failures = append(f.failures, err.Error())
				continue
			}
			return err
		}
	}
	return nil
}

// foreignFileError says that a file to be written belongs to someone else.
type foreignFileError struct{ path string }

func (e *foreignFileError) Error() string {
	return e.path + " was not rendered by meshctl: move it away, or choose another directory"
}

// write writes a file unless it is unchanged.
func (f *renderedFiles) write(path, cluster string, content []byte) error {
	var existing []byte
	err := fs.ErrNotExist
	if f.tree != nil {
		existing, err = f.read(path)
	}
	switch {
	case err == nil && bytes.Equal(existing, content):
		f.unchanged++
		return nil
	case err == nil && !f.isOurs(existing, istio.ClusterLabelValue(cluster)):
		return &foreignFileError{filepath.Join(f.outputDir, path)}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := f.held(path, cluster, existing, content); err != nil {
		return err
	}
	if !f.dryRun {
		if err := f.tree.Replace(path, content); err != nil {
			return f.cannot("write", path, err)
		}
	}
	f.note(path, cmdutil.FileWritten)
	return nil
}

// read returns the content of a regular file; it does not follow links.
func (f *renderedFiles) read(path string) ([]byte, error) {
	content, err := f.tree.Read(path)
	switch {
	case errors.Is(err, file.ErrNotRegular):
		return nil, &foreignFileError{filepath.Join(f.outputDir, path)}
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return nil, f.cannot("read", path, err)
	default:
		return content, err
	}
}

// removeStale removes the files of objects that are no longer rendered. It removes nothing if
// part of the input is missing, and only files that match the filters.
func (f *renderedFiles) removeStale() error {
	if f.tree == nil {
		return nil
	}
	if f.incomplete {
		f.streams.Warn("stale files are kept, because the input is incomplete")
		return nil
	}
	directories, err := fs.ReadDir(f.tree.FS(), ".")
	if err != nil {
		return f.cannot("read", "", err)
	}
	for _, directory := range directories {
		if !directory.IsDir() || !f.asked(directory.Name()) {
			continue
		}
		entries, err := fs.ReadDir(f.tree.FS(), directory.Name())
		if err != nil {
			return f.cannot("read", directory.Name(), err)
		}
		for _, entry := range entries {
			if err := f.removeIfStale(directory.Name(), entry); err != nil {
				return err
			}
		}
		if !f.dryRun && len(entries) > 0 {
			_ = f.tree.Remove(directory.Name()) // fails if the directory is not empty
		}
	}
	return nil
}

// asked reports whether a directory belongs to a selected cluster.
func (f *renderedFiles) asked(directory string) bool {
	cluster, current := f.directories[strings.ToLower(directory)]
	return len(f.clusters) == 0 || current && slices.Contains(f.clusters, cluster)
}

func (f *renderedFiles) removeIfStale(directory string, entry fs.DirEntry) error {
	path := filepath.Join(directory, entry.Name())
	if !entry.Type().IsRegular() || filepath.Ext(path) != ".yaml" || f.wanted[path] {
		return nil
	}
	content, err := f.read(path)
	if err != nil {
		return err
	}
	cluster := directory
	if name, current := f.directories[strings.ToLower(directory)]; current {
		cluster = name
	}
	if !f.isOurs(content, istio.ClusterLabelValue(cluster)) {
		return nil
	}
	if err := f.held(path, cluster, content, nil); err != nil {
		f.failures = append(f.failures, err.Error())
		return nil
	}
	if !f.dryRun {
		if err := f.tree.Remove(path); err != nil {
			return f.cannot("remove", path, err)
		}
	}
	f.note(path, cmdutil.FileRemoved)
	return nil
}

// heldFileError says that a file is kept because it protects workloads (D70).
type heldFileError struct{ path, why string }

func (e *heldFileError) Error() string {
	return e.path + " is kept: it protects workloads, and " + e.why + "; fix that, or pass --accept-loss"
}

// held returns why a file must be kept although its object is no longer rendered (content is
// nil) or has changed.
func (f *renderedFiles) held(path, cluster string, existing, content []byte) error {
	if f.guard == nil || len(existing) == 0 {
		return nil
	}
	var before, after struct {
		Kind     string
		Metadata struct {
			Namespace   string
			Annotations map[string]string
		}
		Spec map[string]any
	}
	if err := errors.Join(yaml.Unmarshal(existing, &before), yaml.Unmarshal(content, &after)); err != nil {
		return f.cannot("read", path, err)
	}
	if content != nil && after.Spec == nil {
		after.Spec = map[string]any{}
	}
	why := f.guard.Keeps(istio.Stored{
		Cluster: cluster, Kind: istio.Kind(before.Kind), Namespace: before.Metadata.Namespace, Spec: before.Spec,
		Parents: istio.ParentsIn(before.Metadata.Annotations[istio.ParentsAnnotation]),
	}, after.Spec)
	if why == "" {
		return nil
	}
	return &heldFileError{filepath.Join(f.outputDir, path), why}
}

// isOurs reports whether a file contains one object that meshctl rendered for the cluster, of
// a selected kind.
func (f *renderedFiles) isOurs(content []byte, clusterLabel string) bool {
	var object struct {
		APIVersion, Kind string
		Metadata         struct{ Labels map[string]string }
	}
	if bytes.Contains(content, []byte("\n---")) || yaml.Unmarshal(content, &object) != nil {
		return false
	}
	kind := istio.Kind(object.Kind)
	return slices.Contains(istio.Kinds(), kind) && kind.APIVersion() == object.APIVersion &&
		(len(f.kinds) == 0 || slices.Contains(f.kinds, object.Kind)) &&
		object.Metadata.Labels[istio.OwnerLabel] == f.namespace && object.Metadata.Labels[istio.ClusterLabel] == clusterLabel
}

func (f *renderedFiles) note(path string, outcome cmdutil.FileOutcome) {
	f.changed = append(f.changed, cmdutil.FileResult{Path: filepath.Join(f.outputDir, path), Outcome: outcome})
}

func (f *renderedFiles) cannot(what, path string, err error) error {
	var reason *fs.PathError
	if errors.As(err, &reason) {
		err = reason.Err
	}
	return fmt.Errorf("cannot %s %s: %w", what, filepath.Join(f.outputDir, path), err)
}
