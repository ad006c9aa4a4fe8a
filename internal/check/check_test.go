package check

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// noon is when the facts of the tests were gathered.
func noon() time.Time { return time.Date(2030, 1, 2, 12, 0, 0, 0, time.UTC) }

func in(d time.Duration) *time.Time {
	t := noon().Add(d)
	return &t
}

// wellMember returns a registered cluster with nothing to complain about.
func wellMember(name string) MemberFacts {
	return MemberFacts{
		Cluster: name, Registered: true, RegisteredUID: "uid-" + name, UID: "uid-" + name, Server: "https://" + name,
		Version: "v1.36.3", Access: registration.AccessFull,
	}
}

// wellFacts returns facts with nothing to complain about.
func wellFacts(members ...MemberFacts) *Facts {
	return &Facts{
		Now: noon(), Namespace: "gloo-mesh", ExpiryWarning: 30 * 24 * time.Hour, Members: members,
		Management: &ManagementFacts{
			Cluster: "kind-mgmt", Version: "v1.36.3",
			Definitions: []registration.Definition{{Name: "virtualmeshes", State: registration.DefinitionCurrent}},
		},
		World: policy.Evaluate(world.New(world.Objects{})),
	}
}

// lines returns the report of a category in short.
func lines(r *Report, category string) []string {
	var short []string
	for _, c := range r.Categories {
		if c.ID != category {
			continue
		}
		if c.Skipped != "" {
			short = append(short, "skipped: "+c.Skipped)
		}
		for _, l := range c.Checks {
			text := string(l.Result) + " " + l.ID
			if subject := l.Subject(); subject != "" {
				text += " " + subject
			}
			if l.Message != "" {
				text += ": " + l.Message
			}
			short = append(short, text)
		}
	}
	return short
}

// problemsOf returns what is neither ok nor skipped.
func problemsOf(all []string) []string {
	var problems []string
	for _, line := range all {
		if strings.HasPrefix(line, "failed") || strings.HasPrefix(line, "warning") {
			problems = append(problems, line)
		}
	}
	return problems
}

func TestManagement(t *testing.T) {
	t.Parallel()
	forbidden := &kube.Error{Cluster: "kind-mgmt", Action: "list x", Reason: kube.ReasonForbidden, Why: "no"}
	for name, test := range map[string]struct {
		change func(*ManagementFacts)
		want   []string
	}{
		"in order": {change: func(*ManagementFacts) {}},
		"dead": {
			func(m *ManagementFacts) {
				*m = ManagementFacts{Cluster: "kind-mgmt", Err: &kube.Error{Cluster: "kind-mgmt", Reason: kube.ReasonUnreachable, Why: "nobody home"}}
			},
			[]string{"failed management-reachable kind-mgmt: nobody home"},
		},
		"definitions": {
			func(m *ManagementFacts) {
				m.Definitions = []registration.Definition{
					{Name: "a", State: registration.DefinitionMissing},
					{Name: "b", State: registration.DefinitionNotServed},
					{Name: "c", State: registration.DefinitionForeign},
					{Name: "d", State: registration.DefinitionOther},
				}
			},
			[]string{
				"failed management-definitions CustomResourceDefinition/a: it is not installed",
				"failed management-definitions CustomResourceDefinition/b: the API server does not serve it in the version that meshctl uses",
				"warning management-edition CustomResourceDefinition/d: another version of meshctl installed it",
			},
		},
		"not a management cluster": {
			func(m *ManagementFacts) {
				m.Definitions = []registration.Definition{{Name: "a", State: registration.DefinitionMissing}, {Name: "b", State: registration.DefinitionMissing}}
				m.NamespaceMissing = true
				m.CannotRead = []kube.Permission{{Verb: "list", Group: "g", Resource: "a"}}
				m.CannotWrite, m.PermissionsErr = m.CannotRead, forbidden
			},
			[]string{"failed management-definitions: not a management cluster: the CRDs of meshctl are not installed"},
		},
		"read only": {
			func(m *ManagementFacts) {
				m.CannotWrite = []kube.Permission{{Verb: "get", Resource: "secrets", Namespace: "gloo-mesh"}}
			},
			[]string{"warning management-write: not allowed to get secrets in gloo-mesh"},
		},
		"no reading": {
			func(m *ManagementFacts) {
				m.CannotRead = []kube.Permission{{Verb: "list", Group: "g", Resource: "a"}, {Verb: "list", Group: "g", Resource: "b"}}
			},
			[]string{"failed management-read: not allowed to list a.g, list b.g"},
		},
		"no namespace": {
			func(m *ManagementFacts) { m.NamespaceMissing = true },
			[]string{"failed management-namespace: there is no namespace gloo-mesh"},
		},
		"old": {
			func(m *ManagementFacts) {
				m.Outdated = &kube.Error{Cluster: "kind-mgmt", Action: "use the cluster", Why: "it runs Kubernetes v1.16.0"}
			},
			[]string{"failed management-version: cannot use the cluster on cluster kind-mgmt: it runs Kubernetes v1.16.0"},
		},
		"unknown": {
			func(m *ManagementFacts) {
				m.DefinitionsErr, m.NamespaceErr, m.PermissionsErr = forbidden, forbidden, forbidden
			},
			[]string{
				"failed management-definitions: not known: cannot list x on cluster kind-mgmt: no",
				"failed management-namespace: not known: cannot list x on cluster kind-mgmt: no",
				"failed management-read: not known: cannot list x on cluster kind-mgmt: no",
				"warning management-write: not known: cannot list x on cluster kind-mgmt: no",
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := wellFacts()
			test.change(f.Management)
			r := Judge(f, []string{CategoryManagement})
			got := problemsOf(lines(r, CategoryManagement))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
			if failed := strings.Contains(strings.Join(got, "\n"), "failed "); r.Success == failed {
				t.Errorf("success = %v", r.Success)
			}
		})
	}
}

func TestClusters(t *testing.T) {
	t.Parallel()
	dead := &kube.Error{Cluster: "east", Reason: kube.ReasonTimeout, Why: "no answer"}
	refusedErr := &kube.Error{Cluster: "east", Reason: kube.ReasonUnauthorized, Why: "not accepted"}
	for name, test := range map[string]struct {
		change func(*MemberFacts)
		want   []string
	}{
		"in order":     {change: func(m *MemberFacts) { m.TokenExpires = in(31 * 24 * time.Hour) }},
		"dead":         {func(m *MemberFacts) { m.Err = dead }, []string{"failed cluster-reachable east: no answer"}},
		"refused":      {func(m *MemberFacts) { m.Err = refusedErr }, []string{"failed cluster-token east: not accepted"}},
		"expired":      {func(m *MemberFacts) { m.Err, m.TokenExpires = refusedErr, in(-time.Hour) }, []string{"failed cluster-token east: the token expired 60m ago"}},
		"expires now":  {func(m *MemberFacts) { m.TokenExpires = in(0) }, []string{"failed cluster-token east: the token expired 0s ago"}},
		"expires soon": {func(m *MemberFacts) { m.TokenExpires = in(48 * time.Hour) }, []string{"warning cluster-token east: the token expires in 2d, at 2030-01-04T12:00:00Z"}},
		"broken secret": {
			func(m *MemberFacts) {
				m.RegistrationErr = &kube.Error{Cluster: "mgmt", Action: "use Secret east", Reason: kube.ReasonUnusable, Why: "it has no data"}
			},
			[]string{"failed cluster-registration east: cannot use Secret east on cluster mgmt: it has no data"},
		},
		"secret may not be read": {
			func(m *MemberFacts) {
				m.RegistrationErr = &kube.Error{Cluster: "mgmt", Action: "read Secret east", Reason: kube.ReasonForbidden, Why: "no"}
			},
			[]string{"failed cluster-registration east: not known: cannot read Secret east on cluster mgmt: no"},
		},
		"few permissions": {
			func(m *MemberFacts) { m.CannotRead = []kube.Permission{{Verb: "list", Resource: "pods"}} },
			[]string{"failed cluster-permissions east: not allowed to list pods"},
		},
		"another cluster": {
			func(m *MemberFacts) { m.UID = "other" },
			[]string{"failed cluster-identity east: https://east is a different cluster than the one that was registered"},
		},
		"two names": {
			func(m *MemberFacts) { m.UID, m.RegisteredUID = "uid-west", "uid-west" },
			[]string{"failed cluster-unique east: the same cluster is known as east and west"},
		},
		"two names, one dead": {
			func(m *MemberFacts) { m.Err, m.UID, m.RegisteredUID = dead, "", "uid-west" },
			[]string{"failed cluster-reachable east: no answer", "failed cluster-unique east: the same cluster is known as east and west"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			east := wellMember("east")
			test.change(&east)
			got := problemsOf(lines(Judge(wellFacts(east, wellMember("west")), []string{CategoryClusters}), CategoryClusters))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestSkipped makes sure that what could not be checked is never taken for
// checked: the cause is part of the report.
func TestSkipped(t *testing.T) {
	t.Parallel()
	f := &Facts{Now: noon(), Management: &ManagementFacts{Cluster: "mgmt", Err: &kube.Error{Cluster: "mgmt", Reason: kube.ReasonUnreachable, Why: "gone"}}}
	for _, category := range []string{CategoryClusters, CategoryMeshes, CategoryTrust, CategoryConfiguration} {
		r := Judge(f, []string{category})
		if diff := cmp.Diff([]string{"skipped: it depends on management-reachable, which failed"}, lines(r, category)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", category, diff)
		}
		if diff := cmp.Diff([]string{"failed management-reachable mgmt: gone"}, lines(r, CategoryManagement)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", category, diff)
		}
		if r.Success {
			t.Errorf("%s: success", category)
		}
	}
	none := wellFacts()
	if got := lines(Judge(none, nil), CategoryClusters); !cmp.Equal(got, []string{"skipped: no clusters are registered in namespace gloo-mesh"}) {
		t.Errorf("got %q", got)
	}
}

// istioMesh returns a mesh of cluster east.
func istioMesh(version string) *discoveryv1.Mesh {
	return &discoveryv1.Mesh{
		ObjectMeta: metav1.ObjectMeta{Name: "istiod", Namespace: "gloo-mesh", Labels: map[string]string{clusterLabel: "east"}},
		Spec: discoveryv1.MeshSpec{Istio: &discoveryv1.IstioMesh{Installation: &discoveryv1.MeshInstallation{
			Namespace: "istio-system", Cluster: "east", Version: version, PodLabels: map[string]string{"app": "istiod"},
		}}, Meshctl: &discoveryv1.MeshFacts{}},
	}
}

func TestMeshes(t *testing.T) {
	t.Parallel()
	ready := ControlPlane{Namespace: "istio-system", Name: "istiod", Labels: map[string]string{"app": "istiod", "x": "y"}, Wanted: 2, Available: 2}
	const mesh = " east Mesh/istiod.gloo-mesh: "
	for name, test := range map[string]struct {
		version string
		change  func(*MemberFacts)
		want    []string
	}{
		"in order":      {"1.22.0-distroless", func(*MemberFacts) {}, nil},
		"newer":         {"1.31.1", func(*MemberFacts) {}, nil},
		"old":           {"1.21.6", func(*MemberFacts) {}, []string{"failed mesh-version" + mesh + "it is Istio 1.21.6"}},
		"not a version": {"latest", func(*MemberFacts) {}, []string{"warning mesh-version" + mesh + `cannot determine the Istio version of "latest"`}},
		"gone": {
			"1.26.2", func(m *MemberFacts) { m.ControlPlanes = nil },
			[]string{"failed mesh-control-plane" + mesh + "there is no Deployment of istiod in namespace istio-system for it any more"},
		},
		"another one": {
			"1.26.2", func(m *MemberFacts) { m.ControlPlanes[0].Labels = map[string]string{"app": "other"} },
			[]string{"failed mesh-control-plane" + mesh + "there is no Deployment of istiod in namespace istio-system for it any more"},
		},
		"not ready":   {"1.26.2", func(m *MemberFacts) { m.ControlPlanes[0].Available = 0 }, []string{"failed mesh-control-plane" + mesh + "0 of 2 pods of Deployment istiod are available"}},
		"half ready":  {"1.26.2", func(m *MemberFacts) { m.ControlPlanes[0].Available = 1 }, []string{"warning mesh-control-plane" + mesh + "1 of 2 pods of Deployment istiod are available"}},
		"scaled down": {"1.26.2", func(m *MemberFacts) { m.ControlPlanes[0].Wanted = 0 }, []string{"failed mesh-control-plane" + mesh + "Deployment istiod in istio-system is scaled to 0"}},
		"dead cluster": {"1.26.2", func(m *MemberFacts) {
			m.Err = &kube.Error{Cluster: "east", Reason: kube.ReasonTimeout}
		}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			east := wellMember("east")
			east.ControlPlanes = []ControlPlane{ready}
			test.change(&east)
			f := wellFacts(east)
			f.World = policy.Evaluate(world.New(world.Objects{Meshes: []world.Object[discoveryv1.Mesh]{{Resource: istioMesh(test.version)}}}))
			got := problemsOf(lines(Judge(f, []string{CategoryMeshes}), CategoryMeshes))
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("problems (-want +got):\n%s", diff)
			}
		})
	}
}

// TestMeshFindings makes sure that a finding about a mesh is reported once,
// whichever categories are checked.
func TestMeshFindings(t *testing.T) {
	t.Parallel()
	vm := &networkingv1.VirtualMesh{ObjectMeta: metav1.ObjectMeta{Name: "vm", Namespace: "gloo-mesh"}}
	vm.Spec.Federation = &networkingv1.Federation{Permissive: &core.Empty{}}
	mesh := istioMesh("1.26.2")
	other := istioMesh("1.26.2")
	other.Name, other.Spec.Istio.Installation.Cluster = "istiod-west", "west"
	vm.Spec.Meshes = []core.ObjectRef{{Name: mesh.Name, Namespace: mesh.Namespace}, {Name: other.Name, Namespace: other.Namespace}}
	ref := core.ObjectRef{Name: mesh.Name, Namespace: mesh.Namespace}
	reviews := &discoveryv1.Destination{
		ObjectMeta: metav1.ObjectMeta{Name: "reviews", Namespace: "gloo-mesh"},
		Spec: discoveryv1.DestinationSpec{Mesh: &ref, KubeService: &discoveryv1.KubeService{
			Ref: &core.ClusterObjectRef{Name: "reviews", Namespace: "bookinfo", ClusterName: "east"},
		}},
	}
	w := policy.Evaluate(world.New(world.Objects{
		Destinations:  []world.Object[discoveryv1.Destination]{{Resource: reviews}},
		VirtualMeshes: []world.Object[networkingv1.VirtualMesh]{{Resource: vm}}, Meshes: []world.Object[discoveryv1.Mesh]{{Resource: mesh}, {Resource: other}},
	}))
	for name, test := range map[string]struct {
		categories []string
		judged     bool
		want       string
	}{
		"all":                {nil, true, "failed mesh-gateway"},
		"configuration only": {[]string{CategoryConfiguration}, false, "failed MC0205"},
	} {
		f := wellFacts(wellMember("east"))
		f.World, f.MeshesJudged = w, test.judged
		r := Judge(f, test.categories)
		var found []string
		for _, c := range CategoryIDs() {
			for _, line := range problemsOf(lines(r, c)) {
				if strings.Contains(line, "cannot federate") {
					found = append(found, line[:len(test.want)])
				}
			}
		}
		if diff := cmp.Diff([]string{test.want}, found); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestDrift(t *testing.T) {
	t.Parallel()
	workload := func(name, account string) discoveryv1.Workload {
		return discoveryv1.Workload{
			ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "gloo-mesh", Labels: map[string]string{clusterLabel: "east"}},
			Spec:       discoveryv1.WorkloadSpec{Kubernetes: &discoveryv1.KubernetesWorkload{ServiceAccountName: account}},
		}
	}
	stored := func(workloads ...discoveryv1.Workload) world.Objects {
		var o world.Objects
		for i := range workloads {
			o.Workloads = append(o.Workloads, world.Object[discoveryv1.Workload]{Resource: &workloads[i]})
		}
		west := workload("west", "a")
		west.Labels = map[string]string{clusterLabel: "west"}
		o.Workloads = append(o.Workloads, world.Object[discoveryv1.Workload]{Resource: &west})
		return o
	}
	for name, test := range map[string]struct {
		stored world.Objects
		want   string
	}{
		"same":         {stored(workload("b", "x"), workload("a", "x")), "ok configuration-current east: 2 objects"},
		"nothing yet":  {stored(), "warning configuration-current east: not recorded: Workload/a, Workload/b"},
		"gone, differ": {stored(workload("a", "y"), workload("b", "x"), workload("c", "x")), "warning configuration-current east: recorded but no longer running: Workload/c; recorded differently: Workload/a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			east := wellMember("east")
			east.Discovered = &inventory.Cluster{Name: "east"}
			east.Discovered.Output.Workloads = []discoveryv1.Workload{workload("a", "x"), workload("b", "x")}
			f := wellFacts(east)
			f.Stored = test.stored
			all := lines(Judge(f, []string{CategoryConfiguration}), CategoryConfiguration)
			if got := all[len(all)-2]; got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestDocumented makes sure that every anchor leads somewhere, and that hints are
// never missing.
func TestDocumented(t *testing.T) {
	t.Parallel()
	page, err := os.ReadFile("../../docs/check.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, c := range Categories() {
		if !strings.Contains(string(page), "\n## "+c.ID+"\n") {
			t.Errorf("docs/check.md has no section %s", c.ID)
		}
		for _, check := range c.Checks {
			if !strings.Contains(string(page), "\n### "+check.ID+"\n") {
				t.Errorf("docs/check.md has no section %s", check.ID)
			}
			if seen[check.ID] {
				t.Errorf("check %s exists twice", check.ID)
			}
			seen[check.ID] = true
			if check.Severity != Warning && check.Severity != Failed {
				t.Errorf("check %s has severity %q", check.ID, check.Severity)
			}
		}
	}
	if headings := strings.Count(string(page), "\n### "); headings != len(seen) {
		t.Errorf("docs/check.md describes %d checks, there are %d", headings, len(seen))
	}
}
