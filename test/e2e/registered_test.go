//go:build e2e && unix

package e2e

import (
	"encoding/base64"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/test/e2e/clustertest"
)

// testRegistered reads the credentials of registered clusters of all sorts.
func testRegistered(t *testing.T, cluster *clustertest.Cluster, admin *kube.Connection) {
	t.Helper()
	const namespace = "registered"
	path := kubeconfigOf(t, map[string]*clustertest.Credentials{"east": shared.fleet.Cluster(clustertest.East).Admin()})
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const program = "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: a, cluster: {server: 'https://a'}}]\n" +
		"contexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: touch}}}]\n"
	objects := []*unstructured.Unstructured{parse(t, "apiVersion: v1\nkind: Namespace\nmetadata: {name: "+namespace+"}")}
	register := func(name, secret, kind, kubeconfig string) {
		meta := "metadata: {namespace: " + namespace + ", name: "
		objects = append(objects, parse(t, "apiVersion: multicluster.solo.io/v1alpha1\nkind: KubernetesCluster\n"+meta+name+"}\nspec: {secretName: '"+secret+"'}"))
		if kubeconfig != "" {
			objects = append(objects, parse(t, "apiVersion: v1\nkind: Secret\n"+meta+name+"}\ntype: "+kind+"\ndata: {kubeconfig: "+
				base64.StdEncoding.EncodeToString([]byte(kubeconfig))+"}"))
		}
	}
	register("good", "good", kube.KubeconfigSecretType, string(text))
	register("default", "", kube.KubeconfigSecretType, string(text))
	register("gone", "gone", "", "")
	register("opaque", "opaque", "Opaque", string(text))
	register("program", "program", kube.KubeconfigSecretType, program)
	register("broken", "broken", kube.KubeconfigSecretType, "token: [my-secret")
	for _, r := range kube.Apply(t.Context(), admin, objects, kube.ApplyOptions{}) {
		if r.Err != nil {
			t.Fatal(r.Err)
		}
	}
	read := func(t *testing.T, c *kube.Connection, names ...string) ([]string, error) {
		t.Helper()
		connections, failed, err := kube.Registered(t.Context(), c, namespace, names, kube.Options{})
		var got []string
		for _, c := range connections {
			got = append(got, c.Name+" "+string(c.Source))
		}
		for _, e := range failed {
			got = append(got, e.Error())
		}
		return got, err
	}

	got, err := read(t, admin)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{
		"default registered", "good registered",
		"cannot use the registered credentials on cluster broken: it is not a kubeconfig: register the cluster again",
		`cannot read Secret gone in registered on cluster live: secrets "gone" not found`,
		"cannot use Secret opaque in registered on cluster live: its type is not solo.io/kubeconfig: register cluster opaque again",
		"cannot use the registered credentials on cluster program: it uses a credential plugin: register the cluster again",
	}, got); diff != "" {
		t.Errorf("registered (-want +got):\n%s", diff)
	}
	if got, err := read(t, admin, "good", "good"); err != nil || !cmp.Equal(got, []string{"good registered"}) {
		t.Error(got, err)
	}
	if _, err := read(t, admin, "godo"); err == nil || err.Error() != "cannot find cluster godo on cluster live: it is not registered: did you mean good?" {
		t.Errorf("got %v", err)
	}

	connections, _, err := kube.Registered(t.Context(), admin, namespace, []string{"good"}, kube.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := connections[0].UID(t.Context()); err != nil {
		t.Error(err)
	}

	reader, err := cluster.AddReadOnlyUser(t.Context(), "lister", ourGroups()...)
	if err != nil {
		t.Fatal(err)
	}
	got, err = read(t, connection(reader))
	if err != nil || len(got) != 6 {
		t.Fatal(got, err)
	}
	for _, line := range got {
		if !strings.Contains(line, `User "lister" cannot get resource "secrets"`) {
			t.Error(line)
		}
	}
}
