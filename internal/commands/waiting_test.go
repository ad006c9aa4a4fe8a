package commands

import (
	"bytes"
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// interruptedScreen is a terminal at which somebody interrupts a command as soon as a
// text is shown.
type interruptedScreen struct {
	text      string
	interrupt context.CancelFunc

	mu    sync.Mutex
	shown bytes.Buffer
}

// Write implements io.Writer.
func (s *interruptedScreen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown.Write(p)
	if strings.Contains(s.shown.String(), s.text) {
		s.interrupt()
	}
	return len(p), nil
}

// TestWaitingForHangingCluster holds that whoever waits for a cluster that does not
// answer is told so, by every command that contacts clusters, and can stop it. Each
// command is interrupted by what it says, so that nothing depends on how fast the test
// is; a command that does not say it fails after the time limits of its own.
func TestWaitingForHangingCluster(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0") // it accepts connections, and nothing else
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	text := "apiVersion: v1\nkind: Config\ncurrent-context: mgmt\nclusters: [{name: c, cluster: {server: 'http://" + listener.Addr().String() +
		"'}}]\nusers: [{name: u, user: {token: t}}]\ncontexts: [{name: mgmt, context: {cluster: c, user: u}}, {name: east, context: {cluster: c, user: u}}]\n"
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	for command, want := range map[string]string{
		"describe workload":         "Waiting for cluster mgmt",
		"check":                     "Waiting for cluster mgmt",
		"apply --dry-run":           "Waiting for cluster mgmt",
		"diff --delete vm/prod":     "Waiting for cluster mgmt",
		"render istio":              "Waiting for cluster mgmt",
		"cluster list":              "Waiting for cluster mgmt",
		"mesh list --clusters east": "Waiting for cluster east",
		"mesh list":                 "Waiting for cluster mgmt",
		"trust status":              "Waiting for cluster mgmt",
		"discover --contexts east":  "Waiting for cluster mgmt",
		"uninstall --yes":           "mgmt: look for resources ...",
	} {
		t.Run(command, func(t *testing.T) {
			t.Parallel()
			ctx, interrupt := context.WithCancel(t.Context())
			defer interrupt()
			screen := &interruptedScreen{text: want, interrupt: interrupt}
			streams, _, _ := cli.Test("")
			streams.Err, streams.ErrTerminal = screen, true
			code := run(ctx, append(strings.Fields(command), "--kubeconfig", kubeconfig), cmdutil.NewFactory(streams))
			if shown := screen.shown.String(); code != 130 || !strings.Contains(shown, want) || !strings.HasSuffix(shown, "cancelled\n") {
				t.Errorf("exit code %d, want 130 after %q; the screen:\n%q", code, want, shown)
			}
		})
	}
}
