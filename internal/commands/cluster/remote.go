package cluster

import (
	"github.com/spf13/cobra"

	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
)

// remoteFlags select the registered cluster. It must be named explicitly; the current context
// is never used as the default.
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

// path returns the kubeconfig file of the remote context; empty for the default files.
func (r *remoteFlags) path(k *cmdutil.KubeFlags) string {
	if r.kubeconfig != "" {
		return r.kubeconfig
	}
	return k.KubeconfigPath()
}

// connect returns the connection to the cluster under the given name.
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
