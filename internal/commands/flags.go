package commands

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

// enumValue is the pflag.Value of a flag that takes one of a few values.
type enumValue struct {
	value   string
	allowed []string
	// onSet is told the value that the user gave; nil if nobody needs to know.
	onSet func(value string)
}

// newEnumValue returns a value that starts as fallback, which may be empty for
// "not given", and accepts only what is allowed.
func newEnumValue(fallback string, allowed ...string) *enumValue {
	return &enumValue{value: fallback, allowed: allowed}
}

// addEnumFlag adds a flag for the value to cmd, with completion.
func addEnumFlag(cmd *cobra.Command, value *enumValue, name, shorthand, usage string) {
	cmd.Flags().VarP(value, name, shorthand, usage)
	completeEnumFlag(cmd, value, name)
}

// addPersistentEnumFlag is addEnumFlag for cmd and all commands below it.
func addPersistentEnumFlag(cmd *cobra.Command, value *enumValue, name, shorthand, usage string) {
	cmd.PersistentFlags().VarP(value, name, shorthand, usage)
	completeEnumFlag(cmd, value, name)
}

func completeEnumFlag(cmd *cobra.Command, value *enumValue, name string) {
	complete := cobra.FixedCompletions(value.allowed, cobra.ShellCompDirectiveNoFileComp)
	if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // the same flag declared twice: no input can cause it
	}
}

// newOutput returns the value of an -o flag: the formats that every command has,
// and those that one adds.
func newOutput(fallback output.Format, more ...string) *enumValue {
	return newEnumValue(string(fallback), append(output.Formats(), more...)...)
}

// addOutputFlag adds the -o flag for the value to cmd.
func addOutputFlag(cmd *cobra.Command, value *enumValue, usage string) {
	addEnumFlag(cmd, value, "output", "o", usage)
}

// format returns the value of an -o flag.
func (v *enumValue) format() output.Format { return output.Format(v.value) }

// String implements pflag.Value.
func (v *enumValue) String() string { return v.value }

// Set implements pflag.Value.
func (v *enumValue) Set(text string) error {
	if !slices.Contains(v.allowed, text) {
		return fmt.Errorf("must be one of: %s%s", strings.Join(v.allowed, ", "), spelling.DidYouMean(text, v.allowed))
	}
	v.value = text
	if v.onSet != nil {
		v.onSet(text)
	}
	return nil
}

// Type implements pflag.Value; help shows it after the flag's name.
func (v *enumValue) Type() string { return strings.Join(v.allowed, "|") }

// explainFlagError turns what pflag says about a command line into a usage
// error that names the way out.
func explainFlagError(cmd *cobra.Command, err error) error {
	// A flag is often unknown only because the command before it is.
	if words := cmd.Flags().Args(); len(words) > 0 && cmd.Annotations[subcommandNoun] != "" {
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

// plainReason spares the user the name of the Go function that failed.
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

// flagGroup is the annotation that holds the section of help a flag is in.
const flagGroup = "meshctl.io/flag-group"

// addDryRunFlag adds --dry-run, which alone means client.
func addDryRunFlag(cmd *cobra.Command, value *enumValue) {
	addEnumFlag(cmd, value, "dry-run", "", "write nothing; server validates with the API server")
	cmd.Flags().Lookup("dry-run").NoOptDefVal = "client"
}
