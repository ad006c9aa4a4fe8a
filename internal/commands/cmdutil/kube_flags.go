package cmdutil

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/buildinfo"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/world"
)

// NeedsCluster is the annotation of commands that access a cluster. Their examples are run by
// the end-to-end tests.
const NeedsCluster = "meshctl.io/needs-cluster"

// ClusterFlagGroup is the help section of the flags that select clusters.
const ClusterFlagGroup = "Flags for clusters"

// KubeFlags select the management cluster and the user to impersonate. They are named like
// kubectl's flags.
type KubeFlags struct {
	streams *cli.Streams
	build   func() buildinfo.Info
	config  *genericclioptions.ConfigFlags
	// connected is the context of the management cluster; "" before it is used.
	connected string
	// reached is called with the context of the management cluster.
	reached func(context string)
	// waiting is called before each request to a cluster; end is called after it.
	waiting func(cluster string) (end func())
	// unread is the problem of the loaded world that says why the management cluster
	// cannot be read; nil if it was read.
	unread *world.Problem
	// home is the namespace of meshctl's resources on the management cluster that was
	// read.
	home string
	// readLimit is the value of --read-limit.
	readLimit string
	// renamed are warnings about the use of renamed flags.
	renamed []string
}

// NewKubeFlags returns flags without values. Register adds them to a command.
func NewKubeFlags(f *Factory) *KubeFlags {
	empty := func() *string { return new(string) }
	groups := []string{}
	return &KubeFlags{
		streams: f.Streams, build: f.Build, reached: func(context string) { f.management = context }, waiting: f.waiting.Begin,
		// There are no flags for tokens and passwords, because other users could read them in the
		// process list.
		config: &genericclioptions.ConfigFlags{
			KubeConfig: empty(), Context: empty(), Timeout: empty(), Impersonate: empty(), ImpersonateGroup: &groups,
		},
	}
}

// Register adds the flags to a command.
func (k *KubeFlags) Register(cmd *cobra.Command) {
	flags := cmd.Flags()
	k.config.AddFlags(flags)
	flags.StringVar(&k.readLimit, "read-limit", "", "")
	for name, usage := range map[string]string{
		"kubeconfig":      "kubeconfig `FILE` (default: $KUBECONFIG or ~/.kube/config)",
		"context":         "`CONTEXT` of the management cluster (default: the current context)",
		"request-timeout": "`DURATION` after which a single request to a cluster times out",
		"read-limit":      "maximum `SIZE` of a response of a cluster, such as 2Gi (default 512Mi)",
		"as":              "`USER` to impersonate on the management cluster",
		"as-group":        "`GROUP` to impersonate on the management cluster; repeatable",
	} {
		flag := flags.Lookup(name)
		flag.Usage = usage
		flag.Annotations = map[string][]string{FlagGroup: {ClusterFlagGroup}}
	}
	_ = cmd.MarkFlagFilename("kubeconfig")
	for old, name := range map[string]string{"kubecontext": "context", "mgmt-context": "context", "mgmt-kubeconfig": "kubeconfig"} {
		flags.Var(&renamedFlag{Value: flags.Lookup(name).Value, old: old, name: name, used: &k.renamed}, old, "")
		flags.Lookup(old).Hidden = true
	}
	CompleteFlag(cmd, "context", k.CompleteContexts)
	if cmd.Annotations == nil {
		cmd.Annotations = map[string]string{}
	}
	cmd.Annotations[NeedsCluster] = "true"
}

// CompleteFlag registers the completion of a flag.
func CompleteFlag(cmd *cobra.Command, name string, complete cobra.CompletionFunc) {
	if err := cmd.RegisterFlagCompletionFunc(name, complete); err != nil {
		panic(err) // the flag is declared twice, which is a bug
	}
}

// CompleteContexts completes the contexts of the kubeconfig. It offers nothing if the
// kubeconfig cannot be read.
func (k *KubeFlags) CompleteContexts(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	kubeconfig, err := kube.LoadKubeconfig(*k.config.KubeConfig)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return kubeconfig.Contexts(), cobra.ShellCompDirectiveNoFileComp
}

// renamedFlag is the previous name of a flag. It sets the same value.
type renamedFlag struct {
	pflag.Value
	old, name string
	used      *[]string
}

// Set implements pflag.Value.
func (r *renamedFlag) Set(text string) error {
	*r.used = append(*r.used, fmt.Sprintf("--%s was renamed to --%s", r.old, r.name))
	return r.Value.Set(text)
}

// KubeconfigPath returns the file that the user specified; empty for the default files.
func (k *KubeFlags) KubeconfigPath() string { return *k.config.KubeConfig }

// Options returns the options of all connections of the command. They do not include
// impersonation, which only applies to the management cluster. Options returns a usage error
// for invalid flags.
func (k *KubeFlags) Options() (kube.Options, error) {
	timeout, err := parseRequestTimeout(*k.config.Timeout)
	if err != nil {
		return kube.Options{}, err
	}
	limit, err := parseReadLimit(k.readLimit)
	if err != nil {
		return kube.Options{}, err
	}
	return kube.Options{Version: k.build().Version, RequestTimeout: timeout, ReadLimit: limit, Waiting: k.waiting}, nil
}

// parseReadLimit parses a Kubernetes quantity. It returns 0 for an empty text.
func parseReadLimit(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	size, err := resource.ParseQuantity(text)
	if err != nil || size.Value() <= 0 {
		return 0, cli.Usagef("invalid value %q for --read-limit: must be a size, such as 2Gi", text)
	}
	return size.Value(), nil
}

// parseRequestTimeout parses a duration as kubectl does: a number without a unit is in
// seconds. It returns 0 for an empty text.
func parseRequestTimeout(text string) (time.Duration, error) {
	if text == "" {
		return 0, nil
	}
	if seconds, err := strconv.Atoi(text); err == nil && seconds >= 0 {
		return time.Duration(seconds) * time.Second, nil
	}
	timeout, err := time.ParseDuration(text)
	if err != nil || timeout < 0 {
		return 0, cli.Usagef("invalid value %q for --request-timeout: must be a duration, such as 10s", text)
	}
	return timeout, nil
}

// Management returns the connection to the management cluster. It does not send any request.
// In a pod without a kubeconfig, it is the cluster of the pod. Management returns an error if
// the kubeconfig or a flag is invalid.
func (k *KubeFlags) Management() (*kube.Connection, error) {
	for _, hint := range k.renamed {
		k.streams.Warn("%s", hint)
	}
	k.renamed = nil
	opts, err := k.Options()
	if err != nil {
		return nil, err
	}
	opts.As, opts.AsGroups = *k.config.Impersonate, *k.config.ImpersonateGroup
	if opts.As == "" && len(opts.AsGroups) > 0 {
		return nil, cli.Usagef("--as-group requires --as")
	}
	kubeconfig, err := kube.LoadKubeconfig(k.KubeconfigPath())
	if errors.Is(err, kube.ErrNoKubeconfig) && *k.config.Context == "" {
		if connection, inClusterErr := kube.InCluster("in-cluster", kube.SourceManagement, opts); inClusterErr == nil {
			return connection, nil
		}
	}
	if err != nil {
		return nil, err
	}
	management, err := kubeconfig.Connect(*k.config.Context, "", kube.SourceManagement, opts)
	if err == nil {
		k.connected = management.Context
		k.reached(management.Context)
	}
	return management, err
}

// Describe returns the name of the management cluster for messages.
func (k *KubeFlags) Describe() string {
	management, err := k.Management()
	if err != nil {
		return "the management cluster"
	}
	return "cluster " + management.Name
}

// Words returns the flags that select the cluster, as command-line arguments. The context is
// included even if it was the current one, which may be another one by the time they are used.
func (k *KubeFlags) Words() []string {
	var words []string
	for name, value := range map[string]string{"--kubeconfig": *k.config.KubeConfig, "--context": cmp.Or(*k.config.Context, k.connected)} {
		if value != "" {
			words = append(words, name+"="+value)
		}
	}
	slices.Sort(words)
	return words
}
