package cmdutil

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/restart"
	"github.com/meshctl/meshctl/internal/world"
)

// TestExplainNothing checks that the text "needs no restart" only appears if that is known.
func TestExplainNothing(t *testing.T) {
	t.Parallel()
	changed := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	mesh := func(items ...restart.Item) restart.MeshRestart {
		return restart.MeshRestart{Mesh: &world.Mesh{}, Plan: &restart.Plan{TrustChanged: changed, Items: items}}
	}
	own, down := mesh(), restart.MeshRestart{Mesh: &world.Mesh{}, Err: errors.New("connection refused")}
	own.Plan.TrustChanged = time.Time{}
	for name, tt := range map[string]struct {
		meshes     []restart.MeshRestart
		everything bool
		want       string
	}{
		"no mesh":              {want: ""},
		"nothing is older":     {meshes: []restart.MeshRestart{mesh(restart.Item{Action: restart.ActionNone})}, want: "No workload needs a restart: no pod is older than the CA of its mesh."},
		"a cluster is down":    {meshes: []restart.MeshRestart{down}, want: "Cannot determine which workloads need a restart; see the errors above."},
		"one of two is down":   {meshes: []restart.MeshRestart{mesh(), down}, want: "Cannot determine which workloads of 1 mesh need a restart; see the errors above. No other workload is restarted."},
		"a CA of its own":      {meshes: []restart.MeshRestart{mesh(), own}, want: "No workload is known to need a restart; see the notes above."},
		"a Job":                {meshes: []restart.MeshRestart{mesh(restart.Item{Action: restart.ActionExpire, OlderPods: 1})}, want: "No workload needs a restart by meshctl: pods that are older than the CA of their mesh end on their own."},
		"scaled to zero":       {meshes: []restart.MeshRestart{mesh(restart.Item{Action: restart.ActionNone, OlderPods: 1})}, want: "No workload needs a restart by meshctl: pods that are older than the CA of their mesh end on their own."},
		"by its owner":         {meshes: []restart.MeshRestart{mesh(restart.Item{Action: restart.ActionManual, OlderPods: 1})}, want: "No workload needs a restart by meshctl; restart the listed ones yourself."},
		"everything, of none":  {meshes: []restart.MeshRestart{mesh()}, everything: true, want: "Nothing to restart."},
		"everything, but down": {meshes: []restart.MeshRestart{down}, everything: true, want: "Cannot determine which workloads need a restart; see the errors above."},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			streams, _, errOut := cli.Test("")
			s := RestartSession{Fleet: &restart.Fleet{Meshes: tt.meshes}, Progress: NewRestartProgress(streams, false), Everything: tt.everything}
			s.ExplainNothing()
			got, _, _ := strings.Cut(strings.TrimSpace(errOut.String()), " Pass --all-workloads")
			if got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}
