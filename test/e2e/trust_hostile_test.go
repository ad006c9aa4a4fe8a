//go:build e2e && unix

package e2e

import (
	"os"
	"strings"
	"testing"

	"github.com/meshctl/meshctl/internal/kube"
)

// testHostileInput asks for what cannot be had.
func (f *trustFleet) testHostileInput(t *testing.T) {
	f.restore(t, trustState{})
	f.virtualMesh(t, "{shared: "+small+"}")
	meshOf := func(name, spec string) {
		put(t, f.management, parse(t, "{apiVersion: networking.mesh.gloo.solo.io/v1, kind: VirtualMesh, metadata: {name: "+name+", namespace: gloo-mesh}, spec: "+spec+"}"))
	}
	meshOf("limited", "{mtlsConfig: {limited: {}}, meshes: []}")
	meshOf("plain", "{meshes: []}")
	meshOf("empty", "{mtlsConfig: {shared: {}}, meshes: []}")
	meshOf("wrong", "{mtlsConfig: {shared: {}}, meshes: [{name: nowhere, namespace: gloo-mesh}]}")
	meshOf("tiny", "{mtlsConfig: {shared: {intermediateCertOptions: {rsaKeySizeBytes: 16}}}, meshes: []}")
	defer func() {
		for _, name := range []string{"limited", "plain", "empty", "wrong", "tiny"} {
			key := prodKey()
			key.Name = name
			kube.Delete(t.Context(), f.central, key, kube.DeleteOptions{})
		}
	}()
	f.faults.none()
	for _, tt := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{"issue"}, 2, "needs the name of a virtual mesh"},
		{[]string{"issue", "prod"}, 2, "not a terminal: pass --yes to confirm"},
		{[]string{"issue", "prod", "other", "--yes"}, 2, `takes one name`},
		{[]string{"issue", "prdo", "--yes"}, 1, "prod"},
		{[]string{"issue", "prod.elsewhere", "--yes"}, 1, "prod"},
		{[]string{"issue", "", "--yes"}, 1, ""},
		{[]string{"issue", "limited", "--yes"}, 1, "limited trust"},
		{[]string{"issue", "plain", "--yes"}, 1, "does not use shared trust: set spec.mtlsConfig.shared"},
		{[]string{"issue", "empty", "--yes"}, 1, "no Istio mesh"},
		{[]string{"issue", "wrong", "--yes"}, 1, "has no Istio mesh: meshes not found (nowhere.gloo-mesh)"},
		{[]string{"issue", "tiny", "--yes"}, 1, "rsaKeySizeBytes"},
		{[]string{"issue", "prod", "--yes", "--timeout", "0s"}, 2, "--timeout must be more than 0"},
		{[]string{"issue", "prod", "--yes", "--output-dir", "/proc/none"}, 1, "/proc/none"},
		{[]string{"issue", "prod", "--output-dir", "x", "--dry-run=server"}, 2, "--output-dir and --dry-run=server cannot be combined: use --dry-run=client"},
		{[]string{"rotate", "prod"}, 2, "not a terminal: pass --yes to confirm"},
		{[]string{"rotate", "prod", "--auto", "--dry-run"}, 2, "--auto and --dry-run cannot be combined"},
		{[]string{"rotate", "limited", "--yes"}, 1, "limited trust"},
		{[]string{"rollback", "prod", "--yes"}, 1, "nothing to roll back"},
		{[]string{"verify", "prod", "--yes"}, 1, "nothing to verify"},
		{[]string{"status", "nothing"}, 1, "nothing"},
		{[]string{"status", "limited"}, 1, "limited trust"},
	} {
		got := f.meshctl(t, tt.code, append([]string{"trust"}, tt.args...)...)
		f.expect(t, got.stderr, tt.want)
		if strings.Count(got.stderr, "\n") > 6 || strings.Contains(got.stderr, "goroutine") {
			t.Errorf("trust %v says much:\n%s", tt.args, got.stderr)
		}
	}
	if writes := f.faults.written(); len(writes) > 0 {
		t.Errorf("it wrote %v", writes)
	}
	// One virtual mesh that cannot have trust does not hide the others.
	got := f.try(t, "trust", "status")
	f.expect(t, got.stdout, "Virtual Mesh:  prod.gloo-mesh")
	if got.code != 1 {
		t.Errorf("exit code %d", got.code)
	}

	// Nobody reads what it says.
	cmd, _, stderr := f.command(t, "trust", "issue", "prod", "--yes")
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	reader.Close()
	cmd.Stdout = writer
	if err := cmd.Run(); err != nil {
		t.Errorf("with closed standard output: %v\n%s", err, stderr)
	}
	writer.Close()
	f.everyPairTalks(t, "written unread", nil)

	// Conditions that no rotation leads to.
	for conditions, want := range map[string]string{
		`[{"state": "VERIFIED", "timestamp": "yesterday"}]`:                              "state VERIFIED cannot follow a rotation that is not under way",
		`[{"state": "ADDING_NEW_ROOT"}, {"state": "DELETING_OLD_ROOT"}]`:                 "condition 2 of 2",
		`[{"message": "nothing"}]`:                                                       "is none of those of a rotation",
		`[{"type": "Ready", "status": "True", "reason": "Somebody", "message": "else"}]`: "is none of those of a rotation",
	} {
		write(t, f.central, prodKey(), `{"status": {"conditions": `+conditions+`}}`, "status")
		for _, command := range []string{"status", "issue", "rotate"} {
			args := []string{"trust", command, "prod"}
			if command != "status" {
				args = append(args, "--yes")
			}
			f.expect(t, f.meshctl(t, 1, args...).stderr, "the status of VirtualMesh prod.gloo-mesh has invalid rotation conditions", want)
		}
	}
	write(t, f.central, prodKey(), `{"status": {"conditions": null}}`, "status")
	f.meshctl(t, 3, "trust", "status", "prod")
}
