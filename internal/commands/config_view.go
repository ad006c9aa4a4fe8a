package commands

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/settings"
)

type configViewOptions struct {
	streams  *cli.Streams
	settings func() (*settings.Settings, error)
	output   *enumValue
}

func newConfigViewCmd(f *Factory) *cobra.Command {
	opts := &configViewOptions{streams: f.Streams, settings: f.Settings, output: newEnumValue("table", "table", "json", "yaml")}
	cmd := &cobra.Command{
		Use:   "view",
		Short: "Print the value of every setting and where it comes from",
		Example: dedent(`
			# every setting, and where its value comes from
			meshctl config view

			# the namespace that commands use
			meshctl config view -o json | jq -r '.settings[] | select(.key == "namespace").value'`),
		Args:              noArgs,
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(*cobra.Command, []string) error {
			return runConfigView(opts)
		},
	}
	addEnumFlag(cmd, opts.output, "output", "o", "output format")
	return cmd
}

// configView is the documented form of -o json and -o yaml.
type configView struct {
	// File is where the configuration file is, or would be.
	File     string        `json:"file,omitempty"`
	Settings []settingView `json:"settings"`
}

// settingView is one effective setting. The value is a string, a boolean or a
// list of strings.
type settingView struct {
	Key    string `json:"key"`
	Value  any    `json:"value"`
	Source string `json:"source"`
	// From is the flag, the variable or the file, absent for defaults.
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

func runConfigView(opts *configViewOptions) error {
	loaded, err := opts.settings()
	if err != nil {
		return err
	}
	view := newConfigView(loaded)
	switch opts.output.String() {
	case formatJSON, formatYAML:
		return printDocument(opts.streams.Out, opts.output.String(), view)
	default:
		return writeSettings(opts.streams.Out, view)
	}
}

// writeSettings prints one line per setting.
func writeSettings(out io.Writer, view configView) error {
	table := tabwriter.NewWriter(out, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "KEY\tVALUE\tSOURCE")
	for _, s := range view.Settings {
		text := fmt.Sprint(s.Value)
		if list, isList := s.Value.([]string); isList {
			text = strings.Join(list, ",")
		}
		if text == "" {
			text = "<none>"
		}
		fmt.Fprintf(table, "%s\t%s\t%s\n", s.Key, printable(text), printable(strings.TrimSpace(s.Source+" "+s.From)))
	}
	return table.Flush()
}
