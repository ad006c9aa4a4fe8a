//go:build e2e && unix

package e2e

import (
	"context"
	"errors"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// at returns an observer that does something when a phase begins, once.
func at(phase registration.Phase, do func()) registration.Observer {
	done := false
	return func(event registration.Event) {
		if event.Phase == phase && event.State == registration.PhaseStarted && !done {
			done = true
			do()
		}
	}
}

func TestInterruptedRegistration(t *testing.T) {
	t.Parallel()
	r := newRegistry(t, "interrupted")
	r.run(t, 0, "install")
	options := registration.RegisterOptions{Cluster: "east", Namespace: "gloo-mesh"}
	register := func(ctx context.Context, observe registration.Observer) error {
		remote := kube.New("east", kube.SourceContext, r.east.Admin().Config(), kube.Options{})
		remote.Context = "east"
		_, err := registration.Register(ctx, connection(r.management.Admin()), remote, options, observe)
		return err
	}
	restart := func(c *clustertest.Cluster) {
		t.Helper()
		if err := c.StartAPIServer(t.Context()); err != nil {
			t.Fatal(err)
		}
	}

	t.Run("by the user", func(t *testing.T) {
		for _, phase := range []registration.Phase{registration.PhaseToken, registration.PhaseVerify, registration.PhaseRecord} {
			ctx, cancel := context.WithCancel(t.Context())
			err := register(ctx, at(phase, cancel))
			cancel()
			if err == nil {
				t.Errorf("at %q: it went on", phase)
			}
			eventuallyMember(t, r.east)
			r.nothingRecorded(t)
		}
	})
	t.Run("by the management cluster", func(t *testing.T) {
		err := register(t.Context(), at(registration.PhaseRecord, r.management.StopAPIServer))
		restart(r.management)
		var incomplete *registration.IncompleteError
		if err == nil {
			t.Fatal("registering without a management cluster works")
		}
		if errors.As(err, &incomplete) {
			for _, left := range incomplete.Leftovers {
				if left.Cluster == "east" {
					t.Errorf("something is left on the cluster that can be reached: %v", left)
				}
			}
		}
		eventuallyMember(t, r.east)
		r.nothingRecorded(t)
	})
	t.Run("by the cluster itself", func(t *testing.T) {
		err := register(t.Context(), at(registration.PhaseToken, r.east.StopAPIServer))
		restart(r.east)
		var incomplete *registration.IncompleteError
		if !errors.As(err, &incomplete) {
			t.Fatalf("%v is no IncompleteError", err)
		}
		var left []string
		for _, l := range incomplete.Leftovers {
			left = append(left, l.Command)
		}
		want := "kubectl --context east delete clusterrole meshctl-east"
		if !strings.Contains(strings.Join(left, "\n"), want) {
			t.Errorf("%q is not among the commands %q", want, left)
		}
		r.nothingRecorded(t)
		// The next run goes on from there.
		r.run(t, 0, "cluster", "register", "east", "--remote-context", "east")
		expectMember(t, r.east, registered("east", "east-token")...)
	})
	t.Run("with a dead cluster", func(t *testing.T) {
		r.east.StopAPIServer()
		got := r.run(t, 0, "cluster", "list")
		r.expect(t, got.stdout, "east   Unreachable")
		got = r.run(t, 1, "cluster", "deregister", "east", "--yes")
		r.expect(t, got.stderr, "connection refused", "if the cluster no longer exists, add --force")
		got = r.run(t, 0, "cluster", "deregister", "east", "--yes", "--force", "--remote-context", "east")
		r.expect(t, got.stderr, "Left behind; remove with:")
		r.nothingRecorded(t)
		restart(r.east)
		expectMember(t, r.east, registered("east", "east-token")...)
		// A cluster that comes back is registered again without any repair.
		r.run(t, 0, "cluster", "register", "east", "--remote-context", "east")
		// Half a registration is removed, too.
		client := admin(t, r.management)
		if err := client.CoreV1().Secrets("gloo-mesh").Delete(t.Context(), "east", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		got = r.run(t, 0, "cluster", "list")
		r.expect(t, got.stdout, "east   NotFound")
		r.run(t, 1, "cluster", "deregister", "east", "--yes")
		r.run(t, 0, "cluster", "deregister", "east", "--yes", "--remote-context", "east")
		eventuallyMember(t, r.east)
		r.nothingRecorded(t)
	})
	t.Run("when it hangs", func(t *testing.T) {
		if err := r.east.PauseAPIServer(); err != nil {
			t.Fatal(err)
		}
		got := r.run(t, 4, "cluster", "register", "east", "--remote-context", "east", "--request-timeout", "2s")
		r.expect(t, got.stderr, "timed out waiting for https://127.0.0.1:")
		if err := r.east.ResumeAPIServer(); err != nil {
			t.Fatal(err)
		}
	})
}

// nothingRecorded expects no trace of a registration on the management cluster.
func (r *registry) nothingRecorded(t *testing.T) {
	t.Helper()
	got := r.run(t, 0, "cluster", "list", "-o", "name")
	if got.stdout != "" {
		t.Errorf("registered are %s", got.stdout)
	}
	secrets, err := admin(t, r.management).CoreV1().Secrets("gloo-mesh").List(t.Context(), metav1.ListOptions{})
	if err != nil || len(secrets.Items) > 0 {
		t.Errorf("Secrets are left on the management cluster: %d, %v", len(secrets.Items), err)
	}
}
