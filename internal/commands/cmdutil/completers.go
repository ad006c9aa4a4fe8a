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

// completionPatience is the default of Factory.CompletionPatience: users notice longer waits
// while typing.
const completionPatience = 2 * time.Second

// CompleteFromWorld returns a completion that offers objects of the world selected by the
// command line or the settings. It ignores all errors, because a completion cannot show them.
func (f *Factory) CompleteFromWorld(offer func(result *policy.Result, args []string, typed string) []cobra.Completion) cobra.CompletionFunc {
	return f.completeFromWorld(func(result *policy.Result, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return offer(result, args, typed), cobra.ShellCompDirectiveNoFileComp
	})
}

// completeFromWorld is CompleteFromWorld for completions that also return a directive.
func (f *Factory) completeFromWorld(offer func(result *policy.Result, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective)) cobra.CompletionFunc {
	return func(cmd *cobra.Command, args []string, typed string) ([]cobra.Completion, cobra.ShellCompDirective) {
		result := f.worldToComplete(cmd)
		if result == nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return offer(result, args, typed)
	}
}

// worldToComplete returns the evaluated world of an incomplete command line; nil if it has
// none or loading takes too long.
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
	// Standard input is the user's terminal.
	world, err := f.LoadWorld(ctx, flags, strings.NewReader(""))
	if err != nil {
		return nil
	}
	return policy.Evaluate(world)
}

// worldOf returns the world flags of an incomplete command line, without standard input. It
// returns false if the command has no world, or if the world is read only from standard input.
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

// distinct removes duplicates and "-". Duplicates occur because cobra parses the flags twice
// during completion.
func distinct(values []string) []string {
	var once []string
	for _, value := range values {
		if value != "-" && !slices.Contains(once, value) {
			once = append(once, value)
		}
	}
	return once
}

// IsCompletionRequest reports whether the arguments are a completion request of a shell.
func IsCompletionRequest(args []string) bool {
	return len(args) > 0 && (args[0] == cobra.ShellCompRequestCmd || args[0] == cobra.ShellCompNoDescRequestCmd)
}

// PrepareCompletion prepares the command tree for a completion request. Files are only offered
// for flags and arguments that are files.
func PrepareCompletion(root *cobra.Command) {
	root.CompletionOptions.SetDefaultShellCompDirective(cobra.ShellCompDirectiveNoFileComp)
	tolerateFlags(root)
}

// FlagRepeatable is the annotation of flags that may be repeated although they are not lists.
const FlagRepeatable = "meshctl.io/flag-repeatable"

// tolerateFlags ignores unknown flags and invalid values, which are common in incomplete
// command lines.
func tolerateFlags(cmd *cobra.Command) {
	cmd.FParseErrWhitelist.UnknownFlags = true
	for _, flags := range []*pflag.FlagSet{cmd.Flags(), cmd.PersistentFlags()} {
		flags.VisitAll(func(flag *pflag.Flag) {
			// Backquotes are only understood by help.
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
	_ = v.Value.Set(text) // keep the previous value
	return nil
}

// tolerantRepeated is a tolerantValue that cobra offers again after it was used.
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

// InList completes the item after the last comma of a list. It omits choices that are already
// in the list or in an earlier flag.
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
