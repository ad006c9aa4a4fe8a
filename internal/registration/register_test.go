package registration

import (
	"encoding/base64"
	"errors"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
)

func TestEndpoint(t *testing.T) {
	t.Parallel()
	caFile := filepath.Join(t.TempDir(), "ca.crt")
	if err := os.WriteFile(caFile, []byte("from a file"), 0o600); err != nil {
		t.Fatal(err)
	}
	proxy := func(text string) func(*http.Request) (*url.URL, error) {
		return func(*http.Request) (*url.URL, error) { return url.Parse(text) }
	}
	ca := rest.TLSClientConfig{CAData: []byte("inline")}
	for _, tt := range []struct {
		name   string
		config rest.Config
		opts   endpointOptions
		want   endpoint
		warns  string
		fails  string
	}{
		{name: "as it is", config: rest.Config{Host: "https://a.example:6443/", TLSClientConfig: ca}, want: endpoint{server: "https://a.example:6443", ca: []byte("inline")}},
		{name: "path", config: rest.Config{Host: "https://a.example/k8s/east"}, want: endpoint{server: "https://a.example/k8s/east"}},
		{name: "no scheme", config: rest.Config{Host: "a.example:6443"}, want: endpoint{server: "https://a.example:6443"}},
		{
			name: "file", config: rest.Config{Host: "https://a.example", TLSClientConfig: rest.TLSClientConfig{CAFile: caFile, ServerName: "b.example"}},
			want: endpoint{server: "https://a.example", ca: []byte("from a file"), tlsServerName: "b.example"},
		},
		{
			name: "missing file", config: rest.Config{Host: "https://a.example", TLSClientConfig: rest.TLSClientConfig{CAFile: caFile + "x"}},
			fails: "cannot read the CA file",
		},
		{
			name: "host", config: rest.Config{Host: "https://127.0.0.1:6443", TLSClientConfig: ca}, opts: endpointOptions{address: "b.example"},
			want: endpoint{server: "https://b.example:6443", ca: []byte("inline")},
		},
		{
			name: "host and port", config: rest.Config{Host: "https://127.0.0.1:6443"}, opts: endpointOptions{address: "b.example:443"},
			want: endpoint{server: "https://b.example:443"},
		},
		{name: "IPv6", config: rest.Config{Host: "https://a.example"}, opts: endpointOptions{address: "2001:db8::1"}, want: endpoint{server: "https://[2001:db8::1]"}},
		{name: "IPv6 and port", config: rest.Config{Host: "https://a.example:1"}, opts: endpointOptions{address: "[2001:db8::1]:443"}, want: endpoint{server: "https://[2001:db8::1]:443"}},
		{name: "URL", config: rest.Config{Host: "https://a.example"}, opts: endpointOptions{address: "https://b.example/x"}, want: endpoint{server: "https://b.example/x"}},
		{name: "plain URL", config: rest.Config{Host: "https://a.example"}, opts: endpointOptions{address: "http://b.example"}, fails: "the token would be sent unencrypted"},
		{name: "plain", config: rest.Config{Host: "http://a.example"}, fails: "the token would be sent unencrypted"},
		{name: "no port", config: rest.Config{Host: "https://a.example"}, opts: endpointOptions{address: "b.example:seven"}, fails: `"seven" is not a port`},
		{name: "no host", config: rest.Config{Host: "https://a.example"}, opts: endpointOptions{address: ":443"}, fails: "is neither a host nor a host with a port"},
		{name: "user in host", config: rest.Config{Host: "https://a.example"}, opts: endpointOptions{address: "me@b.example"}, fails: "is neither a host nor a host with a port"},
		{
			name: "loopback", config: rest.Config{Host: "https://localhost:6443", TLSClientConfig: ca},
			want: endpoint{server: "https://localhost:6443", ca: []byte("inline")}, warns: "localhost is a loopback address",
		},
		{
			name: "silently insecure", config: rest.Config{Host: "https://a.example", TLSClientConfig: rest.TLSClientConfig{Insecure: true}},
			fails: "does not verify the certificate of the cluster",
		},
		{
			name: "insecure", config: rest.Config{Host: "https://a.example", TLSClientConfig: ca}, opts: endpointOptions{insecure: true},
			want: endpoint{server: "https://a.example", insecure: true}, warns: "will not be verified",
		},
		{
			name: "proxy", config: rest.Config{Host: "https://a.example", Proxy: proxy("http://proxy.example:3128")},
			want: endpoint{server: "https://a.example", proxy: "http://proxy.example:3128"},
		},
		{name: "proxy with a password", config: rest.Config{Host: "https://a.example", Proxy: proxy("http://me:hush@proxy.example")}, fails: "has credentials"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			tt.config.BearerToken = "hush-hush"
			got, warnings, err := newEndpoint(kube.New("east", kube.SourceContext, &tt.config, kube.Options{}), tt.opts)
			if tt.fails != "" {
				if err == nil || !strings.Contains(err.Error(), tt.fails) || strings.Contains(err.Error(), "hush") {
					t.Errorf("error %v, want %q in it", err, tt.fails)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got, cmp.AllowUnexported(endpoint{})); diff != "" {
				t.Errorf("endpoint (-want +got):\n%s", diff)
			}
			if said := strings.Join(warnings, "\n"); (tt.warns == "") != (said == "") || !strings.Contains(said, tt.warns) {
				t.Errorf("warnings %q, want %q", said, tt.warns)
			}
			kubeconfig, err := got.kubeconfig("east", "new-token")
			if err != nil {
				t.Fatal(err)
			}
			if strings.Contains(string(kubeconfig), "hush") || strings.Contains(string(kubeconfig), caFile) {
				t.Errorf("the kubeconfig has credentials or files of the user:\n%s", kubeconfig)
			}
			parts, err := splitKubeconfig(string(kubeconfig))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(kubeconfigParts{cluster: "east", endpoint: got, token: "new-token"}, parts, cmp.AllowUnexported(endpoint{}, kubeconfigParts{})); diff != "" {
				t.Errorf("written and read again (-want +got):\n%s", diff)
			}
		})
	}
}

func token(claims string) string {
	return "header." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + ".signature"
}

func TestTokenTimes(t *testing.T) {
	t.Parallel()
	at := func(seconds int64) *time.Time {
		moment := time.Unix(seconds, 0).UTC()
		return &moment
	}
	for _, tt := range []struct {
		token string
		want  *time.Time
		life  time.Duration
	}{
		{token: "", want: nil},
		{token: "opaque"},
		{token: "a.b.c"},
		{token: token(`{"iss":"kubernetes/serviceaccount"}`)},
		{token: token(`{"iat":1700000000,"exp":1700003600}`), want: at(1700003600), life: time.Hour},
		{token: token(`{"iat":1700003600,"exp":1700000000}`), want: at(1700000000)},
		{token: token(`{"iat":1700000000,"exp":1700000001}`), want: at(1700000001), life: MinTokenTTL},
		{token: token(`{"exp":1e30}`)},
		{token: token(`{"exp":-1}`)},
		{token: token(`{"exp":"soon"}`)},
		{token: token(`[`)},
	} {
		if diff := cmp.Diff(tt.want, TokenExpiry(tt.token)); diff != "" {
			t.Errorf("expiry of %q (-want +got):\n%s", tt.token, diff)
		}
		if got := tokenLife(tt.token); got != tt.life {
			t.Errorf("life of %q: %s, want %s", tt.token, got, tt.life)
		}
	}
}

func TestTokenSecretNames(t *testing.T) {
	t.Parallel()
	m := membership{cluster: "east"}
	for n := 1; n < 12; n++ {
		if got := tokenSecretNumber("east", m.tokenSecretName(n)); got != n {
			t.Errorf("%s has number %d, want %d", m.tokenSecretName(n), got, n)
		}
	}
	for _, name := range []string{"", "east", "east-token-", "east-token-1", "east-token-0", "east-token--2", "east-token-x", "west-token", "east-tokens"} {
		if got := tokenSecretNumber("east", name); got != 0 {
			t.Errorf("%q has number %d, want none", name, got)
		}
	}
}

func TestCheckClusterName(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"east": "", "kind-1": "", strings.Repeat("a", 50): "",
		"": "is empty", "a.b": "must not contain dots", "East": "invalid cluster name", "-a": "invalid cluster name", "a/b": "invalid cluster name",
		strings.Repeat("a", 51): "at most 50 characters",
	} {
		if got := CheckClusterName(name); (want == "") != (got == "") || !strings.Contains(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
}

func TestRegisterOptions(t *testing.T) {
	t.Parallel()
	minute, never := time.Minute, time.Duration(0)
	for _, tt := range []struct {
		opts RegisterOptions
		want string
	}{
		{RegisterOptions{Cluster: "east", Namespace: "gloo-mesh", TokenTTL: &never}, ""},
		{RegisterOptions{Cluster: "e.a.st", Namespace: "gloo-mesh"}, "must not contain dots"},
		{RegisterOptions{Cluster: "east", Namespace: "Gloo"}, `"Gloo" is not a valid namespace`},
		{RegisterOptions{Cluster: "east", RemoteNamespace: "a.b"}, `"a.b" is not a valid namespace`},
		{RegisterOptions{Cluster: "east", ClusterDomain: "a..b"}, `"a..b" is not a DNS domain`},
		{RegisterOptions{Cluster: "east", TokenTTL: &minute}, "the lifetime of a token must be at least 10m0s, got 1m0s"},
	} {
		err := tt.opts.check()
		if (err == nil) != (tt.want == "") || err != nil && !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%+v: %v, want %q", tt.opts, err, tt.want)
		}
	}
}

func TestRepeatingKeepsWhatWasChosen(t *testing.T) {
	t.Parallel()
	m := membership{
		cluster: "east", namespace: "mesh", remoteNamespace: "agents", clusterDomain: "east.local", access: AccessRead,
		address: "east.example:443", managementUID: "m", remoteUID: "r",
	}
	kubeconfig, err := endpoint{server: "https://east.example:443"}.kubeconfig("east", token(`{"iat":1700000000,"exp":1700007200}`))
	if err != nil {
		t.Fatal(err)
	}
	object := m.kubernetesCluster()
	object.Object["status"] = m.kubernetesClusterStatus().Object["status"]
	found := &registered{object: object, secret: m.kubeconfigSecret(kubeconfig), member: membership{cluster: "east"}}
	found.read(object)

	var kept RegisterOptions
	kept.keep(found)
	life := 2 * time.Hour
	want := RegisterOptions{RemoteNamespace: "agents", ClusterDomain: "east.local", Access: AccessRead, APIServerAddress: "east.example:443", TokenTTL: &life}
	if diff := cmp.Diff(want, kept); diff != "" {
		t.Errorf("kept (-want +got):\n%s", diff)
	}
	never := time.Duration(0)
	chosen := RegisterOptions{RemoteNamespace: "a", ClusterDomain: "b", Access: AccessFull, APIServerAddress: "c", TokenTTL: &never}
	want = chosen
	chosen.keep(found)
	if diff := cmp.Diff(want, chosen); diff != "" {
		t.Errorf("chosen anew (-want +got):\n%s", diff)
	}
}

func TestLeftovers(t *testing.T) {
	t.Parallel()
	m := membership{cluster: "east", remoteNamespace: "gloo-mesh"}
	c := kube.New("east", kube.SourceContext, &rest.Config{Host: "https://a.example"}, kube.Options{})
	c.Context = "my east"
	role, account := m.clusterRole(), m.serviceAccount("")
	keys := []kube.ObjectKey{
		{GVK: role.GroupVersionKind(), Name: role.GetName()},
		{GVK: account.GroupVersionKind(), Namespace: "gloo-mesh", Name: "east"},
		m.registrationKey(),
		{GVK: kube.NamespaceKind(), Name: "gloo-mesh"},
	}
	leftovers := func(c *kube.Connection) []Leftover {
		var left []Leftover
		for _, key := range keys {
			left = append(left, leftoverOf(c, "/k", key))
		}
		return left
	}
	const elsewhere = "delete it with your own credentials for the cluster"
	left := leftovers(c)
	want := []Leftover{
		{"east", "ClusterRole meshctl-east", "kubectl --kubeconfig /k --context 'my east' delete clusterrole meshctl-east", ""},
		{"east", "ServiceAccount east in gloo-mesh", "kubectl --kubeconfig /k --context 'my east' delete serviceaccount east --namespace gloo-mesh", ""},
		{"east", "KubernetesCluster east", "kubectl --kubeconfig /k --context 'my east' delete kubernetescluster.multicluster.solo.io east", ""},
		{"east", "Namespace gloo-mesh", "", "delete it if nothing else is in it"},
	}
	if diff := cmp.Diff(want, left); diff != "" {
		t.Errorf("leftovers (-want +got):\n%s", diff)
	}
	for i := range want[:3] {
		want[i].Command, want[i].Advice = "", elsewhere
	}
	if diff := cmp.Diff(want, leftovers(&kube.Connection{Name: "east"})); diff != "" {
		t.Errorf("leftovers on a cluster without a context (-want +got):\n%s", diff)
	}
	cause := errors.New("it broke")
	err := error(&IncompleteError{Err: cause, Leftovers: left[:1]})
	if got, want := err.Error(), "it broke; left behind: ClusterRole meshctl-east on east"; got != want || !errors.Is(err, cause) {
		t.Errorf("error %q, want %q", got, want)
	}
}

// FuzzKubeconfig reads arbitrary kubeconfigs from the management cluster.
func FuzzKubeconfig(f *testing.F) {
	good, err := endpoint{server: "https://a.example", ca: []byte("ca")}.kubeconfig("east", token(`{"exp":1}`))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(good))
	f.Add("current-context: a\ncontexts: [{name: a, context: {cluster: b}}]")
	f.Add("users: [{name: a, user: {exec: {command: rm}}}]")
	f.Add("{")
	f.Fuzz(func(t *testing.T, text string) {
		parts, err := splitKubeconfig(text)
		if err != nil {
			return
		}
		again, err := parts.withToken("other")
		if err != nil {
			t.Fatal(err)
		}
		if got, err := splitKubeconfig(string(again)); err != nil || got.token != "other" || got.endpoint.server != parts.endpoint.server {
			t.Errorf("with another token: %+v, %v", got, err)
		}
	})
}
