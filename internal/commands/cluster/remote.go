package cluster

import (
	"context"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/wizard"
)

// remoteFlags say which other cluster a command is about. It is always named,
// never the current one by accident.
type remoteFlags struct {
	context, kubeconfig string
}

func (r *remoteFlags) register(cmd *cobra.Command, k *cmdutil.KubeFlags, usage string) {
	flags := cmd.Flags()
	flags.StringVar(&r.context, "remote-context", "", usage)
	flags.StringVar(&r.kubeconfig, "remote-kubeconfig", "", "kubeconfig `FILE` with the remote context (default: --kubeconfig)")
	_ = cmd.MarkFlagFilename("remote-kubeconfig")
	cmdutil.CompleteFlag(cmd, "remote-context", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		kubeconfig, err := kube.LoadKubeconfig(r.path(k))
		if err != nil {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		return kubeconfig.Contexts(), cobra.ShellCompDirectiveNoFileComp
	})
}

// path is the kubeconfig file of the remote context, empty for the usual ones.
func (r *remoteFlags) path(k *cmdutil.KubeFlags) string {
	if r.kubeconfig != "" {
		return r.kubeconfig
	}
	return k.KubeconfigPath()
}

// connect returns the connection to the other cluster, which is called name.
func (r *remoteFlags) connect(k *cmdutil.KubeFlags, name string) (*kube.Connection, error) {
	opts, err := k.Options()
	if err != nil {
		return nil, err
	}
	kubeconfig, err := kube.LoadKubeconfig(r.path(k))
	if err != nil {
		return nil, err
	}
	return kubeconfig.Connect(r.context, name, kube.SourceContext, opts)
}

// ask lets the user choose the remote context. Contexts other than that of the
// management cluster come first.
func (r *remoteFlags) ask(prompter wizard.Prompter, k *cmdutil.KubeFlags, management *kube.Connection, question string) error {
	kubeconfig, err := kube.LoadKubeconfig(r.path(k))
	if err != nil {
		return err
	}
	contexts := kubeconfig.Contexts()
	if len(contexts) == 0 {
		return fmt.Errorf("the kubeconfig has no contexts: use another file with --remote-kubeconfig")
	}
	if i := slices.Index(contexts, management.Context); i >= 0 {
		contexts = append(slices.Delete(contexts, i, i+1), management.Context)
	}
	options := make([]wizard.Option, 0, len(contexts))
	for _, name := range contexts {
		option := wizard.Option{Label: name}
		if connection, err := kubeconfig.Connect(name, "", kube.SourceContext, kube.Options{}); err == nil {
			option.Detail = connection.Server()
		}
		if name == management.Context {
			option.Detail += ", the management cluster"
		}
		options = append(options, option)
	}
	chosen, err := prompter.Select(wizard.Question{Text: question, Help: "These are the contexts of your kubeconfig. The credentials of your choice are used once and not stored."}, options, 0)
	if err != nil {
		return err
	}
	r.context = contexts[chosen]
	return nil
}

// require asks for the remote context if it was not given, or says that it is
// missing.
func (r *remoteFlags) require(ctx context.Context, streams *cli.Streams, k *cmdutil.KubeFlags, management *kube.Connection, question string) error {
	if r.context != "" {
		return nil
	}
	prompter := cmdutil.NewPrompter(ctx, streams)
	if prompter == nil {
		return cli.Usagef("not a terminal: pass --remote-context")
	}
	return r.ask(prompter, k, management, question)
}
