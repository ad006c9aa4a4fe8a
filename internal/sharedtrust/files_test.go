package sharedtrust

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/kube"
)

// Names from clusters, and links in the directory, must not redirect a private key to another
// place.
func TestFileStoreStaysInItsDirectory(t *testing.T) {
	t.Parallel()
	outside := t.TempDir()
	for _, tt := range []struct {
		name, cluster, namespace, secret string
		prepare                          func(t *testing.T, dir string)
		file, fail                       string
	}{
		{name: "usual", cluster: "east", namespace: "istio-system", secret: "cacerts", file: "east/secret-istio-system-cacerts.yaml"},
		{name: "management cluster", cluster: Management, namespace: "gloo-mesh", secret: "root", file: "management/secret-gloo-mesh-root.yaml"},
		{name: "member called like its directory", cluster: "management", namespace: "istio-system", secret: "cacerts", file: "management-*/secret-istio-system-cacerts.yaml"},
		{name: "member called almost like it", cluster: "Management", namespace: "istio-system", secret: "cacerts", file: "Management-*/secret-istio-system-cacerts.yaml"},
		{name: "namespace with a path", cluster: "east", namespace: "x/../../../out", secret: "cacerts", fail: `invalid namespace "x/../../../out"`},
		{name: "name with a path", cluster: "east", namespace: "istio-system", secret: "../cacerts", fail: `invalid Secret name "../cacerts"`},
		{
			name: "directory is a link", cluster: "east", namespace: "istio-system", secret: "cacerts", fail: "path escapes from parent",
			prepare: func(t *testing.T, dir string) {
				t.Helper()
				if err := os.Symlink(outside, filepath.Join(dir, "east")); err != nil {
					t.Fatal(err)
				}
			},
		},
		{
			name: "file is a link", cluster: "east", namespace: "istio-system", secret: "cacerts", fail: "not a regular file",
			prepare: func(t *testing.T, dir string) {
				t.Helper()
				if err := os.Mkdir(filepath.Join(dir, "east"), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.Symlink(filepath.Join(outside, "key"), filepath.Join(dir, "east", "secret-istio-system-cacerts.yaml")); err != nil {
					t.Fatal(err)
				}
			},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if tt.prepare != nil {
				tt.prepare(t, dir)
			}
			store := &FileStore{Dir: dir, Directory: func(cluster string) string { return cluster }, Clusters: &ClusterStore{}}
			_, err := store.Write(t.Context(), tt.cluster, &kube.Secret{Namespace: tt.namespace, Name: tt.secret, Data: map[string][]byte{"k": []byte("v")}}, Write{})
			if tt.fail != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fail) {
					t.Errorf("got the error %v, want one with %q", err, tt.fail)
				}
			} else if err != nil {
				t.Errorf("got the error %v", err)
			}
			var want []string
			if tt.file != "" {
				if want, err = filepath.Glob(filepath.Join(dir, tt.file)); err != nil || len(want) != 1 {
					t.Errorf("files like %s: %v, %v", tt.file, want, err)
				}
			}
			got, err := filepath.Glob(filepath.Join(dir, "*", "*"))
			if err != nil {
				t.Fatal(err)
			}
			if tt.prepare == nil {
				if diff := cmp.Diff(want, got); diff != "" {
					t.Errorf("files (-want +got):\n%s", diff)
				}
			}
		})
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(outside); err != nil || len(left) > 0 {
			t.Errorf("files outside of the directory: %v, %v", left, err)
		}
	})
}
