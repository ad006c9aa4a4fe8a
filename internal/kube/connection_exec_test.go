//go:build unix

package kube

import (
	"encoding/base64"
	"encoding/pem"
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestCredentialPlugins runs the program of a kubeconfig, named relative to it.
func TestCredentialPlugins(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, script string
		want         string
	}{
		{"a token", `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"made-up"}}'`, ""},
		{"a failure", "exit 3", "the credential plugin of the kubeconfig failed: exec: executable SCRIPT failed with exit code 3: run the plugin's login, then try again"},
		{"a refusal", `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{}}'`, "the credential plugin of the kubeconfig failed: exec plugin didn't return a token or cert/key pair: run"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shown := make(chan string, 1)
			server := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				shown <- r.Header.Get("Authorization")
				answer(w, http.StatusOK, map[string]string{"gitVersion": "v1.36.3"})
			}))
			t.Cleanup(server.Close)
			ca := base64.StdEncoding.EncodeToString(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw}))
			dir := t.TempDir()
			script := writeFile(t, filepath.Join(dir, "login.sh"), "#!/bin/sh\n"+tt.script+"\n")
			if err := os.Chmod(script, 0o700); err != nil {
				t.Fatal(err)
			}
			text := "apiVersion: v1\nkind: Config\ncurrent-context: a\nclusters: [{name: a, cluster: {server: '" + server.URL + "', certificate-authority-data: " + ca + "}}]\n" +
				"contexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: ./login.sh, interactiveMode: Never}}}]\n"
			kubeconfig, err := LoadKubeconfig(writeFile(t, filepath.Join(dir, "config"), text))
			if err != nil {
				t.Fatal(err)
			}
			c, err := kubeconfig.Connect("", "", SourceContext, Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.ServerVersion(t.Context())
			if tt.want == "" {
				if got := <-shown; err != nil || got != "Bearer made-up" {
					t.Errorf("the server was shown %q, %v", got, err)
				}
				return
			}
			var e *Error
			if !errors.As(err, &e) || e.Reason != ReasonNoCredentials || !strings.HasPrefix(strings.ReplaceAll(err.Error(), script, "SCRIPT"), "cannot read the version on cluster a: "+tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
}
