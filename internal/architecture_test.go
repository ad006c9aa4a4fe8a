package internal_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/meshctl/meshctl"

// layers says which of our packages a package may import, besides pkg/api and
// packages below itself. What is not listed (cmd, hack, tests) is free.
func layers() map[string][]string {
	return map[string][]string{
		"pkg/api":            {},
		"internal/cli":       {},
		"internal/discovery": {},
		"internal/clusters":  {},
		"internal/trust":     {},
		"internal/vault":     {},
		"internal/world":     {},
		"internal/load":      {"internal/world", "internal/discovery", "internal/clusters"},
		"internal/policy":    {"internal/world"},
		"internal/describe":  {"internal/policy", "internal/world", "internal/cli"},
		"internal/render":    {"internal/policy", "internal/world"},
		"internal/restart":   {"internal/clusters", "internal/load", "internal/world", "internal/cli"},
		"internal/check":     {"internal/policy", "internal/trust", "internal/sharedtrust", "internal/world", "internal/load", "internal/clusters"},
		"internal/wizard":    {"internal/render", "internal/cli"},
		"internal/commands":  {"internal"},
	}
}

// reserved says which packages alone may import a library, by the prefix of
// its import path.
func reserved() map[string][]string {
	clients := []string{"internal/clusters", "internal/load", "internal/restart", "test/e2e", "hack/playground"}
	return map[string][]string{
		"github.com/spf13/cobra":            {"internal/commands", "hack"},
		"github.com/spf13/pflag":            {"internal/commands", "hack"},
		"github.com/spf13/viper":            {"internal/commands"},
		"github.com/AlecAivazis/survey":     {"internal/wizard"},
		"github.com/olekukonko/tablewriter": {"internal/describe"},
		"k8s.io/client-go":                  clients,
		"sigs.k8s.io/controller-runtime":    clients,
		"istio.io":                          {"internal/render/istio", "internal/discovery"},
		"github.com/rogpeppe/go-internal":   {},
		"github.com/google/go-cmp":          {"internal/testkit"},
		module + "/internal/testkit":        {"internal/testkit"},
		"k8s.io/apiextensions-apiserver":    {"pkg/api"},
		"github.com/google/cel-go":          {"pkg/api"},
	}
}

// pure lists the packages that turn values into values; impure is what would
// let them do something else.
func pure() []string {
	return []string{"internal/world", "internal/policy", "internal/render", "internal/describe", "internal/discovery", "internal/trust"}
}

func impure() []string {
	return []string{"context", "net", "net/http", "os", "os/exec", "os/signal", "log", "log/slog"}
}

// listed is what `go list` says about one package. Imports of test files are
// not part of it: tests may use whatever they need.
type listed struct {
	ImportPath string
	Imports    []string
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	for _, pkg := range listPackages(t) {
		path := ours(pkg.ImportPath)
		for _, imported := range pkg.Imports {
			if reason := forbidden(path, imported); reason != "" {
				t.Errorf("%s imports %s: %s", path, imported, reason)
			}
		}
	}
}

// TestImportRulesBite shows that the rules reject what they are there for.
func TestImportRulesBite(t *testing.T) {
	t.Parallel()
	tests := []struct {
		pkg, imported string
		want          bool
	}{
		{"internal/policy", module + "/internal/world", false},
		{"internal/policy", module + "/pkg/api/core/v1", false},
		{"internal/policy", module + "/internal/policy/sub", false},
		{"internal/policy", module + "/internal/describe", true},
		{"internal/policy", "context", true},
		{"internal/policy", "net/netip", false},
		{"internal/world", module + "/internal/policy", true},
		{"internal/world", "context", true},
		{"internal/load", "context", false},
		{"internal/cli", module + "/internal/world", true},
		{"internal/cli", "github.com/spf13/cobra", true},
		{"internal/commands", "github.com/spf13/cobra", false},
		{"internal/commands", "k8s.io/client-go/rest", true},
		{"internal/commands", module + "/internal/testkit", true},
		{"internal/commandsextra", "github.com/spf13/cobra", true},
		{"pkg/api/validation", module + "/internal/cli", true},
		{"pkg/api/validation", module + "/pkg/api/crds", false},
		{"hack/docs", module + "/internal/policy", false},
	}
	for _, tt := range tests {
		reason := forbidden(tt.pkg, tt.imported)
		if (reason != "") != tt.want {
			t.Errorf("forbidden(%q, %q) = %q, want forbidden: %t", tt.pkg, tt.imported, reason, tt.want)
		}
	}
}

// forbidden says why the package, given by its path in the module, may not
// import the other; empty if it may.
func forbidden(pkg, imported string) string {
	for prefix, allowed := range reserved() {
		if within(imported, prefix) && !withinAny(pkg, allowed) {
			return fmt.Sprintf("only %v may", allowed)
		}
	}
	if withinAny(pkg, pure()) && slices.Contains(impure(), imported) {
		return "this package turns values into values and does nothing else"
	}
	if !within(imported, module) {
		return ""
	}
	target := ours(imported)
	for layer, allowed := range layers() {
		if within(pkg, layer) && !within(target, layer) && !within(target, "pkg/api") && !withinAny(target, allowed) {
			return fmt.Sprintf("%s may import pkg/api and %v of ours", layer, allowed)
		}
	}
	return ""
}

func listPackages(t *testing.T) []listed {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-json=ImportPath,Imports", module+"/...")
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		t.Fatalf("go list: %v\n%s", err, errOut.String())
	}
	var packages []listed
	decoder := json.NewDecoder(&out)
	for {
		var pkg listed
		err := decoder.Decode(&pkg)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("decode the output of go list: %v", err)
		}
		packages = append(packages, pkg)
	}
	if !slices.ContainsFunc(packages, func(p listed) bool { return p.ImportPath == module+"/cmd/meshctl" }) {
		t.Fatalf("go list does not know cmd/meshctl among %d packages", len(packages))
	}
	return packages
}

// ours turns an import path into the path inside the module.
func ours(importPath string) string {
	return strings.TrimPrefix(importPath, module+"/")
}

func within(path, parent string) bool {
	return path == parent || strings.HasPrefix(path, parent+"/")
}

func withinAny(path string, parents []string) bool {
	return slices.ContainsFunc(parents, func(parent string) bool { return within(path, parent) })
}
