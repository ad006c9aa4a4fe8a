package cluster

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/wizard/wizardtest"
)

// kubeconfigText returns a kubeconfig with a context for each server. The servers do not
// respond.
func kubeconfigText(current string, servers map[string]string) string {
	var clusters, contexts strings.Builder
	for name, server := range servers {
		clusters.WriteString("- {name: " + name + ", cluster: {server: '" + server + "'}}\n")
		contexts.WriteString("- {name: " + name + ", context: {cluster: " + name + ", user: u}}\n")
	}
	return "apiVersion: v1\nkind: Config\ncurrent-context: " + current + "\nusers: [{name: u, user: {token: t}}]\nclusters:\n" + clusters.String() + "contexts:\n" + contexts.String()
}

// managementAPI returns a management cluster in which clusters are registered at the given
// addresses.
func managementAPI(t *testing.T, members map[string]string) *httptest.Server {
	t.Helper()
	const clusters = "/apis/multicluster.solo.io/v1alpha1/namespaces/gloo-mesh/kubernetesclusters"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer := func(body map[string]any) { _ = json.NewEncoder(w).Encode(body) }
		name, isSecret := strings.CutPrefix(r.URL.Path, "/api/v1/namespaces/gloo-mesh/secrets/")
		switch {
		case isSecret && members[name] != "":
			text := kubeconfigText(name, map[string]string{name: members[name]})
			answer(map[string]any{
				"apiVersion": "v1", "kind": "Secret", "type": kube.KubeconfigSecretType, "metadata": map[string]any{"name": name, "namespace": "gloo-mesh"},
				"data": map[string]any{kube.KubeconfigSecretKey: base64.StdEncoding.EncodeToString([]byte(text))},
			})
		case r.URL.Path == clusters:
			version, kind := "multicluster.solo.io/v1alpha1", "KubernetesClusterList"
			if strings.Contains(r.Header.Get("Accept"), "PartialObjectMetadataList") {
				version, kind = "meta.k8s.io/v1", "PartialObjectMetadataList"
			}
			items := []any{}
			for name := range members {
				items = append(items, map[string]any{"metadata": map[string]any{"name": name, "namespace": "gloo-mesh"}, "spec": map[string]any{"secretName": name}})
			}
			answer(map[string]any{"apiVersion": version, "kind": kind, "metadata": map[string]any{"resourceVersion": "1"}, "items": items})
		default:
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	t.Cleanup(server.Close)
	return server
}

// newTestChooser returns a chooser for a management cluster with a member at
// https://east.example, and the stub that answers its questions.
func newTestChooser(t *testing.T, name string, answers ...wizardtest.Answer) (*clusterChooser, *wizardtest.Stub) {
	t.Helper()
	api := managementAPI(t, map[string]string{"east": "https://east.example"})
	path := filepath.Join(t.TempDir(), "kubeconfig")
	text := kubeconfigText("admin", map[string]string{
		"admin": api.URL, "mgmt": api.URL, "kind-east": "https://east.example", "kind-west": "https://west.example", "aws/north": "https://north.example",
	})
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	management := kube.New("admin", kube.SourceManagement, &rest.Config{Host: api.URL}, kube.Options{})
	management.Context = "admin"
	command := cmdutil.NewClusterCommand(cmdutil.NewFactory(cli.Discard()))
	command.Cluster, command.Namespace, command.Timeout = name, "gloo-mesh", time.Minute
	script := wizardtest.New(t, answers...)
	return &clusterChooser{&command, &remoteFlags{kubeconfig: path}, management, script}, script
}

func TestChooseClusterToRegister(t *testing.T) {
	t.Parallel()
	c, script := newTestChooser(t, "", wizardtest.Default("Which context do you want to register?"), wizardtest.Default("Name of the cluster:"))
	if err := c.toRegister(t.Context()); err != nil {
		t.Fatal(err)
	}
	address := c.management.Server()
	want := []wizard.Option{
		{Label: "aws/north", Detail: "https://north.example"},
		{Label: "kind-west", Detail: "https://west.example"},
		{Label: "kind-east", Detail: "https://east.example, registered as east"},
		{Label: "admin", Detail: address + ", the management cluster"},
		{Label: "mgmt", Detail: address + ", the management cluster"},
	}
	if diff := cmp.Diff(want, script.Screens()[0].Options); diff != "" {
		t.Errorf("contexts (-want +got):\n%s", diff)
	}
	if c.remote.context != "aws/north" || c.Cluster != "north" {
		t.Errorf("chose %s as %s, want the first context that is not registered, named after it", c.remote.context, c.Cluster)
	}
}

func TestChooseNameOnly(t *testing.T) {
	t.Parallel()
	c, _ := newTestChooser(t, "", wizardtest.Type("Name of the cluster:", "No.Name"), wizardtest.Type("Name of the cluster:", "orient"))
	c.remote.context = "kind-east"
	if err := c.toRegister(t.Context()); err != nil || c.Cluster != "orient" {
		t.Errorf("chose %q, error %v", c.Cluster, err)
	}
}

func TestChooseRegisteredCluster(t *testing.T) {
	t.Parallel()
	c, script := newTestChooser(t, "east", wizardtest.Default("Which context is cluster east?"))
	if err := c.selectRegistered(t.Context()); err != nil {
		t.Fatal(err)
	}
	if c.remote.context != "kind-east" {
		t.Errorf("preselected is %s of %v", c.remote.context, script.Screens()[0].Options)
	}
}

// TestChooseAsksNothingInVain checks that no question is asked if the answer could not be
// used.
func TestChooseAsksNothingInVain(t *testing.T) {
	t.Parallel()
	c, _ := newTestChooser(t, "")
	c.management = kube.New("admin", kube.SourceManagement, &rest.Config{Host: "http://127.0.0.1:1"}, kube.Options{})
	if err := c.toRegister(t.Context()); !kube.IsReason(err, kube.ReasonUnreachable) {
		t.Errorf("got error %v", err)
	}
}

func TestSuggestedName(t *testing.T) {
	t.Parallel()
	registered := []string{"east", "east-2"}
	for context, want := range map[string]string{
		"kind-west":                              "west",
		"kind-east":                              "east-3",
		"gke_project_europe-west1-b_shop":        "shop",
		"arn:aws:eks:eu-west-1:123:cluster/shop": "shop",
		"admin@shop.example":                     "shop-example",
		"":                                       "",
		"@":                                      "",
	} {
		if got := suggestedName(context, registered); got != want {
			t.Errorf("%q: got %q, want %q", context, got, want)
		}
	}
}
