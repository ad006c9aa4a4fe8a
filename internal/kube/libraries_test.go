package kube

import (
	"errors"
	"fmt"
	"log"
	"log/slog"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/klog/v2"
)

// The logs of libraries belong to the process: this test does not run in parallel.
func TestLogLibrariesTo(t *testing.T) { //nolint:paralleltest // it replaces the loggers of the process
	before, flags, writer := slog.Default(), log.Flags(), log.Writer()
	t.Cleanup(func() {
		slog.SetDefault(before)
		log.SetFlags(flags)
		log.SetOutput(writer)
		klog.ClearLogger()
	})
	var mu sync.Mutex
	var lines []string
	verbosity := 0
	LogLibrariesTo(func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		lines = append(lines, fmt.Sprintf(format, args...))
	}, func() int { return verbosity })
	say := func() []string {
		lines = nil
		klog.Errorf("refreshing credentials: %v", errors.New("exit status 1"))
		klog.ErrorS(errors.New("EOF"), "Unexpected error", "url", "https://east")
		klog.FromContext(t.Context()).Info("Waited before sending request", "delay", "1s")
		klog.FromContext(t.Context()).V(4).Info("Error in request", "err", "EOF")
		klog.FromContext(t.Context()).V(8).Info("Request Body", "body", "secret")
		log.Printf("Unsolicited response received on idle HTTP channel\nstarting with %q", "HTTP")
		slog.Debug("of a library with slog")
		return lines
	}
	shown := []string{
		`library: level=ERROR msg="refreshing credentials: exit status 1"`,
		`library: level=ERROR msg="Unexpected error" err=EOF url=https://east`,
		`library: level=INFO msg="Waited before sending request" delay=1s`,
		`library: level=INFO msg="Unsolicited response received on idle HTTP channel\nstarting with \"HTTP\""`,
	}
	more := []string{
		shown[0], shown[1], shown[2],
		`library: level=DEBUG msg="Error in request" err=EOF`,
		shown[3],
		`library: level=DEBUG msg="of a library with slog"`,
	}
	for i, want := range [][]string{nil, shown, more, more} {
		verbosity = i
		if diff := cmp.Diff(want, say()); diff != "" {
			t.Errorf("with verbosity %d (-want +got):\n%s", i, diff)
		}
	}
}
