// Command docs writes the documentation that is generated from code. Run it with
// `make generate` and `make man`.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "docs:", err)
		os.Exit(1)
	}
}

// run writes Markdown to DIRECTORY (findings.md, calls.md, features.md, and cli/ with a page for
// each command), or with `man` in front manual pages.
func run(args []string) error {
	switch {
	case len(args) == 1:
		dir := args[0]
		if err := writeFile(filepath.Join(dir, "findings.md"), findings()); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, "calls.md"), calls()); err != nil {
			return err
		}
		if err := writeFile(filepath.Join(dir, "features.md"), features()); err != nil {
			return err
		}
		return writeCommands(filepath.Join(dir, "cli"))
	case len(args) == 2 && args[0] == "man":
		return writeManual(args[1])
	default:
		return errors.New("usage: docs [man] DIRECTORY")
	}
}

func writeFile(path, text string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("create the directory of %s: %w", path, err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		return fmt.Errorf("write a page: %w", err)
	}
	return nil
}

// removeOld removes the pages of an earlier run, some of which may be about
// commands that are gone.
func removeOld(pattern string) error {
	old, err := filepath.Glob(pattern)
	if err != nil {
		return fmt.Errorf("find old pages: %w", err)
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return fmt.Errorf("remove an old page: %w", err)
		}
	}
	return nil
}
