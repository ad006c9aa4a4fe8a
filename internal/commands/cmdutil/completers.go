package cmdutil

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/meshctl/meshctl/internal/policy"
)

// completionPatience is the usual Factory.CompletionPatience: people who type
// notice longer waits.
const completionPatience = 2 * time.Second

// CompleteFromWorld returns a completion that offers what exists in the world of
// the command line or of the settings. It ignores all errors: there is no place for
// them on a half-typed command line.
func (f *Factory) CompleteFromWorld(offer func(result *policy.Result, args []string, typed string) []cobra.Completion) cobra.CompletionFunc {
	return f.completeFromWorld(func(result *policy.Result, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return offer(result, args, typed), cobra.ShellCompDirectiveNoFileComp
	})
}

// completeFromWorld is CompleteFromWorld for what also says how to go on.
func (f *Factory) completeFromWorld(offer func(result *policy.Result, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		result := f.worldToComplete(cmd)
		if result == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(result, args, typed)
	}
}

// worldToComplete returns the evaluated world of a half-typed command line, nil
// if there is none or it does not come in time.
func (f *Factory) worldToComplete(cmd *cobra.Command) *policy.Result {
	ctx, cancel := context.WithTimeout(cmd.Context(), f.CompletionPatience)
	defer cancel()
	loaded := make(chan *policy.Result, 1)
	go func() { loaded <- f.evaluateQuietly(ctx, cmd) }()
	select {
	case result := <-loaded:
		return result
	case <-ctx.Done():
		return nil
	}
}

func (f *Factory) evaluateQuietly(ctx context.Context, cmd *cobra.Command) *policy.Result {
	if err := f.useSettings(cmd); err != nil {
		return nil
	}
	flags, ok := f.worldOf(cmd)
	if !ok {
		return nil
	}
	// Standard input is the terminal that is being typed on.
	world, err := f.LoadWorld(ctx, flags, strings.NewReader(""))
	if err != nil {
		return nil
	}
	return policy.Evaluate(world)
}

// worldOf returns what names the world of a command line that is being typed,
// without standard input; false if the command has no world, or if it is on
// standard input.
func (f *Factory) worldOf(cmd *cobra.Command) (WorldFlags, bool) {
	typed := f.worlds[cmd]
	if typed == nil {
		return WorldFlags{}, false
	}
	flags := *typed
	flags.Settle(cmd)
	onInput := slices.Contains(flags.Filenames, "-")
	flags.Filenames = distinct(flags.Filenames)
	flags.Contexts = distinct(flags.Contexts)
	return flags, len(flags.Filenames) > 0 || !onInput
}

// distinct returns each value once, without standard input: cobra parses the
// flags of a command line that is being typed twice.
func distinct(values []string) []string {
	var once []string
	for _, value := range values {
		if value != "-" && !slices.Contains(once, value) {
			once = append(once, value)
		}
	}
	return once
}

// IsCompletionRequest reports whether the arguments ask for choices, as the
// completion scripts do.
func IsCompletionRequest(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// PrepareCompletion makes the tree answer requests for choices. Files are
// offered only where a flag or an argument is one.
func PrepareCompletion(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	tolerateFlags(root)
}

// FlagRepeatable is the annotation of flags that may be given several times
// although their value is no list.
const FlagRepeatable = "meshctl.io/flag-repeatable"

// tolerateFlags makes unknown flags and invalid values no errors: half-typed command
// lines often have them.
func tolerateFlags(cmd *cobra.Command) {
	cmd.FParseErrWhitelist.UnknownFlags = true
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(flag *pflag.Flag) {
			// What is in backquotes is for help, which knows what to do with them.
			_, flag.Usage = pflag.UnquoteUsage(flag)
			switch value := flag.Value.(type) {
			case tolerantValue, tolerantRepeated, tolerantList:
			case pflag.SliceValue:
				flag.Value = tolerantList{flag.Value, value}
			default:
				flag.Value = tolerantValue{value}
				if flag.Annotations[FlagRepeatable] != nil {
					flag.Value = tolerantRepeated{tolerantValue{value}}
				}
			}
		})
	}
	for _, child := range cmd.Commands() {
		tolerateFlags(child)
	}
}

// tolerantValue ignores invalid values.
type tolerantValue struct{ pflag.Value }

// Set implements pflag.Value.
func (v tolerantValue) Set(text string) error {
	_ = v.Value.Set(text) // the value stays what it was
	return nil
}

// tolerantRepeated is a tolerantValue that cobra offers again once it is given.
type tolerantRepeated struct{ tolerantValue }

// GetSlice implements cobra.SliceValue.
func (tolerantRepeated) GetSlice() []string { return nil }

// tolerantList is a tolerantValue with several items.
type tolerantList struct {
	pflag.Value
	pflag.SliceValue
}

// Set implements pflag.Value.
func (v tolerantList) Set(text string) error { return tolerantValue{v.Value}.Set(text) }

// InList offers the choices for the item after the last comma of a list, without
// those that the list, or an earlier flag, has already.
func InList(typed string, given []string, choices []cobra.Completion) []cobra.Completion {
	head := typed[:strings.LastIndexByte(typed, ',')+1]
	taken := append(strings.Split(head, ","), given...)
	var words []cobra.Completion
	for _, choice := range choices {
		word, _, _ := strings.Cut(choice, "\t")
		if !slices.Contains(taken, word) {
			words = append(words, head+choice)
		}
	}
	return words
}
