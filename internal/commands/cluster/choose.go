package cluster

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/pkg/api/naming"
)

// choice is a context of the kubeconfig that may be the cluster.
type choice struct {
	context, server string
	// registered is the name under which its cluster is registered, judging by the address.
	// management is true if it leads to the management cluster.
	registered string
	management bool
}

// kubeChoices returns the contexts of the kubeconfig and the names of the registered clusters.
// It returns an error if clusters cannot be registered at all.
func (c *clusterChooser) kubeChoices(ctx context.Context) (choices []choice, registered []string, err error) {
	ctx, stop := c.Limited(ctx)
	defer stop()
	kubeconfig, err := kube.LoadKubeconfig(c.remote.path(c.Kube))
	if err != nil {
		return nil, nil, err
	}
	registered, err = registration.RegisteredNames(ctx, c.management, c.Namespace)
	var e *kube.Error
	switch {
	case errors.As(err, &e) && e.Reason == kube.ReasonNoSuchKind:
		e.Hint = kube.HintNotManagement
		return nil, nil, e
	case err != nil && !kube.IsReason(err, kube.ReasonForbidden):
		return nil, nil, err
	}
	servers := map[string]string{}
	// Errors only mean that some contexts are not marked as registered.
	connections, _, _ := kube.Registered(ctx, c.management, c.Namespace, nil, kube.Options{})
	for _, member := range connections {
		servers[member.Server()] = member.Name
	}
	for _, name := range kubeconfig.Contexts() {
		option := choice{context: name, management: name == c.management.Context}
		if connection, err := kubeconfig.Connect(name, "", kube.SourceContext, kube.Options{}); err == nil {
			option.server = connection.Server()
			option.registered = servers[option.server]
			option.management = option.management || option.server == c.management.Server()
		}
		choices = append(choices, option)
	}
	if len(choices) == 0 {
		return nil, nil, errors.New("the kubeconfig has no contexts: use another file with --remote-kubeconfig")
	}
	return choices, registered, nil
}

// clusterChooser asks for missing arguments of a command about a cluster.
type clusterChooser struct {
	*cmdutil.ClusterCommand
	remote     *remoteFlags
	management *kube.Connection
	prompter   wizard.Prompter
}

// newChooser returns a chooser, nil if there is no terminal.
func newChooser(ctx context.Context, command *cmdutil.ClusterCommand, remote *remoteFlags, management *kube.Connection) *clusterChooser {
	prompter := cmdutil.NewPrompter(ctx, command.Streams)
	if prompter == nil {
		return nil
	}
	return &clusterChooser{command, remote, management, prompter}
}

// errNoContext returns the error for a missing context without a terminal.
func errNoContext() error { return cli.Usagef("not a terminal: pass --remote-context") }

// toRegister asks for the context and the name of a new cluster, unless the command line has
// them.
func (c *clusterChooser) toRegister(ctx context.Context) error {
	choices, registered, err := c.kubeChoices(ctx)
	if err != nil {
		return err
	}
	if c.remote.context == "" {
		rank := func(o *choice) int {
			switch {
			case o.management:
				return 2
			case o.registered != "":
				return 1
			default:
				return 0
			}
		}
		question := "Which context do you want to register?"
		if c.Cluster != "" {
			question = "Which context do you want to register as " + c.Cluster + "?"
		}
		if err := c.selectContext(choices, question, rank); err != nil {
			return err
		}
	}
	if c.Cluster != "" {
		return nil
	}
	question := wizard.Question{Text: "Name of the cluster:", Help: "Policies and commands refer to the cluster by this name. It cannot be changed later."}
	c.Cluster, err = c.prompter.Input(question, suggestedName(c.remote.context, registered), func(name string) error {
		if why := registration.CheckClusterName(name); why != "" {
			return errors.New(why)
		}
		return nil
	})
	return err
}

// selectRegistered asks for the context of a registered cluster.
func (c *clusterChooser) selectRegistered(ctx context.Context) error {
	choices, _, err := c.kubeChoices(ctx)
	if err != nil {
		return err
	}
	return c.selectContext(choices, "Which context is cluster "+c.Cluster+"?", func(o *choice) int {
		if o.registered == c.Cluster {
			return 0
		}
		return 1
	})
}

// selectContext asks for one of the contexts. Those with the lowest rank are listed first.
func (c *clusterChooser) selectContext(choices []choice, question string, rank func(*choice) int) error {
	slices.SortStableFunc(choices, func(a, b choice) int { return cmp.Compare(rank(&a), rank(&b)) })
	options := make([]wizard.Option, len(choices))
	for i := range choices {
		options[i] = choices[i].option()
	}
	chosen, err := c.prompter.Select(wizard.Question{
		Text: question, Help: "These are the contexts of your kubeconfig. The credentials of your choice are used once and not stored.",
	}, options, 0)
	if err == nil {
		c.remote.context = choices[chosen].context
	}
	return err
}

// option returns a context as an option to select.
func (o *choice) option() wizard.Option {
	details := []string{o.server}
	if o.management {
		details = append(details, "the management cluster")
	}
	if o.registered != "" {
		details = append(details, "registered as "+o.registered)
	}
	details = slices.DeleteFunc(details, func(text string) bool { return text == "" })
	return wizard.Option{Label: o.context, Detail: strings.Join(details, ", ")}
}

// suggestedName returns an unused name for the cluster of a context; empty if none can be
// derived from it.
func suggestedName(context string, registered []string) string {
	name := strings.TrimPrefix(context, "kind-")
	// Contexts of EKS (arn:...:cluster/NAME), GKE (gke_PROJECT_ZONE_NAME) and others
	// (USER@NAME).
	if i := strings.LastIndexAny(name, "/_@"); i >= 0 {
		name = name[i+1:]
	}
	name = naming.Sanitise(strings.ReplaceAll(name, ".", "-"))
	if registration.CheckClusterName(name) != "" {
		return ""
	}
	for i, free := 2, name; ; i++ {
		if !slices.Contains(registered, free) {
			return free
		}
		free = fmt.Sprintf("%s-%d", name, i)
	}
}
