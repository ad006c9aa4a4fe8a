package create

import (
	"strings"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/commands/create/choices"
	"github.com/meshctl/meshctl/internal/render"
)

// fieldFlag is the pflag.Value of a field of a resource. It only collects the
// text: all flags are parsed together later, so that one error names all mistakes.
type fieldFlag struct {
	name, valueType string
	given           *[]render.Argument
}

// addFieldFlag adds the flag of a field to cmd. Its values are appended to given.
func addFieldFlag[I any](cmd *cobra.Command, f *cmdutil.Factory, field *render.Field[I], given *[]render.Argument) {
	value := &fieldFlag{name: field.Name, given: given}
	switch {
	case field.Value == "" && len(field.Enum) == 0:
		value.valueType = "bool"
	case field.Value != "":
		value.valueType = field.Value
	default:
		value.valueType = strings.Join(field.Enum, "|")
	}
	usage := strings.ReplaceAll(field.Usage, "`", "'") // pflag would take it for the value's name
	if field.Repeatable {
		usage += "; repeatable"
	}
	flag := cmd.Flags().VarPF(value, field.Name, "", usage)
	if value.IsBoolFlag() {
		flag.NoOptDefVal = "true"
	}
	flag.Annotations = map[string][]string{cmdutil.FlagGroup: {field.Group}}
	if field.Repeatable {
		flag.Annotations[cmdutil.FlagRepeatable] = []string{"true"}
	}
	if err := cmd.RegisterFlagCompletionFunc(field.Name, choices.CompleteField(f, field)); err != nil {
		panic(err) // the same flag declared twice: no input can cause it
	}
}

// String implements pflag.Value.
func (v *fieldFlag) String() string { return "" }

// Set implements pflag.Value.
func (v *fieldFlag) Set(text string) error {
	*v.given = append(*v.given, render.Argument{Name: v.name, Value: text})
	return nil
}

// Type implements pflag.Value; help shows it after the flag's name.
func (v *fieldFlag) Type() string { return v.valueType }

// IsBoolFlag says that the flag needs no value.
func (v *fieldFlag) IsBoolFlag() bool { return v.valueType == "bool" }
