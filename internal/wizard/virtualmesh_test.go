package wizard_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	. "github.com/meshctl/meshctl/internal/wizard/wizardtest"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

const (
	menu   = "Anything else?"
	done   = "No, review it"
	access = "Who may call a service that no access policy is about?"
	expose = "Which services can the other meshes call?"
)

// virtualMeshAnd answers the basics, then these answers, then leaves.
func virtualMeshAnd(answers ...Answer) []Answer {
	all := []Answer{Default("Name"), Default("Which meshes?"), Default(expose), Default(access)}
	return append(append(all, answers...), Select(menu, done))
}

// basics is the input that virtualMeshAnd gives, with changes.
func basics(change func(*render.VirtualMeshInput)) *render.VirtualMeshInput {
	in := &render.VirtualMeshInput{
		Meshes:             []core.ObjectRef{mesh("istiod-east"), mesh("istiod-west")},
		Trust:              to(render.TrustShared),
		Federate:           []networkingv1.FederationSelector{{}},
		GlobalAccessPolicy: to(networkingv1.GlobalAccessPolicyMeshDefault),
	}
	if change != nil {
		change(in)
	}
	return in
}

func TestVirtualMesh(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		answers []Answer
		want    *render.VirtualMeshInput
	}{
		{"five answers", virtualMeshAnd(), basics(nil)},
		{
			"nothing federated, nobody may call",
			[]Answer{
				Type("Name", "prod"), Mark("Which meshes?", "istiod-west.gloo-mesh"),
				Select(expose, "Nothing"), Select(access, "Nobody"), Select(menu, done),
			},
			&render.VirtualMeshInput{
				Meshes: []core.ObjectRef{mesh("istiod-west")}, Trust: to(render.TrustShared),
				Federate:           []networkingv1.FederationSelector{},
				GlobalAccessPolicy: to(networkingv1.GlobalAccessPolicyEnabled),
			},
		},
		{
			"some services to one mesh, others to all",
			[]Answer{
				Default("Name"), Default("Which meshes?"), Select(expose, "Let me choose"),
				Select("Which services are federated?", "Services by name"),
				Mark("Which services?", "reviews.bookinfo.west", "payments.shop"),
				Mark("Which meshes can call them?", "istiod-east.gloo-mesh"),
				Confirm("Add more federated services?", true),
				Select("Which services are federated?", "Services by namespace, cluster or label"),
				Mark("Choose the services by what?", "Label"), Mark("Which labels?", "app=ratings"),
				Default("Which meshes can call them?"),
				Confirm("Add more federated services?", false),
				Select(access, "Everybody"), Select(menu, done),
			},
			basics(func(in *render.VirtualMeshInput) {
				in.GlobalAccessPolicy = to(networkingv1.GlobalAccessPolicyDisabled)
				in.Federate = []networkingv1.FederationSelector{
					{
						DestinationSelectors: []core.DestinationSelector{
							{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{service("reviews", "west")}}},
							{ExternalServiceRefs: &core.ExternalServiceRefs{ExternalServices: []core.ObjectRef{{Name: "payments", Namespace: "shop"}}}},
						},
						Meshes: []core.ObjectRef{mesh("istiod-east")},
					},
					{DestinationSelectors: []core.DestinationSelector{{KubeServiceMatcher: &core.KubeServiceMatcher{Labels: map[string]string{"app": "ratings"}}}}},
				}
			}),
		},
		{
			"a generated root with options",
			virtualMeshAnd(
				Select(menu, "Trust"), Select("Where does the common root", "It is generated"),
				Mark("What about the root certificate", "Lifetime", "Key size", "Organisation", "Renewal"),
				Type("Days until", "never"), Type("Days until", "0"), Type("Days until", "90"), Type("Bits", "1024"), Default("Bits"),
				Type("Organisation:", "Acme, Inc."), Type("Part of the lifetime", "1.1"), Type("Part of the lifetime", "NaN"), Type("Part of the lifetime", "0.25"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.Root = render.CertificateInput{TTLDays: to(uint32(90)), KeyBits: to(uint32(4096)), Org: to("Acme, Inc."), RenewalRatio: to(0.25)}
			}),
		},
		{
			"a root from a Secret replaces options of a generated one",
			virtualMeshAnd(
				Select(menu, "Trust"), Select("Where does the common root", "It is generated"),
				Mark("What about the root certificate", "Lifetime"), Type("Days until", "90"),
				Select(menu, "Trust"), Select("Where does the common root", "From a Secret"),
				Type("Secret with the root", "ca"), Type("Secret with the root", "CA.gloo-mesh"), Type("Secret with the root", "my.ca.gloo-mesh"),
				Select(menu, "Mesh certificates"), Mark("What about the certificates of the meshes", "Lifetime"), Type("Days until", "30"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.RootSecret = &core.ObjectRef{Name: "my.ca", Namespace: "gloo-mesh"}
				in.Intermediate.TTLDays = to(uint32(30))
			}),
		},
		{
			"no trust, then no certificates either",
			virtualMeshAnd(
				Select(menu, "Trust"), Select("Where does the common root", "There is none"),
				Select(menu, "Mesh certificates"), Confirm("The trust that is chosen has no such certificates.", false),
			),
			basics(func(in *render.VirtualMeshInput) { in.Trust = to(render.TrustNone) }),
		},
		{
			"Vault with a token, then as a service account",
			virtualMeshAnd(
				Select(menu, "Trust"), Select("Where does the common root", "From Vault"),
				Type("Vault server:", "https://vault"), Type("Path of the root:", "pki"), Type("Path that signs:", "pki/sign"),
				Type("Namespace in Vault:", "team"), Select("How is the certificate of Vault", "By a file"), Type("Path of the file:", "/ca.pem"),
				Select("How does one log in", "With a token"), Type("Secret with the token", "token.gloo-mesh"),
				Select(menu, "Trust"), Default("Where does the common root"),
				Default("Vault server:"), Default("Path of the root:"), Default("Path that signs:"),
				Type("Namespace in Vault:", "none"), Select("How is the certificate of Vault", "By a bundle"), Type("Bundle", "?!"), Type("Bundle", "UEVN"),
				Select("How does one log in", "As a service account"), Default("Path of the login:"), Type("Role:", "mesh"),
				Default("Key of the token"), Type("Service account", "vault.gloo-mesh"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.Vault = &certificatesv1.VaultCA{
					Server: "https://vault", CAPath: "pki", CSRPath: "pki/sign", CABundle: []byte("PEM"),
					KubernetesAuth: &certificatesv1.VaultKubernetesAuth{
						MountPath: "/v1/auth/kubernetes", Role: "mesh", ServiceAccountRef: &core.ObjectRef{Name: "vault", Namespace: "gloo-mesh"},
					},
				}
			}),
		},
		{
			"restarts need a second yes",
			virtualMeshAnd(
				Select(menu, "Rotation and restarts"), Mark("What about certificate rotation", "Restart workloads", "Rotation strategy", "Rotation verification"),
				Confirm("Every workload of these meshes is restarted", false),
				Select("How is an old root replaced?", "At once"), Select("Who decides that a step", "The operator"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.RotationStrategy = to(certificatesv1.CertificateRotationStrategyNone)
				in.RotationVerification = to(render.VerifyManual)
			}),
		},
		{
			"restarts with a second yes",
			virtualMeshAnd(
				Select(menu, "Rotation and restarts"), Mark("What about certificate rotation", "Restart workloads"),
				Confirm("Every workload of these meshes is restarted", true),
			),
			basics(func(in *render.VirtualMeshInput) { in.AutoRestartPods = to(true) }),
		},
		{
			"federation details, gateways and enforcement",
			virtualMeshAnd(
				Select(menu, "Federation details"), Mark("What about federation differs", "Hostname suffix", "Flat network", "TCP keepalive"),
				Type("Suffix", "Mesh"), Type("Suffix", "mesh.internal"), Mark("What about the keepalive", "Probes", "Time"), Default("Unanswered probes:"), Type("Idle time", "1m"),
				Select(menu, "Gateways"), Select("Which Services are the gateways?", "Services by name"), Mark("Which services?", "gateway.istio-system.east"),
				Select("Where do other clusters connect to?", "A port with another name"), Select("Which port takes TLS?", "mtls"),
				Confirm("Add more gateways?", true), Select("Which Services are the gateways?", "Services by namespace, cluster or label"),
				Mark("Choose the services by what?", "Cluster"), Mark("Which clusters?", "west"),
				Select("Where do other clusters connect to?", "A fixed address"), Type("Host of the gateway:", "10.0.0.1:5"), Type("Host of the gateway:", "fd00::1"), Type("Port of the gateway:", "65536"), Default("Port of the gateway:"),
				Confirm("Add more gateways?", false),
				Select(menu, "TLS enforcement"), Select("Which connections", "Only mutual TLS"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.HostnameSuffix, in.FlatNetwork = to("mesh.internal"), to(true)
				in.Keepalive = &core.TCPKeepalive{Probes: 3, Time: core.NewDuration(time.Minute)}
				in.Gateways = []networkingv1.IngressGatewaySelector{
					{
						DestinationSelectors: []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{
							Services: []core.ClusterObjectRef{{Name: "gateway", Namespace: "istio-system", ClusterName: "east"}},
						}}},
						PortName: to("mtls"),
					},
					{
						DestinationSelectors: []core.DestinationSelector{{KubeServiceMatcher: &core.KubeServiceMatcher{Clusters: []string{"west"}}}},
						OverrideHostInfo:     &networkingv1.HostInfo{Addr: "fd00::1", Port: 15443},
					},
				}
				in.TLSEnforcement = to(networkingv1.EnforcementModeStrict)
			}),
		},
		{
			"a mesh that leaves takes its federation with it",
			[]Answer{
				Default("Name"), Default("Which meshes?"), Select(expose, "Let me choose"),
				Select("Which services are federated?", "Every service"), Mark("Which meshes can call them?", "istiod-east.gloo-mesh"),
				Confirm("Add more", false), Default(access),
				Select(menu, "Meshes"), Mark("Which meshes?", "istiod-west.gloo-mesh"), Select(expose, "Nothing"),
				Select(menu, done),
			},
			basics(func(in *render.VirtualMeshInput) {
				in.Meshes = []core.ObjectRef{mesh("istiod-west")}
				in.Federate = []networkingv1.FederationSelector{}
			}),
		},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			draft := &wizard.Draft[render.VirtualMeshInput]{}
			if err := wizard.VirtualMesh(New(t, tt.answers...), bookinfo(), draft); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, draft.Input); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVirtualMeshNewcomer(t *testing.T) {
	t.Parallel()
	stub := New(t, virtualMeshAnd()...)
	draft := &wizard.Draft[render.VirtualMeshInput]{}
	if err := wizard.VirtualMesh(stub, bookinfo(), draft); err != nil {
		t.Fatal(err)
	}
	if got := len(stub.Screens()) + 1; got > 6 {
		t.Errorf("%d answers with the review, want at most 6", got)
	}
	if draft.Name != "virtual-mesh-2" || draft.Namespace != "gloo-mesh" {
		t.Errorf("named %s.%s, want the first free name", draft.Name, draft.Namespace)
	}
	meshes := stub.Screens()[1]
	want := []wizard.Option{
		{Label: "istiod-east.gloo-mesh", Detail: "cluster east, istio 1.31.1, trust domain east.local"},
		{Label: "istiod-west.gloo-mesh", Detail: "cluster west, istio 1.30.0"},
	}
	if diff := cmp.Diff(want, meshes.Options); diff != "" {
		t.Errorf("meshes (-want +got):\n%s", diff)
	}
	if !strings.Contains(meshes.Question.Help, "istiod-north.gloo-mesh is in other.gloo-mesh") {
		t.Errorf("the help does not say who has the third mesh: %s", meshes.Question.Help)
	}
	if got := stub.Screens()[4].Detail("Trust"); got != "shared, generated root" {
		t.Errorf("the menu says %q about trust", got)
	}
}

func TestVirtualMeshGiven(t *testing.T) {
	t.Parallel()
	given := func(flag string) bool { return flag == "mesh" || flag == "federate" }
	draft := &wizard.Draft[render.VirtualMeshInput]{
		Name: "prod", Namespace: "meshes", Given: given,
		Input: &render.VirtualMeshInput{Meshes: []core.ObjectRef{mesh("far")}, Federate: []networkingv1.FederationSelector{}, Trust: to(render.TrustNone)},
	}
	stub := New(t, Default(access), Select(menu, "Meshes"), Default("Which meshes?"), Select(menu, done))
	if err := wizard.VirtualMesh(stub, bookinfo(), draft); err != nil {
		t.Fatal(err)
	}
	want := &render.VirtualMeshInput{
		Meshes: []core.ObjectRef{mesh("far")}, Federate: []networkingv1.FederationSelector{}, Trust: to(render.TrustNone),
		GlobalAccessPolicy: to(networkingv1.GlobalAccessPolicyMeshDefault),
	}
	if diff := cmp.Diff(want, draft.Input); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
}

func TestVirtualMeshName(t *testing.T) {
	t.Parallel()
	stub := New(t,
		Type("Name", "Prod!"), Type("Name", "taken"), Type("Name", "prod"),
		Default("Which meshes?"), Default(expose), Default(access),
		Select(menu, "Name"), Type("Namespace:", "else.where"), Type("Namespace:", "elsewhere"), Type("Name", "taken"), Type("Name", "prod"),
		Select(menu, done))
	draft := &wizard.Draft[render.VirtualMeshInput]{}
	if err := wizard.VirtualMesh(stub, bookinfo(), draft); err != nil {
		t.Fatal(err)
	}
	var problems []string
	for _, s := range stub.Screens() {
		if s.Problem != "" {
			problems = append(problems, s.Problem)
		}
	}
	want := []string{
		"use lower-case letters, digits, '-' and '.', with a letter or digit at both ends and at most 253 characters",
		"there is a virtual mesh taken in namespace gloo-mesh already; choose another name",
		"use lower-case letters, digits and '-', with a letter or digit at both ends and at most 63 characters",
		"there is a virtual mesh taken in namespace elsewhere already; choose another name",
	}
	if diff := cmp.Diff(want, problems); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if draft.Name != "prod" || draft.Namespace != "elsewhere" {
		t.Errorf("named %s.%s, want prod.elsewhere", draft.Name, draft.Namespace)
	}
}

func TestVirtualMeshImpossible(t *testing.T) {
	t.Parallel()
	taken := bookinfo()
	for i := range taken.Meshes {
		taken.Meshes[i].VirtualMesh = "other.gloo-mesh"
	}
	tests := []struct {
		name  string
		known wizard.Catalogue
		want  string
	}{
		{"no meshes", wizard.Catalogue{}, "no mesh is known, so there is nothing to group: register the clusters that run one " +
			"(meshctl cluster register), read manifests with -f, or name meshes with --mesh"},
		{"all taken", taken, "every mesh is in a virtual mesh already, and can be in one only: istiod-east.gloo-mesh is in other.gloo-mesh, " +
			"istiod-north.gloo-mesh is in other.gloo-mesh, istiod-west.gloo-mesh is in other.gloo-mesh; " +
			"take one out of its virtual mesh first, or change that virtual mesh"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := wizard.VirtualMesh(New(t), tt.known, &wizard.Draft[render.VirtualMeshInput]{})
			if err == nil || err.Error() != tt.want {
				t.Errorf("error %v, want %s", err, tt.want)
			}
		})
	}
}

func TestRevisitVirtualMesh(t *testing.T) {
	t.Parallel()
	draft := &wizard.Draft[render.VirtualMeshInput]{Name: "other", Namespace: "gloo-mesh", Input: basics(nil)}
	const revisit = "What do you want to change?"
	stub := New(t, Select(revisit, "Meshes"), Mark("Which meshes?", "istiod-north.gloo-mesh"), Select(revisit, "Calls"), Select(access, "Nobody"), Select(revisit, "Nothing more, review it"))
	if err := wizard.RevisitVirtualMesh(stub, bookinfo(), draft); err != nil {
		t.Fatal(err)
	}
	want := basics(func(in *render.VirtualMeshInput) {
		in.Meshes = []core.ObjectRef{mesh("istiod-north")} // its own, so it is offered
		in.GlobalAccessPolicy = to(networkingv1.GlobalAccessPolicyEnabled)
	})
	if diff := cmp.Diff(want, draft.Input); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
}

// TestCancel cancels every question of a flow in turn.
func TestCancel(t *testing.T) {
	t.Parallel()
	answers := virtualMeshAnd(
		Select(menu, "Trust"), Default("Where does the common root"), Mark("What about the root", "Lifetime"), Default("Days until"),
		Select(menu, "Gateways"), Default("Which Services are the gateways?"), Mark("Which services?", "gateway.istio-system.east"),
		Default("Where do other clusters"), Confirm("Add more gateways?", false),
	)
	for i := range answers {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			cancelled := append(append([]Answer{}, answers[:i]...), Fail("", cli.ErrCancelled))
			err := wizard.VirtualMesh(New(t, cancelled...), bookinfo(), &wizard.Draft[render.VirtualMeshInput]{})
			if !errors.Is(err, cli.ErrCancelled) {
				t.Errorf("cancelling question %d gives %v", i, err)
			}
		})
	}
}

func TestReview(t *testing.T) {
	t.Parallel()
	actions := []wizard.Action{{ID: "save", Label: "Save it", Detail: "to a file"}, {ID: "cancel", Label: "Cancel"}}
	got, err := wizard.Review(New(t, Select("What now?", "Cancel")), actions)
	if err != nil || got != actions[1] {
		t.Errorf("Review gives %v, %v", got, err)
	}
}
