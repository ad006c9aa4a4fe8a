package config

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/settings"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/output/view"
)

type viewOptions struct {
	streams  *cli.Streams
	settings func() (*settings.Settings, error)
	output   *cmdutil.EnumValue
}

func newViewCmd(f *cmdutil.Factory) *cobra.Command {
	opts := &viewOptions{streams: f.Streams, settings: f.Settings, output: cmdutil.NewOutput(output.FormatTable)}
	cmd := &cobra.Command{
		Use:   "view",
		Short: "Print the value and the source of every setting",
		Example: cmdutil.Dedent(`
			# show every setting and its source
			meshctl config view

			# print the namespace in use
			meshctl config view -o json | jq -r '.settings[] | select(.key == "namespace").value'`),
		Args:              cmdutil.NoArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			return runView(opts)
		},
	}
	cmdutil.AddOutputFlag(cmd, opts.output, "output format")
	return cmd
}

// configView is the JSON and YAML document of the command.
type configView struct {
	// File is the path of the configuration file, whether it exists or not.
	File     string        `json:"file,omitempty"`
	Settings []settingView `json:"settings"`
}

// settingView is one effective setting. Its value is a string, a boolean or a list of strings.
type settingView struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Source string `json:"source"`
	// From is the flag, variable or file; absent for defaults.
	From string `json:"from,omitempty"`
}

func newConfigView(loaded *settings.Settings) configView {
	view := configView{File: loaded.Location().Path}
	for _, row := range settings.Catalogue() {
		source := loaded.Source(row.Key)
		view.Settings = append(view.Settings, settingView{Key: row.Key, Value: loaded.Value(row), Source: string(source.Kind), From: source.Name})
	}
	return view
}

func runView(opts *viewOptions) error {
	loaded, err := opts.settings()
	if err != nil {
		return err
	}
	return output.Print(opts.streams, opts.output.Format(), newConfigView(loaded).view())
}

// view returns the settings in all output formats. Their names are the keys.
func (c configView) view() view.View {
	return view.View{
		Document: view.Value(c),
		Table:    view.Rows(c.table()),
		Names:    view.NameEach(c.Settings, func(s *settingView) string { return s.Key }),
	}
}

// table returns a table with one row per setting.
func (c configView) table() view.Table {
	table := view.Table{Columns: []view.Column{{Name: "KEY"}, {Name: "VALUE", Content: view.ItemList}, {Name: "SOURCE", Content: view.Prose}}}
	for _, s := range c.Settings {
		text := fmt.Sprint(s.Value)
		if list, isList := s.Value.([]string); isList {
			text = strings.Join(list, "\n")
		}
		table.Add(s.Key, view.OrNone(text), strings.TrimSpace(s.Source+" "+s.From))
	}
	return table
}
