package kube

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// kubeconfigText is a kubeconfig of the contexts, with a cluster and a user of
// the same names.
func kubeconfigText(current string, contexts ...string) string {
	var clusters, users, names strings.Builder
	for _, name := range contexts {
		clusters.WriteString("- name: " + name + "\n  cluster: {server: 'https://" + name + ".example.com', certificate-authority: ca/" + name + ".crt}\n")
		users.WriteString("- name: " + name + "\n  user: {token: token-of-" + name + "}\n")
		names.WriteString("- name: " + name + "\n  context: {cluster: " + name + ", user: " + name + "}\n")
	}
	return "apiVersion: v1\nkind: Config\ncurrent-context: '" + current + "'\nclusters:\n" + clusters.String() +
		"users:\n" + users.String() + "contexts:\n" + names.String()
}

func writeFile(t *testing.T, path, text string) string {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestKubeconfig(t *testing.T) {
	t.Parallel()
	file := writeFile(t, filepath.Join(t.TempDir(), "config"), kubeconfigText("east", "east", "west"))
	for _, name := range []string{"east", "west"} {
		writeFile(t, filepath.Join(filepath.Dir(file), "ca", name+".crt"), "certificate")
	}
	k, err := LoadKubeconfig(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"east", "west"}, k.Contexts()); diff != "" {
		t.Errorf("contexts (-want +got):\n%s", diff)
	}
	tests := []struct {
		name, context, cluster string
		// want is the name of the cluster and its server.
		want string
	}{
		{"the current context", "", "", "east https://east.example.com east"},
		{"another context", "west", "", "west https://west.example.com west"},
		{"a name of its own", "west", "w", "w https://west.example.com west"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := k.Connect(tt.context, tt.cluster, SourceContext, Options{})
			if err != nil {
				t.Fatal(err)
			}
			if got := c.Name + " " + c.server() + " " + c.Context; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if ca := c.RESTConfig().CAFile; ca != filepath.Join(filepath.Dir(file), "ca", c.Context+".crt") {
				t.Errorf("the certificate authority is not relative to the file: %s", ca)
			}
		})
	}
}

func TestKubeconfigErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	tests := []struct {
		name, text, context string
		want                string
	}{
		{"a typo", kubeconfigText("east", "east", "west"), "esat", "cannot use context esat: no such context in FILE: did you mean east?"},
		{"part of a name", kubeconfigText("east", "gke_project_east", "gke_project_west"), "east", "cannot use context east: no such context in FILE: did you mean gke_project_east?"},
		{"nothing like it", kubeconfigText("", "east", "west"), "production", "cannot use context production: no such context in FILE: use an existing context: east, west"},
		{"no contexts", kubeconfigText(""), "east", "cannot use context east: no such context in FILE: it has no contexts"},
		{"no current context", kubeconfigText("", "east"), "", "cannot choose a cluster: FILE has no current context: use --context: east"},
		{"a current context that is gone", kubeconfigText("gone", "east"), "", "cannot use context gone: no such context in FILE: use an existing context: east"},
		{"a file that does not exist", kubeconfigText("east", "east"), "", "cannot use context east: invalid configuration: unable to read certificate-authority"},
		{
			"an auth provider", strings.NewReplacer("token: token-of-east", "auth-provider: {name: gcp}", ", certificate-authority: ca/east.crt", "").Replace(kubeconfigText("east", "east")), "",
			"cannot use the configuration on cluster east: the kubeconfig uses an auth provider that was removed",
		},
		{"not YAML", "a: [", "", "cannot read the kubeconfig: error loading config file"},
		{"not a kubeconfig", "just text", "", "cannot read the kubeconfig: error loading config file"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			file := writeFile(t, filepath.Join(dir, strings.ReplaceAll(tt.name, " ", "-")), tt.text)
			k, err := LoadKubeconfig(file)
			var c *Connection
			if err == nil {
				c, err = k.Connect(tt.context, "", SourceContext, Options{})
			}
			if err == nil {
				_, err = c.Dynamic()
			}
			var e *Error
			if !errors.As(err, &e) || !e.WholeCluster() {
				t.Fatalf("got %v", err)
			}
			if got := strings.ReplaceAll(err.Error(), file, "FILE"); !strings.HasPrefix(got, tt.want) || strings.Contains(got, "\n") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestKubeconfigPaths(t *testing.T) {
	dir := t.TempDir()
	east := writeFile(t, filepath.Join(dir, "one", "east"), kubeconfigText("east", "east"))
	west := writeFile(t, filepath.Join(dir, "two", "west"), kubeconfigText("west", "west"))
	gone := filepath.Join(dir, "gone")
	tests := []struct {
		name, path, environment string
		contexts                []string
		current                 string
		want                    string
	}{
		{name: "a list, the first one says what is current", environment: west + ":" + east, contexts: []string{"east", "west"}, current: "west"},
		{name: "of a list, one may be missing", environment: gone + ":" + east, contexts: []string{"east"}, current: "east"},
		{name: "none of a list exists", environment: gone + ":" + gone + "2", want: "cannot read the kubeconfig: no file in $KUBECONFIG exists: " + gone + ":" + gone + "2: fix $KUBECONFIG, or use --kubeconfig"},
		{name: "a path beats the environment", path: east, environment: west, contexts: []string{"east"}, current: "east"},
		{name: "a path that does not exist is not replaced", path: gone, environment: east, want: "cannot read the kubeconfig: file " + gone + " does not exist: correct --kubeconfig"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Setenv("KUBECONFIG", tt.environment)
			k, err := LoadKubeconfig(tt.path)
			if tt.want != "" {
				if err == nil || err.Error() != tt.want {
					t.Fatalf("got %v, want %s", err, tt.want)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.contexts, k.Contexts()); diff != "" || k.CurrentContext() != tt.current {
				t.Errorf("current context %s; contexts (-want +got):\n%s", k.CurrentContext(), diff)
			}
		})
	}
}

func TestFromKubeconfig(t *testing.T) {
	t.Parallel()
	// What registration writes: everything inlined.
	whole := strings.Replace(kubeconfigText("east", "east"), "certificate-authority: ca/east.crt", "insecure-skip-tls-verify: true", 1)
	tests := []struct{ name, text, want string }{
		{"complete", whole, ""},
		{"the only context is the current one", strings.Replace(whole, "current-context: 'east'", "", 1), ""},
		{"a file of the certificate authority", kubeconfigText("east", "east"), "it refers to files"},
		{"a file of the token", strings.Replace(whole, "token: token-of-east", "tokenFile: /etc/passwd", 1), "it refers to files"},
		{"a program", strings.Replace(whole, "token: token-of-east", "exec: {apiVersion: client.authentication.k8s.io/v1, command: rm}", 1), "it uses a credential plugin"},
		{"no user", strings.Replace(whole, "user: east}", "user: other}", 1), "its context names no user"},
		{"no cluster", strings.Replace(whole, "context: {cluster: east", "context: {cluster: other", 1), "its context names no cluster"},
		{"no server", strings.Replace(whole, "server: 'https://east.example.com', ", "", 1), "its cluster has no server"},
		{"which context", kubeconfigText("", "east", "west"), "it has no current context"},
		{"broken", "token: [token-of-east", "it is not a kubeconfig"},
		{"empty", "", "it has no current context"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, err := FromKubeconfig("remote", []byte(tt.text), Options{})
			if tt.want == "" {
				if err != nil {
					t.Fatal(err)
				}
				if c.Name != "remote" || c.Source != SourceRegistered || c.RESTConfig().BearerToken != "token-of-east" {
					t.Errorf("got %s %s", c.Name, c.Source)
				}
				return
			}
			want := "cannot use the registered credentials on cluster remote: " + tt.want + ": register the cluster again"
			if err == nil || err.Error() != want {
				t.Errorf("got %v, want %s", err, want)
			}
		})
	}
}
