//go:build linux

package mesh

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Result is what a run of meshctl left behind.
type Result struct {
	Stdout, Stderr string
	Code           int
}

// Meshctl runs the program with the lab's kubeconfig and an empty home
// directory. An exit code other than those allowed, 0 if there are none, is an
// error that has what was printed.
func (l *Lab) Meshctl(ctx context.Context, allowed []int, args ...string) (Result, error) {
	home := filepath.Join(l.options.Dir, "home")
	if err := os.MkdirAll(home, 0o700); err != nil {
		return Result{}, err
	}
	var stdout, stderr bytes.Buffer
	cmd := exec.CommandContext(ctx, l.options.Meshctl, args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + home, "KUBECONFIG=" + l.Kubeconfig}
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return Result{}, fmt.Errorf("run meshctl: %w", err)
	}
	result := Result{Stdout: stdout.String(), Stderr: stderr.String(), Code: cmd.ProcessState.ExitCode()}
	if result.Code == 0 {
		return result, nil
	}
	for _, code := range allowed {
		if result.Code == code {
			return result, nil
		}
	}
	return result, fmt.Errorf("meshctl %s: exit code %d\n%s%s", strings.Join(args, " "), result.Code, result.Stdout, result.Stderr)
}

// Manage installs meshctl in the management cluster and registers all others.
func (l *Lab) Manage(ctx context.Context) error {
	if _, err := l.Meshctl(ctx, nil, "install", "--context", Management); err != nil {
		return err
	}
	for _, c := range l.Clusters {
		args := []string{"cluster", "register", c.Name, "--context", Management, "--remote-context", c.Name}
		if c.Domain != "cluster.local" {
			args = append(args, "--cluster-domain", c.Domain)
		}
		if _, err := l.Meshctl(ctx, nil, args...); err != nil {
			return err
		}
	}
	return nil
}
