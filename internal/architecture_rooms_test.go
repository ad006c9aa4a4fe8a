package internal_test

// room is one package of ours: what it is for, and what it may know.
type room struct {
	path    string
	purpose string
	// imports are the packages of ours that it may import, besides pkg/api.
	imports []string
	// pure: it turns values into values, and so does everything of ours that it
	// imports. No clock, no client, no file.
	pure bool
	// except is what a pure package needs all the same, as its purpose says.
	except []string
}

// rooms lists every package of the module. A new package gets a line here, in
// CONTRIBUTING.md, and in the rules of depguard.
func rooms() []room {
	return []room{
		{path: "cmd/meshctl", purpose: "the program", imports: []string{"internal/commands", "internal/cli", "internal/startup"}},
		{path: "internal", purpose: "tests about the tree itself"},

		{
			path: "internal/commands", purpose: "the command tree, help, completion, exit codes",
			imports: []string{
				"internal/cli", "internal/commands/apply", "internal/commands/buildinfo", "internal/commands/check", "internal/commands/cluster", "internal/commands/cmdutil",
				"internal/commands/config", "internal/commands/create", "internal/commands/describe", "internal/commands/diff", "internal/commands/discover",
				"internal/commands/install", "internal/commands/mesh", "internal/commands/render", "internal/commands/settings", "internal/commands/trust", "internal/kube",
				"internal/output", "internal/output/view",
			},
		},
		{
			path: "internal/commands/create/choices", purpose: "what create offers: completion of its flags and the catalogue of its questions",
			imports: []string{
				"internal/commands/cmdutil", "internal/policy", "internal/render", "internal/wizard", "internal/world",
			},
		},
		{
			path: "internal/commands/trust/report", purpose: "what the trust commands show",
			imports: []string{
				"internal/output/view", "internal/sharedtrust", "internal/trust",
			},
		},
		{
			path: "internal/commands/apply", purpose: "meshctl apply, once and with --watch",
			imports: []string{
				"internal/cli", "internal/cli/text", "internal/commands/cmdutil", "internal/describe/impact", "internal/kube", "internal/output", "internal/output/view",
				"internal/policy", "internal/policy/compare", "internal/policy/finding", "internal/reach", "internal/registration", "internal/rollout", "internal/sharedtrust",
				"internal/wizard", "internal/world",
			},
		},
		{path: "internal/commands/buildinfo", purpose: "what a binary was built from"},
		{
			path: "internal/commands/check", purpose: "meshctl check",
			imports: []string{
				"internal/check", "internal/cli", "internal/commands/cmdutil", "internal/kube", "internal/output", "internal/output/view", "internal/sharedtrust", "internal/world",
			},
		},
		{
			path: "internal/commands/cluster", purpose: "meshctl cluster register, deregister, list, rotate-token",
			imports: []string{
				"internal/cli", "internal/cli/file", "internal/cli/text", "internal/commands/cmdutil", "internal/describe", "internal/discovery", "internal/kube", "internal/load",
				"internal/output", "internal/output/view", "internal/policy", "internal/policy/compare", "internal/registration", "internal/wizard", "internal/world",
			},
		},
		{
			path: "internal/commands/cmdutil", purpose: "what several commands share: factory, sources of the world, flags, completers, results",
			imports: []string{
				"internal/cli", "internal/cli/file", "internal/cli/text", "internal/commands/buildinfo", "internal/commands/settings", "internal/describe/impact",
				"internal/inventory", "internal/kube", "internal/load", "internal/output", "internal/output/view", "internal/policy", "internal/policy/finding",
				"internal/registration", "internal/render/istio", "internal/restart", "internal/wizard", "internal/world",
			},
		},
		{
			path: "internal/commands/config", purpose: "meshctl config",
			imports: []string{
				"internal/cli", "internal/commands/cmdutil", "internal/commands/settings", "internal/output", "internal/output/view",
			},
		},
		{
			path: "internal/commands/create", purpose: "meshctl create: resources by flags and by questions",
			imports: []string{
				"internal/cli", "internal/cli/file", "internal/cli/text", "internal/commands/cmdutil", "internal/commands/create/choices", "internal/commands/settings",
				"internal/describe/impact", "internal/kube", "internal/load", "internal/output", "internal/output/view", "internal/policy", "internal/policy/compare",
				"internal/policy/finding", "internal/render", "internal/wizard", "internal/world",
			},
		},
		{
			path: "internal/commands/describe", purpose: "meshctl describe",
			imports: []string{
				"internal/cli", "internal/cli/text", "internal/commands/cmdutil", "internal/describe", "internal/kube", "internal/output", "internal/policy",
				"internal/policy/finding", "internal/sharedtrust", "internal/world",
			},
		},
		{
			path: "internal/commands/diff", purpose: "meshctl diff",
			imports: []string{
				"internal/cli", "internal/cli/text", "internal/commands/cmdutil", "internal/commands/settings", "internal/describe/impact", "internal/kube", "internal/load",
				"internal/output", "internal/output/view", "internal/policy", "internal/policy/compare", "internal/render/istio", "internal/world",
			},
		},
		{
			path: "internal/commands/discover", purpose: "meshctl discover",
			imports: []string{
				"internal/cli", "internal/cli/text", "internal/commands/cmdutil", "internal/inventory", "internal/kube", "internal/load", "internal/output", "internal/output/view",
				"internal/registration", "internal/world",
			},
		},
		{
			path: "internal/commands/install", purpose: "meshctl install and uninstall",
			imports: []string{
				"internal/cli", "internal/commands/buildinfo", "internal/commands/cmdutil", "internal/kube", "internal/output", "internal/output/view", "internal/registration",
			},
		},
		{
			path: "internal/commands/mesh", purpose: "meshctl mesh list and restart",
			imports: []string{
				"internal/cli", "internal/cli/text", "internal/commands/cmdutil", "internal/commands/settings", "internal/describe", "internal/kube", "internal/output",
				"internal/output/view", "internal/policy", "internal/restart", "internal/wizard", "internal/world",
			},
		},
		{
			path: "internal/commands/render", purpose: "meshctl render istio",
			imports: []string{
				"internal/cli", "internal/cli/file", "internal/cli/text", "internal/commands/cmdutil", "internal/describe", "internal/output", "internal/output/view",
				"internal/policy", "internal/render/istio",
			},
		},
		{
			path: "internal/commands/trust", purpose: "meshctl trust status, issue, rotate, verify, rollback",
			imports: []string{
				"internal/cli", "internal/cli/text", "internal/commands/cmdutil", "internal/commands/trust/report", "internal/kube", "internal/output", "internal/output/view",
				"internal/policy", "internal/restart", "internal/sharedtrust", "internal/trust", "internal/wizard", "internal/world",
			},
		},
		{
			path: "internal/commands/settings", purpose: "which settings there are, where their values come from, and the configuration file",
			imports: []string{"internal/cli", "internal/cli/file", "internal/world"},
		},
		{path: "internal/wizard", purpose: "questions that fill the inputs of render", imports: []string{"internal/render", "internal/policy/feature", "internal/cli", "internal/cli/text"}},
		{path: "internal/wizard/wizardtest", purpose: "a list of answers instead of a person", imports: []string{"internal/wizard"}},
		{
			path: "internal/describe", purpose: "views of evaluated worlds", pure: true,
			imports: []string{
				"internal/output/view", "internal/policy", "internal/policy/feature", "internal/policy/finding", "internal/policy/selector",
				"internal/policy/serviceport", "internal/world", "internal/cli/text", "internal/policy/status", "internal/reach",
			},
		},
		{
			path: "internal/describe/impact", purpose: "what authored objects change for everybody, as a view and in sentences", pure: true,
			imports: []string{
				"internal/describe", "internal/policy", "internal/policy/compare", "internal/policy/feature", "internal/policy/finding", "internal/world", "internal/cli/text", "internal/reach",
			},
		},
		{
			path: "internal/check", purpose: "what is checked, and the verdict",
			imports: []string{"internal/policy", "internal/trust", "internal/sharedtrust", "internal/inventory", "internal/world", "internal/kube", "internal/registration", "internal/cli/text", "internal/policy/finding", "internal/rollout", "internal/render/istio"},
		},
		{
			path: "internal/restart", purpose: "restarts of workloads and control planes, of one mesh or of a fleet",
			imports: []string{"internal/kube", "internal/inventory", "internal/cli", "internal/trust", "internal/world", "internal/cli/text"},
		},
		{
			path: "internal/sharedtrust", purpose: "root and intermediate CAs in the clusters",
			imports: []string{
				"internal/cli/file", "internal/cli/text", "internal/kube", "internal/policy", "internal/policy/finding", "internal/registration", "internal/restart",
				"internal/trust", "internal/vault", "internal/world",
			},
		},
		{path: "internal/vault", purpose: "a Vault that signs intermediate CAs", imports: []string{"internal/cli/text"}},
		{
			path: "internal/render", purpose: "inputs into resources; reads manifests (so io), and checks them with validation", pure: true,
			except: []string{"io", "bufio", "github.com/spf13/cobra"}, imports: []string{"internal/policy/feature", "internal/world"},
		},
		{
			path: "internal/render/istio", purpose: "evaluated worlds into Istio objects, cluster by cluster", pure: true,
			imports: []string{"internal/policy", "internal/policy/feature", "internal/world", "internal/policy/selector", "internal/policy/serviceport"},
		},
		{
			path: "internal/policy", purpose: "the engine: what applies, what is overridden, why", pure: true,
			imports: []string{
				"internal/policy/feature", "internal/policy/finding", "internal/policy/limits", "internal/policy/operation", "internal/policy/remark",
				"internal/policy/selector", "internal/policy/serviceport", "internal/world", "internal/cli/text",
			},
		},
		{path: "internal/policy/feature", purpose: "the table of what a TrafficPolicy can do: how it is read, compared, shown and explained", pure: true},
		{path: "internal/policy/finding", purpose: "the catalogue of findings, and what one consists of", pure: true, imports: []string{"internal/world"}},
		{
			path: "internal/policy/selector", purpose: "which destinations, workloads, callers and requests the selectors of policies pick", pure: true,
			imports: []string{"internal/policy/finding", "internal/policy/operation", "internal/world"},
		},
		{
			path: "internal/policy/limits", purpose: "values of policies that fit the schema and that Istio or Envoy rejects", pure: true,
			imports: []string{"internal/policy/feature", "internal/policy/finding", "internal/policy/selector", "internal/trust"},
		},
		{path: "internal/policy/operation", purpose: "which paths and methods a request can have", pure: true},
		{
			path: "internal/policy/remark", purpose: "values of policies that are valid but probably a mistake, and facts that are missing", pure: true,
			imports: []string{"internal/cli/text", "internal/policy/feature", "internal/policy/finding", "internal/policy/operation", "internal/policy/selector", "internal/world"},
		},
		{
			path: "internal/policy/status", purpose: "the statuses that evaluated objects would get", pure: true,
			imports: []string{"internal/policy", "internal/policy/feature", "internal/world"},
		},
		{path: "internal/policy/serviceport", purpose: "ports of Services: protocols, and where pods listen", pure: true, imports: []string{"internal/world"}},
		{
			path: "internal/policy/compare", purpose: "what differs between two results of the engine", pure: true,
			imports: []string{"internal/policy", "internal/policy/feature", "internal/world", "internal/policy/finding", "internal/policy/selector", "internal/policy/serviceport", "internal/reach"},
		},
		{
			path: "internal/reach", purpose: "what becomes of calls, and what decides", pure: true,
			imports: []string{
				"internal/policy", "internal/policy/feature", "internal/policy/operation", "internal/policy/selector", "internal/policy/serviceport", "internal/world",
				"internal/cli/text",
			},
		},
		{
			path: "internal/load", purpose: "files, dumps and the management cluster into objects",
			imports: []string{"internal/kube", "internal/discovery", "internal/world"},
		},
		{path: "internal/world", purpose: "the sorted, indexed, immutable world; names", pure: true},
		{path: "internal/discovery", purpose: "raw objects of one cluster into meshes, workloads, destinations and facts", pure: true, imports: []string{"internal/world"}},
		{
			path: "internal/registration", purpose: "register, rotate, deregister and list clusters; install and uninstall",
			imports: []string{"internal/kube", "internal/trust", "internal/cli/text"},
		},
		{
			path: "internal/rollout", purpose: "evaluated worlds into clusters: plan, write in stages, status, watch; knows no command line",
			imports: []string{"internal/kube", "internal/policy", "internal/render/istio", "internal/world", "internal/policy/status"},
		},
		{
			path: "internal/inventory", purpose: "discovers clusters, and keeps the discovered resources in step",
			imports: []string{"internal/discovery", "internal/kube", "internal/load", "internal/world"},
		},
		{path: "internal/kube", purpose: "connections, parallel lists, server-side apply, watches, leases, translated errors", imports: []string{"internal/cli/text"}},
		{path: "internal/trust", purpose: "certificates, and rotation as states", pure: true},
		{path: "internal/startup", purpose: "no garbage collection while packages are initialised"},
		{
			path: "internal/output", purpose: "the one printer: tables, texts, JSON, YAML and names of views",
			imports: []string{"internal/cli", "internal/cli/text", "internal/output/view"},
		},
		{path: "internal/output/view", purpose: "results as values: documents, tables, texts, names", pure: true, imports: []string{"internal/cli/text"}},
		{
			path: "internal/cli", purpose: "streams, terminals, messages, progress, errors and exit codes, signals",
			imports: []string{"internal/cli/text"},
		},
		{path: "internal/cli/file", purpose: "files that appear as a whole or not at all"},
		{path: "internal/cli/text", purpose: "words for people: lists, counts, lines of a width, printable text", pure: true},

		{path: "internal/testkit/cputime", purpose: "CPU time for benchmarks"},
		{path: "internal/testkit/growth", purpose: "work on policies takes a time that grows with their number", imports: []string{"internal/load", "internal/testkit/cputime", "internal/world", "pkg/api/validation"}},
		{path: "internal/testkit/genworld", purpose: "generated worlds of a given size", imports: []string{"internal/world"}},
		{path: "internal/testkit/hostile", purpose: "hostile text in all strings of a value"},
		{path: "internal/testkit/ptytest", purpose: "programs on a pseudo-terminal, for tests"},
		{path: "internal/testkit/randomworld", purpose: "random worlds", imports: []string{"internal/world"}},

		{path: "pkg/api/core/v1", purpose: "types that the API groups share", pure: true},
		{path: "pkg/api/certificates/v1", purpose: "the certificates of the API", pure: true},
		{path: "pkg/api/discovery/v1", purpose: "Mesh, Workload, Destination", pure: true},
		{path: "pkg/api/multicluster/v1alpha1", purpose: "KubernetesCluster", pure: true},
		{path: "pkg/api/networking/v1", purpose: "VirtualMesh, TrafficPolicy, AccessPolicy", pure: true},
		{path: "pkg/api/settings/v1", purpose: "Settings", pure: true},
		{path: "pkg/api/crds", purpose: "the CustomResourceDefinitions", pure: true},
		{path: "pkg/api/naming", purpose: "texts into names of objects", pure: true},
		{path: "pkg/api/spelling", purpose: "what a misspelt word probably means", pure: true},
		{
			path: "pkg/api/validation", purpose: "schema checks by the code of the API server, which wants a context and brings flags along", pure: true,
			except: []string{"context", "github.com/spf13/cobra"},
		},

		{path: "test/e2e", purpose: "tests on real control planes"},
		{path: "test/e2e/clustertest", purpose: "starts control planes for tests"},
		{
			path: "hack/docs", purpose: "writes the generated docs",
			imports: []string{"internal/commands", "internal/policy/feature", "internal/render", "internal/policy/finding", "internal/reach"},
		},
		{path: "hack/playground", purpose: "leaves control planes running to try things by hand", imports: []string{"test/e2e/clustertest"}},
	}
}

// reserved says which packages alone may import a library, by the prefix of its
// import path; /... means a package and those below it.
func reserved() map[string][]string {
	return map[string][]string{
		"github.com/spf13/cobra":            {"internal/commands/...", "hack/docs"},
		"github.com/spf13/pflag":            {"internal/commands/...", "hack/docs"},
		"github.com/spf13/viper":            {"internal/commands/settings"},
		"k8s.io/cli-runtime":                {"internal/commands/cmdutil"},
		"github.com/AlecAivazis/survey":     {"internal/wizard"},
		"github.com/olekukonko/tablewriter": {"internal/output"},
		"github.com/clipperhouse":           {"internal/cli/text"},
		"k8s.io/client-go":                  {"internal/kube", "internal/registration", "internal/restart", "test/e2e/clustertest", "hack/playground"},
		"sigs.k8s.io/controller-runtime":    {},
		"istio.io":                          {"internal/render/istio"},
		"k8s.io/apiserver":                  {"pkg/api/validation"},
		"github.com/google/cel-go":          {"pkg/api/validation"},
		"github.com/rogpeppe/go-internal":   {},
		"github.com/google/go-cmp":          {},
		"k8s.io/apiextensions-apiserver": {
			"pkg/api/crds", "pkg/api/validation", "pkg/api/discovery/v1", "pkg/api/multicluster/v1alpha1", "pkg/api/networking/v1",
			"internal/policy/feature", // the type of opaque fields
		},
	}
}

// impure is what a package imports that does more than to turn values into
// values.
func impure() []string {
	return []string{"bufio", "context", "io", "log", "log/slog", "net", "net/http", "os", "os/exec", "os/signal", "path/filepath"}
}

// clients are libraries that no pure package may need, however indirectly.
func clients() []string {
	return []string{
		"github.com/spf13/cobra", "github.com/spf13/viper", "k8s.io/cli-runtime", "k8s.io/client-go", "k8s.io/kubectl", "sigs.k8s.io/controller-runtime",
	}
}
