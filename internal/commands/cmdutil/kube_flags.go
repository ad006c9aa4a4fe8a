package cmdutil

import (
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

// NeedsCluster is the annotation of commands that contact a cluster, whose
// examples are run by the end-to-end tests.
const NeedsCluster = "meshctl.io/needs-cluster"

// ClusterFlagGroup is the section of help with the flags that choose clusters.
const ClusterFlagGroup = "Flags for clusters"

// KubeFlags choose the management cluster and the user to impersonate. They have the
// names of kubectl's flags.
type KubeFlags struct {
	streams *cli.Streams
	build   func() buildinfo.Info
	config  *genericclioptions.ConfigFlags
	// reached is called with the context of the management cluster.
	reached func(context string)
	// waiting is called with each cluster that is asked.
	waiting func(cluster string) (end func())
	// unread is the problem of the loaded world that says why the management cluster
	// cannot be read; nil if it was read.
	unread *world.Problem
	// home is the namespace of meshctl's resources on the management cluster that was
	// read.
	home string
	// readLimit is the value of --read-limit.
	readLimit string
	// renamed are warnings about old names of flags that were used.
	renamed []string
}

// NewKubeFlags returns flags without values; Register adds them to a command.
func NewKubeFlags(f *Factory) *KubeFlags {
	empty := func() *string { return new(string) }
	groups := []string{}
	return &KubeFlags{
		streams: f.Streams, build: f.Build, reached: func(context string) { f.management = context }, waiting: f.waiting.Begin,
		// There are no flags for tokens and passwords: others could read them.
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
		panic(err) // the same flag declared twice: no input can cause it
	}
}

// CompleteContexts offers the contexts of the kubeconfig, nothing if it cannot
// be read.
func (k *KubeFlags) CompleteContexts(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	kubeconfig, err := kube.LoadKubeconfig(*k.config.KubeConfig)
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return kubeconfig.Contexts(), cobra.ShellCompDirectiveNoFileComp
}

// renamedFlag is the old spelling of a flag. It sets the same value.
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

// KubeconfigPath is the file that the user named, empty for the usual ones.
func (k *KubeFlags) KubeconfigPath() string { return *k.config.KubeConfig }

// Options returns what all connections of the command have in common, without
// whom to impersonate: that is for the management cluster only.
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

// parseReadLimit parses a Kubernetes quantity. An empty text leaves the default.
func parseReadLimit(text string) (int64, error) {
	if text == "" {
		return 0, nil
	}
	size, err := resource.ParseQuantity(text)
	if err != nil || size.Value() <= 0 {
		return 0, cli.Usagef("invalid value %q for --read-limit: it must be a size, such as 2Gi", text)
	}
	return size.Value(), nil
}

// parseRequestTimeout parses a duration as kubectl does: a number alone is seconds.
// An empty text and 0 leave the default.
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

// Management returns the connection to the management cluster without contacting
// it. Without a kubeconfig, a pod uses its own cluster.
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
		k.reached(management.Context)
	}
	return management, err
}

// Describe names the management cluster for people.
func (k *KubeFlags) Describe() string {
	management, err := k.Management()
	if err != nil {
		return "the management cluster"
	}
	return "cluster " + management.Name
}

// Words returns the flags that choose the cluster, as on a command line.
func (k *KubeFlags) Words() []string {
	var words []string
	for name, value := range map[string]string{"--kubeconfig": *k.config.KubeConfig, "--context": *k.config.Context} {
		if value != "" {
			words = append(words, name+"="+value)
		}
	}
	slices.Sort(words)
	return words
}
