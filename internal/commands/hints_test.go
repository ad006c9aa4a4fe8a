package commands

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
)

// TestSuggestedCommands checks all commands in messages: those of other programs must specify
// their cluster and must not delete namespaces; those of meshctl must exist, with their
// flags, and be quoted so that cluster flags are added. TestCompleteCommands checks the latter.
func TestSuggestedCommands(t *testing.T) {
	t.Parallel()
	root := newRootCmd(cmdutil.NewFactory(cli.Discard()))
	foreign := regexp.MustCompile(`\b(kubectl|istioctl|helm) (.* )?(annotate|apply|cordon|create|delete|describe|drain|edit|exec|get|label|logs|patch|replace|rollout|scale|uninstall)\b`)
	bare := regexp.MustCompile("(^|[^'`])\\bmeshctl ([a-z]+)")
	ours := regexp.MustCompile("['`]meshctl ([^'`\n]+)['`]")
	found := 0
	for text, where := range literals(t, "../../internal", "../../cmd", "../../pkg") {
		if strings.Contains(text, "delete namespace") && strings.Contains(text, "kubectl") {
			t.Errorf("%s suggests to delete a namespace, which may hold what others made: %q", where, text)
		}
		for line := range strings.Lines(text) {
			if comment := strings.HasPrefix(strings.TrimSpace(line), "# "); !comment && foreign.MatchString(line) && !strings.Contains(line, "--context ") {
				t.Errorf("%s suggests a command that does not name its cluster by context: %q", where, line)
			}
		}
		for _, match := range bare.FindAllStringSubmatch(text, -1) {
			if cmd, _, err := root.Find(match[2:]); err == nil && cmd != root && !strings.Contains(text, "\n") { // help has several lines
				t.Errorf("%s suggests a command without quotes, which completes nothing: %q", where, text)
			}
		}
		for _, match := range ours.FindAllStringSubmatch(strings.Join(strings.Fields(text), " "), -1) {
			found++
			if err := exists(root, strings.Fields(match[1])); err != "" {
				t.Errorf("%s suggests 'meshctl %s': %s", where, match[1], err)
			}
		}
	}
	if found < 50 {
		t.Errorf("only %d commands found", found)
	}
}

// exists says why a command line cannot be run, empty if it can.
func exists(root *cobra.Command, words []string) string {
	if words[0] == "COMMAND" {
		return ""
	}
	cmd, rest, err := root.Find(words)
	if err != nil || cmd == root {
		return "no such command"
	}
	for _, word := range rest {
		name, _, _ := strings.Cut(strings.TrimLeft(word, "-"), "=")
		switch {
		case strings.HasPrefix(word, "--") && name != "help" && cmd.Flags().Lookup(name) == nil && cmd.InheritedFlags().Lookup(name) == nil:
			return "no flag --" + name
		case cmd.HasSubCommands() && !strings.HasPrefix(word, "-") && strings.ToUpper(word) != word && cmd.Name() != "help":
			return "no such command " + word
		}
	}
	return ""
}

// literals returns the texts in the source of the program with their places. What
// is put into one at run time is an X.
func literals(t *testing.T, roots ...string) map[string]string {
	t.Helper()
	texts := map[string]string{}
	files := token.NewFileSet()
	for _, root := range roots {
		err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(files, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(node ast.Node) bool {
				expression, isExpression := node.(ast.Expr)
				if !isExpression {
					return true
				}
				text, isText := textOf(expression)
				if isText {
					texts[text] = files.Position(node.Pos()).String()
				}
				return !isText
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return texts
}

// textOf returns the text of a literal, or of several that are added up.
func textOf(expression ast.Expr) (string, bool) {
	switch e := expression.(type) {
	case *ast.BasicLit:
		if e.Kind != token.STRING {
			return "", false
		}
		text, err := strconv.Unquote(e.Value)
		return regexp.MustCompile(`%[a-z]`).ReplaceAllString(text, "X"), err == nil
	case *ast.BinaryExpr:
		if e.Op != token.ADD {
			return "", false
		}
		left, isLeft := textOf(e.X)
		right, isRight := textOf(e.Y)
		if !isLeft && !isRight {
			return "", false
		}
		if !isLeft {
			left = "X"
		}
		if !isRight {
			right = "X"
		}
		return left + right, true
	default:
		return "", false
	}
}

func TestCompleteCommands(t *testing.T) {
	t.Parallel()
	kubeconfig := writeKubeconfig(t, "mgmt", "my mgmt")
	for _, tt := range []struct {
		name string
		args []string
		hint string
		want string
	}{
		{
			"the current context",
			[]string{"trust", "status"},
			"run 'meshctl trust issue prod.gloo-mesh'",
			"run 'meshctl trust issue prod.gloo-mesh --kubeconfig KUBECONFIG --context mgmt'",
		},
		{
			"another one",
			[]string{"trust", "status", "--context", "my mgmt"},
			"run 'meshctl discover', then 'meshctl apply'.",
			`run 'meshctl discover --kubeconfig KUBECONFIG --context "my mgmt"', then 'meshctl apply --kubeconfig KUBECONFIG --context "my mgmt"'.`,
		},
		{
			"it names one", []string{"trust", "status"}, "run 'meshctl apply --context other'", "run 'meshctl apply --context other'",
		},
		{"no cluster", []string{"trust", "status"}, "see 'meshctl config --help' and 'meshctl trust --help'", "see 'meshctl config --help' and 'meshctl trust --help'"},
		{"no command", []string{"trust", "status"}, "run 'meshctl dance'", "run 'meshctl dance'"},
		{
			"the namespace",
			[]string{"trust", "status", "-n", "mesh"},
			"run 'meshctl mesh restart x' and 'meshctl cluster list'",
			"run 'meshctl mesh restart x --kubeconfig KUBECONFIG --context mgmt' and 'meshctl cluster list --kubeconfig KUBECONFIG --context mgmt --namespace mesh'",
		},
		{
			"the namespace of a new object",
			[]string{"create", "virtualmesh", "prod", "-n", "mesh"},
			"run 'meshctl apply'",
			"run 'meshctl apply --kubeconfig KUBECONFIG --context mgmt'",
		},
		{
			"discovered clusters",
			[]string{"mesh", "list", "-f", "x.yaml", "--clusters", "east=mgmt"},
			"run 'meshctl mesh restart x', 'meshctl discover'",
			"run 'meshctl mesh restart x --filename x.yaml --clusters east=mgmt --kubeconfig KUBECONFIG', 'meshctl discover --kubeconfig KUBECONFIG'",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			streams, _, errOut := cli.Test("")
			f := cmdutil.NewFactory(streams)
			run(t.Context(), append(tt.args, "--kubeconfig", kubeconfig, "--request-timeout", "1s"), f)
			errOut.Reset()
			streams.Say("%s", tt.hint)
			if got := strings.ReplaceAll(strings.TrimSpace(errOut.String()), kubeconfig, "KUBECONFIG"); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}

// writeKubeconfig writes a kubeconfig with contexts of clusters that refuse
// connections, the first one current, and returns its path.
func writeKubeconfig(t *testing.T, contexts ...string) string {
	t.Helper()
	var text strings.Builder
	text.WriteString("apiVersion: v1\nkind: Config\ncurrent-context: " + contexts[0] + "\nclusters: [{name: c, cluster: {server: \"https://127.0.0.1:1\"}}]\nusers: [{name: u, user: {token: t}}]\ncontexts:\n")
	for _, name := range contexts {
		text.WriteString("- {name: " + name + ", context: {cluster: c, user: u}}\n")
	}
	path := filepath.Join(t.TempDir(), "kubeconfig")
	if err := os.WriteFile(path, []byte(text.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
