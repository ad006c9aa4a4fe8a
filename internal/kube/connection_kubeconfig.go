package kube

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/pkg/api/spelling"
)

// Kubeconfig is the user's client configuration.
type Kubeconfig struct {
	raw clientcmdapi.Config
	// source names the configuration in errors.
	source string
}

// LoadKubeconfig reads a kubeconfig file or, if path is empty, the files of
// $KUBECONFIG, or else ~/.kube/config. As with kubectl, some files of $KUBECONFIG
// may be missing. A missing path is an error, as is a $KUBECONFIG without any
// existing file: there is no fallback. Relative paths in a file are relative to
// its directory.
func LoadKubeconfig(path string) (*Kubeconfig, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.MigrationRules = nil // reading must not write
	rules.WarnIfAllMissing = false
	source := path
	if path == "" {
		files := slices.DeleteFunc(slices.Clone(rules.Precedence), func(file string) bool { return file == "" })
		source = strings.Join(files, string(filepath.ListSeparator))
		if !slices.ContainsFunc(files, fileExists) {
			return nil, missingKubeconfig(source, os.Getenv(clientcmd.RecommendedConfigPathEnvVar) != "")
		}
	} else {
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			return nil, unusable("read the kubeconfig", "file "+path+" does not exist", "correct --kubeconfig", err)
		}
		rules.ExplicitPath = path
	}
	raw, err := rules.Load()
	if err != nil {
		return nil, unusable("read the kubeconfig", OneLine(err.Error()), "fix the file, or use another one with --kubeconfig", err)
	}
	return &Kubeconfig{raw: *raw, source: source}, nil
}

func fileExists(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

func missingKubeconfig(source string, fromEnvironment bool) error {
	if fromEnvironment {
		return unusable("read the kubeconfig", "no file in $KUBECONFIG exists: "+source, "fix $KUBECONFIG, or use --kubeconfig", nil)
	}
	return unusable("read the kubeconfig", source+" does not exist", "use --kubeconfig", ErrNoKubeconfig)
}

// ErrNoKubeconfig means that the user neither has a kubeconfig nor named one.
var ErrNoKubeconfig = errors.New("no kubeconfig found")

func unusable(action, why, hint string, cause error) *Error {
	return &Error{Action: action, Reason: ReasonUnusable, Why: why, Hint: hint, cause: cause}
}

// Contexts returns the names of all contexts, sorted.
func (k *Kubeconfig) Contexts() []string {
	names := make([]string, 0, len(k.raw.Contexts))
	for name := range k.raw.Contexts {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// CurrentContext returns the name of the current context; empty if none is set.
func (k *Kubeconfig) CurrentContext() string { return k.raw.CurrentContext }

// Connect returns a connection to the cluster of a context, or of the current
// context if it is empty. If name is empty, the cluster is named after the
// context. The error for an unknown context suggests similar ones.
func (k *Kubeconfig) Connect(context, name string, source Source, opts Options) (*Connection, error) {
	if context == "" {
		context = k.raw.CurrentContext
	}
	if context == "" {
		return nil, unusable("choose a cluster", k.source+" has no current context", "use --context"+k.offer(), nil)
	}
	if _, found := k.raw.Contexts[context]; !found {
		return nil, unusable("use context "+context, "no such context in "+k.source, k.suggest(context), nil)
	}
	config, err := clientcmd.NewNonInteractiveClientConfig(k.raw, context, &clientcmd.ConfigOverrides{}, nil).ClientConfig()
	if err != nil {
		return nil, unusable("use context "+context, OneLine(err.Error()), "correct "+k.source, err)
	}
	if name == "" {
		name = context
	}
	connection := New(name, source, config, opts)
	connection.Context = context
	return connection, nil
}

// suggest returns a hint with similar contexts.
func (k *Kubeconfig) suggest(context string) string {
	contexts := k.Contexts()
	var near []string
	for _, candidate := range contexts {
		if len(context) > 1 && strings.Contains(candidate, context) {
			near = append(near, candidate)
		}
	}
	if nearest := spelling.Nearest(context, contexts); len(near) == 0 && nearest != "" {
		near = []string{nearest}
	}
	if len(near) > 0 {
		return "did you mean " + strings.Join(near[:min(len(near), maxOffered)], " or ") + "?"
	}
	if len(contexts) == 0 {
		return "it has no contexts"
	}
	return "use an existing context" + k.offer()
}

// maxOffered limits the contexts that an error lists.
const maxOffered = 8

func (k *Kubeconfig) offer() string {
	contexts := k.Contexts()
	if len(contexts) == 0 {
		return ""
	}
	return ": " + text.Bounded(contexts, maxOffered)
}

// InCluster returns a connection to the cluster that meshctl runs in, using the
// service account of its pod. Outside a cluster it returns an error.
func InCluster(name string, source Source, opts Options) (*Connection, error) {
	config, err := rest.InClusterConfig()
	if err != nil {
		return nil, unusable("use the service account of the pod", "meshctl does not run in a cluster", "name a kubeconfig with --kubeconfig", err)
	}
	return New(name, source, config, opts), nil
}
