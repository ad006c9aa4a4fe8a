package commands

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/settings"
)

// TestSettingFlags checks that the flags bound to settings exist in the catalogue and accept
// the values of the setting.
func TestSettingFlags(t *testing.T) {
	t.Parallel()
	texts := map[settings.Kind]string{settings.Switch: "true", settings.List: "one,two"}
	streams, _, _ := cli.Test("")
	var visit func(cmd *cobra.Command)
	visit = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(func(flag *pflag.Flag) {
			for _, key := range flag.Annotations[cmdutil.SettingOfFlag] {
				s, known := settings.Find(key)
				if !known {
					t.Errorf("%s: --%s has the setting %s, which does not exist", cmd.CommandPath(), flag.Name, key)
					continue
				}
				text := texts[s.Kind]
				if s.Kind == settings.Text {
					text = s.Default
				}
				if err := flag.Value.Set(text); err != nil {
					t.Errorf("%s: --%s does not take %q: %v", cmd.CommandPath(), flag.Name, text, err)
				}
			}
		})
		for _, child := range cmd.Commands() {
			visit(child)
		}
	}
	visit(newRootCmd(cmdutil.NewFactory(streams)))
}

func TestSettingsPrecedence(t *testing.T) {
	t.Parallel()
	const file = "namespace: from-file\nfilename: [file]\nrecursive: true\ncolor: never\n"
	tests := []struct {
		name string
		file string
		env  map[string]string
		args string
		want map[string]settings.Source
		// wantFiles and wantNamespace are the expected values.
		wantFiles     []string
		wantNamespace string
	}{
		{
			name: "defaults", wantNamespace: "gloo-mesh",
			want: map[string]settings.Source{
				"color": {Kind: "default", Name: ""}, "filename": {Kind: "default", Name: ""}, "max-objects": {Kind: "default"}, "namespace": {Kind: "default", Name: ""},
				"no-input": {Kind: "default", Name: ""}, "recursive": {Kind: "default", Name: ""},
			},
		},
		{
			name: "file", file: file, wantFiles: []string{"file"}, wantNamespace: "from-file",
			want: map[string]settings.Source{
				"color": {Kind: "file", Name: "FILE"}, "filename": {Kind: "file", Name: "FILE"}, "max-objects": {Kind: "default"}, "namespace": {Kind: "file", Name: "FILE"},
				"no-input": {Kind: "default", Name: ""}, "recursive": {Kind: "file", Name: "FILE"},
			},
		},
		{
			name: "environment before file", file: file,
			env:       map[string]string{"MESHCTL_FILENAME": "a:b,c", "MESHCTL_NO_INPUT": "1", "MESHCTL_NAMESPACE": "from-env", "MESHCTL_COLOR": ""},
			wantFiles: []string{"a", "b", "c"}, wantNamespace: "from-env",
			want: map[string]settings.Source{
				"color": {Kind: "file", Name: "FILE"}, "filename": {Kind: "env", Name: "MESHCTL_FILENAME"}, "max-objects": {Kind: "default"}, "namespace": {Kind: "env", Name: "MESHCTL_NAMESPACE"},
				"no-input": {Kind: "env", Name: "MESHCTL_NO_INPUT"}, "recursive": {Kind: "file", Name: "FILE"},
			},
		},
		{
			name: "flags before all", file: file, env: map[string]string{"MESHCTL_FILENAME": "env", "MESHCTL_NO_INPUT": "true"},
			args:      `-f x,y -f "z,]" --recursive=false --no-input=false --color auto --max-objects 7`,
			wantFiles: []string{"x", "y", "z,]"}, wantNamespace: "from-file",
			want: map[string]settings.Source{
				"color": {Kind: "flag", Name: "--color"}, "filename": {Kind: "flag", Name: "--filename"}, "max-objects": {Kind: "flag", Name: "--max-objects"}, "namespace": {Kind: "file", Name: "FILE"},
				"no-input": {Kind: "flag", Name: "--no-input"}, "recursive": {Kind: "flag", Name: "--recursive"},
			},
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "meshctl", "config.yaml")
			if tt.file != "" {
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(tt.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			streams, _, _ := cli.Test("")
			env := map[string]string{"XDG_CONFIG_HOME": filepath.Dir(filepath.Dir(path))}
			for name, value := range tt.env {
				env[name] = value
			}
			streams.Getenv = func(name string) string { return env[name] }
			f := cmdutil.NewFactory(streams)
			var flags cmdutil.WorldFlags
			root := newRootCmd(f)
			probe := &cobra.Command{Use: "probe", RunE: func(*cobra.Command, []string) error { return nil }}
			flags.Register(probe, f)
			root.AddCommand(probe)
			cmdutil.LoadSettingsFirst(probe, f)
			args := []string{"probe"}
			for word := range strings.FieldsSeq(tt.args) {
				args = append(args, word)
			}
			root.SetArgs(args)
			if err := root.ExecuteContext(t.Context()); err != nil {
				t.Fatal(err)
			}
			s, err := f.Settings()
			if err != nil {
				t.Fatal(err)
			}
			got := map[string]settings.Source{}
			for _, row := range settings.Catalogue() {
				got[row.Key] = s.Source(row.Key)
			}
			for key, source := range tt.want {
				if source.Name == "FILE" {
					tt.want[key] = settings.Source{Kind: source.Kind, Name: path}
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("sources (-want +got):\n%s", diff)
			}
			for what, got := range map[string][]string{"settings": s.Filenames(), "flags": flags.Filenames} {
				if !slices.Equal(got, tt.wantFiles) {
					t.Errorf("files in the %s are %q, want %q", what, got, tt.wantFiles)
				}
			}
			if s.Recursive() != flags.Recursive || fmt.Sprint(f.Streams.NoInput) != s.Text(settings.NoInput) || string(f.Streams.Color) != s.Text(settings.Color) {
				t.Errorf("flags %v and streams %v do not follow the settings", flags, f.Streams)
			}
			if got := s.Namespace(); got != tt.wantNamespace {
				t.Errorf("namespace is %q, want %q", got, tt.wantNamespace)
			}
		})
	}
}
