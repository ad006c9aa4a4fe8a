package settings

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/cli/file"
)

// Permissions of a new configuration file, which contains no secrets, and of its directory.
const (
	configMode    fs.FileMode = 0o644
	configDirMode fs.FileMode = 0o700
)

// Edit changes the configuration file and returns its path. The change is atomic, and
// concurrent edits wait for each other. It returns an error, and leaves the file unchanged, if
// the file or the result cannot be parsed, if change fails, or if the file cannot be locked or
// written.
func Edit(ctx context.Context, location Location, change func(*Document) error) (path string, err error) {
	if location.Path == "" {
		return "", ErrNoHome
	}
	path = location.Path
	// Edit the target of a link, not the link itself.
	if target, err := filepath.EvalSymlinks(path); err == nil {
		path = target
	}
	if err := os.MkdirAll(filepath.Dir(path), configDirMode); err != nil {
		return "", fmt.Errorf("create the directory of the configuration file: %w", err)
	}
	unlock, err := lock(ctx, path)
	if err != nil {
		return "", err
	}
	defer unlock()
	config, err := open(Location{Path: path})
	switch {
	case errors.Is(err, fs.ErrNotExist):
		config = &Document{path: path}
	case err != nil:
		return "", fmt.Errorf("%w; the file was not changed: fix it by hand", err)
	}
	before, err := config.text()
	if err != nil {
		return "", err
	}
	if err := change(config); err != nil {
		return "", err
	}
	after, err := config.text()
	if err != nil {
		return "", err
	}
	if bytes.Equal(before, after) {
		return path, nil
	}
	if _, err := parse(path, after); err != nil {
		return "", fmt.Errorf("%s was not changed: the result would be invalid: %w", path, err)
	}
	return path, replaceFile(path, after)
}

// Set sets the value of a key, in place if the key exists. It returns an error if the value
// cannot be encoded.
func (c *Document) Set(key string, value any) error {
	var node yaml.Node
	if err := node.Encode(value); err != nil {
		return fmt.Errorf("encode %s: %w", key, err)
	}
	if c.entries == nil {
		c.entries = &yaml.Node{Kind: yaml.MappingNode}
		c.document = &yaml.Node{Kind: yaml.DocumentNode, Content: []*yaml.Node{c.entries}}
	}
	if len(c.entries.Content) == 0 {
		c.entries.Style = 0 // an empty mapping had to be written as {}
	}
	for i := 0; i+1 < len(c.entries.Content); i += 2 {
		if c.entries.Content[i].Value == key {
			old := c.entries.Content[i+1]
			node.HeadComment, node.LineComment, node.FootComment = old.HeadComment, old.LineComment, old.FootComment
			c.entries.Content[i+1] = &node
			return nil
		}
	}
	c.entries.Content = append(c.entries.Content, &yaml.Node{Kind: yaml.ScalarNode, Value: key}, &node)
	return nil
}

// Unset removes a key and reports whether it existed.
func (c *Document) Unset(key string) bool {
	found := false
	for i := 0; c.entries != nil && i+1 < len(c.entries.Content); {
		if c.entries.Content[i].Value != key {
			i += 2
			continue
		}
		found = true
		c.entries.Content = append(c.entries.Content[:i:i], c.entries.Content[i+2:]...)
	}
	return found
}

// text returns the content of the file.
func (c *Document) text() ([]byte, error) {
	if c.document == nil {
		return nil, nil
	}
	var text bytes.Buffer
	if len(c.comments) > 0 {
		fmt.Fprintf(&text, "%s\n\n", c.comments)
	}
	encoder := yaml.NewEncoder(&text)
	encoder.SetIndent(2)
	if err := errors.Join(encoder.Encode(c.document), encoder.Close()); err != nil {
		return nil, fmt.Errorf("encode %s: %w", c.path, err)
	}
	return text.Bytes(), nil
}

// replaceFile replaces the content of a file atomically. An existing file keeps its
// permissions.
func replaceFile(path string, text []byte) error {
	mode := configMode
	if info, err := os.Stat(path); err == nil {
		mode = info.Mode().Perm()
	}
	if err := file.Replace(path, text, mode); err != nil {
		return fmt.Errorf("write the configuration file: %w", err)
	}
	return nil
}

// How long an edit waits for another one, how often it checks, and the age at which the lock
// of a terminated process is removed.
const (
	lockPatience = 5 * time.Second
	lockInterval = 5 * time.Millisecond
	lockLifetime = time.Minute
)

// lock prevents other edits of the file until unlock is called. The lock is a file next to it,
// which works on all platforms.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	name := path + ".lock"
	ctx, cancel := context.WithTimeout(ctx, lockPatience)
	defer cancel()
	for {
		file, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
		if err == nil {
			return func() { _ = os.Remove(name) }, file.Close()
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, fmt.Errorf("lock the configuration file: %w", err)
		}
		if info, err := os.Stat(name); err == nil && time.Since(info.ModTime()) > lockLifetime {
			_ = os.Remove(name) // its process has terminated
			continue
		}
		select {
		case <-ctx.Done():
			return nil, cli.Timeoutf("the configuration file is locked by another meshctl process: if none is running, remove %s", name)
		case <-time.After(lockInterval):
		}
	}
}
