package cmdutil

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// EnumValue is the pflag.Value of a flag with a fixed set of values.
type EnumValue struct {
	value   string
	allowed []string
	// OnSet is called with a value set by the user; it may be nil.
	OnSet func(value string)
}

// NewEnumValue returns an EnumValue with a default, which may be empty, and the allowed
// values.
func NewEnumValue(fallback string, allowed ...string) *EnumValue {
	return &EnumValue{value: fallback, allowed: allowed}
}

// AddEnumFlag adds a flag with completion to cmd.
func AddEnumFlag(cmd *cobra.Command, value *EnumValue, name, shorthand, usage string) {
	cmd.Flags().VarP(value, name, shorthand, usage)
	completeEnumFlag(cmd, value, name)
}

// AddPersistentEnumFlag is AddEnumFlag for cmd and all its subcommands.
func AddPersistentEnumFlag(cmd *cobra.Command, value *EnumValue, name, shorthand, usage string) {
	cmd.PersistentFlags().VarP(value, name, shorthand, usage)
	completeEnumFlag(cmd, value, name)
}

func completeEnumFlag(cmd *cobra.Command, value *EnumValue, name string) {
	complete := cobra.FixedCompletions(value.allowed, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // the flag is declared twice, which is a bug
	}
}

// NewOutput returns the value of an -o flag that accepts the standard formats and more.
func NewOutput(fallback output.Format, more ...string) *EnumValue {
	return NewEnumValue(string(fallback), append(output.Formats(), more...)...)
}

// AddOutputFlag adds the -o flag to cmd.
func AddOutputFlag(cmd *cobra.Command, value *EnumValue, usage string) {
	AddEnumFlag(cmd, value, "output", "o", usage)
}

// Format returns the value of an -o flag.
func (v *EnumValue) Format() output.Format { return output.Format(v.value) }

// String implements pflag.Value.
func (v *EnumValue) String() string { return v.value }

// Set implements pflag.Value. It returns an error for values that are not allowed.
func (v *EnumValue) Set(text string) error {
	if !slices.Contains(v.allowed, text) {
		return fmt.Errorf("must be one of: %s%s", strings.Join(v.allowed, ", "), spelling.DidYouMean(text, v.allowed))
	}
	v.value = text
	if v.OnSet != nil {
		v.OnSet(text)
	}
	return nil
}

// Type implements pflag.Value; help shows it after the name of the flag.
func (v *EnumValue) Type() string { return strings.Join(v.allowed, "|") }

// ExplainFlagError turns an error of pflag into a usage error with a suggestion.
func ExplainFlagError(cmd *cobra.Command, err error) error {
	// Often a flag is only unknown because the subcommand is.
	if words := cmd.Flags().Args(); len(words) > 0 && cmd.Annotations[SubcommandNoun] != "" {
		return unknownSubcommand(cmd, words[0])
	}
	var (
		missing *pflag.NotExistError
		noValue *pflag.ValueRequiredError
		invalid *pflag.InvalidValueError
	)
	switch {
	case errors.As(err, &missing):
		return explainUnknownFlag(cmd, missing)
	case errors.As(err, &noValue):
		flag := noValue.GetFlag()
		return cli.Usagef("--%s needs a value (%s)", flag.Name, flag.Value.Type())
	case errors.As(err, &invalid):
		flag := invalid.GetFlag()
		return cli.Usagef("invalid value %q for --%s: %w", invalid.GetValue(), flag.Name, plainReason(flag, invalid.Unwrap()))
	default:
		return &cli.UsageError{Err: err}
	}
}

func explainUnknownFlag(cmd *cobra.Command, missing *pflag.NotExistError) error {
	if shorthands := missing.GetSpecifiedShortnames(); shorthands != "" {
		if len(shorthands) > 1 {
			return cli.Usagef("unknown flag -%s in -%s", missing.GetSpecifiedName(), shorthands)
		}
		return cli.Usagef("unknown flag -%s", missing.GetSpecifiedName())
	}
	var names []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden {
			names = append(names, "--"+flag.Name)
		}
	})
	typed := "--" + missing.GetSpecifiedName()
	near := spelling.Near(typed, names)
	if len(near) == 0 {
		return cli.Usagef("unknown flag %s", typed)
	}
	return cli.Usagef("unknown flag %s, did you mean %s?", typed, strings.Join(near, " or "))
}

// plainReason replaces errors of Go's number parsers by messages for users.
func plainReason(flag *pflag.Flag, reason error) error {
	var number *strconv.NumError
	switch {
	case !errors.As(reason, &number):
		return reason
	case flag.Value.Type() == "bool":
		return errors.New("must be true or false")
	default:
		return errors.New("must be a number")
	}
}

// FlagGroup is the annotation that holds the help section of a flag.
const FlagGroup = "meshctl.io/flag-group"

// AddDryRunFlag adds --dry-run. Without a value it means client.
func AddDryRunFlag(cmd *cobra.Command, value *EnumValue) {
	AddEnumFlag(cmd, value, "dry-run", "", "write nothing; server validates with the API server")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = "client"
}
