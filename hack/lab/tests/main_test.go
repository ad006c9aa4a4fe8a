//go:build linux

// Package tests holds what meshctl says against what real istiods and Envoys
// do. `make lab` runs it; it needs root, and the programs that build.sh and
// hack/kube/build.sh print.
package tests

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/meshctl/meshctl/hack/lab/machine"
	"github.com/meshctl/meshctl/hack/lab/mesh"
)

func TestMain(m *testing.M) {
	machine.Intercept()
	flag.Parse()
	if missing := missingPrograms(); missing != "" {
		fmt.Fprintf(os.Stderr, "lab: %s is not set; `make lab` sets it\n", missing)
		if testing.Short() {
			os.Exit(0)
		}
		os.Exit(1)
	}
	code, err := machine.Isolate(m.Run, nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, "lab:", err)
	}
	os.Exit(code)
}

// missingPrograms returns the first variable without which nothing can be
// tried.
func missingPrograms() string {
	for _, name := range []string{"KUBE_ASSETS", "LAB_PROGRAMS", "MESHCTL"} {
		if os.Getenv(name) == "" {
			return name
		}
	}
	return ""
}

// root is the directory of the repository.
const root = "../../.."

// startLab starts a lab for one test and stops it afterwards. Its directory
// stays if the test fails.
func startLab(t *testing.T, options mesh.Options) *mesh.Lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "meshctl-lab-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("what the lab wrote is in %s", dir)
			return
		}
		os.RemoveAll(dir)
	})
	options.KubeAssets, options.Programs, options.Dir = os.Getenv("KUBE_ASSETS"), os.Getenv("LAB_PROGRAMS"), dir
	if options.Meshctl, err = filepath.Abs(os.Getenv("MESHCTL")); err != nil {
		t.Fatal(err)
	}
	logged := make(chan struct{})
	options.Log = func(format string, args ...any) {
		select {
		case <-logged:
		default:
			t.Logf(format, args...)
		}
	}
	started := time.Now()
	l, err := mesh.Start(context.WithoutCancel(t.Context()), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { close(logged); l.Stop() })
	t.Logf("the lab was up after %s", time.Since(started).Round(time.Second))
	return l
}
