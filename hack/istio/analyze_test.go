package istiocheck

import (
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"

	"istio.io/istio/pilot/pkg/config/kube/crd"
	"istio.io/istio/pkg/config"
	"istio.io/istio/pkg/config/analysis/analyzers"
	"istio.io/istio/pkg/config/analysis/diag"
	"istio.io/istio/pkg/config/analysis/local"
	"istio.io/istio/pkg/config/schema/collections"
)

// configs parses what is rendered for a cluster, and holds each object against
// Istio's validation.
func configs(t *testing.T, w *renderedWorld, cluster string) []config.Config {
	parsed, others, err := crd.ParseInputs(text(t, w.clusters[cluster]))
	if err != nil {
		t.Fatalf("%s: %v", cluster, err)
	}
	if len(others) > 0 {
		t.Fatalf("%s: %v are not of Istio", cluster, others)
	}
	return parsed
}

// TestValidate holds every object against the rules of `istioctl validate`.
func TestValidate(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *renderedWorld) {
		for _, cluster := range w.names {
			for _, c := range configs(t, w, cluster) {
				s, known := collections.All.FindByGroupVersionAliasesKind(c.GroupVersionKind)
				if !known {
					t.Fatalf("%s is not known", c.GroupVersionKind)
				}
				warnings, err := s.ValidateConfig(c)
				if err != nil {
					t.Errorf("%s: %s %s.%s: %v", cluster, c.GroupVersionKind.Kind, c.Name, c.Namespace, err)
				}
				if warnings != nil {
					t.Errorf("%s: %s %s.%s: warning: %v", cluster, c.GroupVersionKind.Kind, c.Name, c.Namespace, warnings)
				}
			}
		}
	})
}

// excuses are the messages of the analyzers that are no fault of what is
// rendered: the code, what the message says, and why.
var excuses = []struct{ code, text, why string }{
	{"IST0101", "+subset in destinationrule", "a host outside of svc.cluster.local is taken for a name in the namespace that mentions it; TestRoutes looks for the subset"},
	{"IST0101", ".corp.local", "no other cluster domain than cluster.local is known"},
	{"IST0101", "Referenced namespace not found", "callers may be in other clusters"},
	{"IST0118", "", "about the Services of the world"},
	{"IST0127", "global-access-control", "of a second control plane with another root namespace"},
	{"IST0128", "SIMPLE", "what the policy asks for"},
	{"IST0129", "SIMPLE", "what the policy asks for"},
	{"IST0134", ".svc.", "what a gateway is told about its own cluster has no address, as nobody resolves it there"},
	{"IST0137", "", "about the Services of the world"},
	{"IST0162", "selector app=", "a port that only the Mesh lists for its gateway"},
	{"IST0173", "", "only the pods of one cluster are known, and some policies name subsets without pods (MC0307)"},
	{"IST0174", ".corp.local", "no other cluster domain than cluster.local is known"},
}

func excused(m *diag.Message) bool {
	for _, e := range excuses {
		if e.code == m.Type.Code() && strings.Contains(m.String(), e.text) {
			return true
		}
	}
	return false
}

// TestAnalyze runs `istioctl analyze` on every cluster.
func TestAnalyze(t *testing.T) {
	eachWorld(t, func(t *testing.T, w *renderedWorld) {
		for _, cluster := range w.names {
			settings := filepath.Join(t.TempDir(), "mesh.yaml")
			if err := os.WriteFile(settings, []byte("rootNamespace: "+rootNamespace(w.meshIn(cluster))+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			analyzer := local.NewSourceAnalyzer(analyzers.AllCombined(), "", "istio-system", nil)
			if err := analyzer.AddFileKubeMeshConfig(settings); err != nil {
				t.Fatal(err)
			}
			err := analyzer.AddTestReaderKubeSource([]local.ReaderSource{
				{Name: "kubernetes", Reader: strings.NewReader(kubernetes(t, w.result.World, cluster))},
				{Name: "istio", Reader: strings.NewReader(text(t, w.clusters[cluster]))},
			})
			if err != nil {
				t.Fatalf("%s: %v", cluster, err)
			}
			result, err := analyzer.Analyze(make(chan struct{}))
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for i := range result.Messages {
				if m := &result.Messages[i]; !excused(m) {
					lines = append(lines, m.String())
				}
			}
			sort.Strings(lines)
			for _, line := range lines {
				t.Errorf("%s: %s", cluster, line)
			}
		}
	})
}
