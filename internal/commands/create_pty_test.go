//go:build unix

package commands_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/meshctl/meshctl/internal/commands"
	"github.com/meshctl/meshctl/internal/testkit/ptytest"
)

// Keys as a terminal sends them.
const (
	enter     = ptytest.Enter
	down      = ptytest.Down
	interrupt = ptytest.Interrupt
)

// converse starts meshctl on its own terminal.
func converse(t *testing.T, dir string, args ...string) *ptytest.Dialogue {
	t.Helper()
	return converseWith(t, dir, nil, args...)
}

// converseWith is converse with additional environment variables.
func converseWith(t *testing.T, dir string, env []string, args ...string) *ptytest.Dialogue {
	t.Helper()
	commands.StartsProcesses(t)
	cmd := exec.CommandContext(t.Context(), "meshctl", args...)
	cmd.Dir = dir
	cmd.Env = append(append(ptytest.Environ(os.Environ()), "HOME="+t.TempDir()), env...)
	return ptytest.Start(t, cmd, commands.Patience)
}

// worldWithoutVirtualMesh returns a directory with the bundled world without its virtual mesh.
func worldWithoutVirtualMesh(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := os.CopyFS(dir, os.DirFS("../../testdata/worlds/bookinfo-two-clusters")); err != nil {
		t.Fatal(err)
	}
	if err := os.Remove(filepath.Join(dir, "virtualmesh.yaml")); err != nil {
		t.Fatal(err)
	}
	return dir
}
