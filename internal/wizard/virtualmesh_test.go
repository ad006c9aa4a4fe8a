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
	answer "github.com/meshctl/meshctl/internal/wizard/wizardtest"
	certificatesv1 "github.com/meshctl/meshctl/pkg/api/certificates/v1"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

const (
	menu   = "Anything else?"
	done   = "No, review it"
	access = "Default access for services without an access policy?"
	expose = "Which services do you want to federate?"
)

// virtualMeshAnd answers the basics, then these answers, then leaves.
func virtualMeshAnd(answers ...answer.Answer) []answer.Answer {
	all := []answer.Answer{answer.Default("Name"), answer.Default("Which meshes?"), answer.Default(expose), answer.Default(access)}
	return append(append(all, answers...), answer.Select(menu, done))
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

type virtualMeshTest struct {
	name    string
	answers []answer.Answer
	want    *render.VirtualMeshInput
}

func virtualMeshTests() []virtualMeshTest {
	return []virtualMeshTest{
		{"five answers", virtualMeshAnd(), basics(nil)},
		{
			"nothing federated, nobody may call",
			[]answer.Answer{
				answer.Type("Name", "prod"), answer.Mark("Which meshes?", "istiod-west.gloo-mesh"),
				answer.Select(expose, "Nothing"), answer.Select(access, "Nobody"), answer.Select(menu, done),
			},
			&render.VirtualMeshInput{
				Meshes: []core.ObjectRef{mesh("istiod-west")}, Trust: to(render.TrustShared),
				Federate:           []networkingv1.FederationSelector{},
				GlobalAccessPolicy: to(networkingv1.GlobalAccessPolicyEnabled),
			},
		},
		{
			"some services to one mesh, others to all",
			[]answer.Answer{
				answer.Default("Name"), answer.Default("Which meshes?"), answer.Select(expose, "Selected services"),
				answer.Select("Which services do you want to federate?", "Services by name"),
				answer.Mark("Which services?", "reviews.bookinfo.west", "payments.shop"),
				answer.Mark("Which meshes can call them?", "istiod-east.gloo-mesh"),
				answer.Confirm("Add more federated services?", true),
				answer.Select("Which services do you want to federate?", "Services by namespace, cluster or label"),
				answer.Mark("Match the services by:", "Label"), answer.Mark("Which labels?", "app=ratings"),
				answer.Default("Which meshes can call them?"),
				answer.Confirm("Add more federated services?", false),
				answer.Select(access, "Everybody"), answer.Select(menu, done),
			},
			basics(func(in *render.VirtualMeshInput) {
				in.GlobalAccessPolicy = to(networkingv1.GlobalAccessPolicyDisabled)
				in.Federate = []networkingv1.FederationSelector{
					{
						DestinationSelectors: []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{service("reviews", "west")}}}},
						Meshes:               []core.ObjectRef{mesh("istiod-east")},
					},
					{
						DestinationSelectors: []core.DestinationSelector{{ExternalServiceRefs: &core.ExternalServiceRefs{ExternalServices: []core.ObjectRef{{Name: "payments", Namespace: "shop"}}}}},
						Meshes:               []core.ObjectRef{mesh("istiod-east")},
					},
					{DestinationSelectors: []core.DestinationSelector{{KubeServiceMatcher: &core.KubeServiceMatcher{Labels: map[string]string{"app": "ratings"}}}}},
				}
			}),
		},
		{
			"a generated root with options",
			virtualMeshAnd(
				answer.Select(menu, "Trust"), answer.Select("Which root CA do the meshes share?", "Generated root CA"),
				answer.Mark("Which root certificate settings do you want to change?", "Lifetime", "Key size", "Organisation", "Renewal"),
				answer.Type("Days until", "never"), answer.Type("Days until", "0"), answer.Type("Days until", "90"), answer.Type("Bits", "1024"), answer.Default("Bits"),
				answer.Type("Organisation:", "Acme, Inc."), answer.Type("Fraction of the lifetime, 0 to 1:", "1.1"), answer.Type("Fraction of the lifetime, 0 to 1:", "NaN"), answer.Type("Fraction of the lifetime, 0 to 1:", "0.25"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.Root = render.CertificateInput{TTLDays: to(uint32(90)), KeyBits: to(uint32(4096)), Org: to("Acme, Inc."), RenewalRatio: to(0.25)}
			}),
		},
		{
			"a root from a Secret replaces options of a generated one",
			virtualMeshAnd(
				answer.Select(menu, "Trust"), answer.Select("Which root CA do the meshes share?", "Generated root CA"),
				answer.Mark("Which root certificate settings do you want to change?", "Lifetime"), answer.Type("Days until", "90"),
				answer.Select(menu, "Trust"), answer.Select("Which root CA do the meshes share?", "From a Secret"),
				answer.Type("Secret with the root", "ca"), answer.Type("Secret with the root", "CA.gloo-mesh"), answer.Type("Secret with the root", "my.ca.gloo-mesh"),
				answer.Select(menu, "Mesh certificates"), answer.Mark("Which mesh certificate settings do you want to change?", "Lifetime"), answer.Type("Days until", "30"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.RootSecret = &core.ObjectRef{Name: "my.ca", Namespace: "gloo-mesh"}
				in.Intermediate.TTLDays = to(uint32(30))
			}),
		},
		{
			"no trust, then no certificates either",
			virtualMeshAnd(
				answer.Select(menu, "Trust"), answer.Select("Which root CA do the meshes share?", "None"),
				answer.Select(menu, "Mesh certificates"), answer.Confirm("The selected root CA has no such settings. Choose another root CA?", false),
			),
			basics(func(in *render.VirtualMeshInput) { in.Trust = to(render.TrustNone) }),
		},
		{
			"Vault with a token, then as a service account",
			virtualMeshAnd(
				answer.Select(menu, "Trust"), answer.Select("Which root CA do the meshes share?", "From Vault"),
				answer.Type("Vault server:", "https://vault"), answer.Type("CA path:", "pki"), answer.Type("Signing path:", "pki/sign"),
				answer.Type("Namespace in Vault:", "team"), answer.Select("How do you want to verify the certificate of Vault", "With a file"), answer.Type("Path of the file:", "/ca.pem"),
				answer.Select("How do you want to log in to Vault?", "With a token"), answer.Type("Secret with the token", "token.gloo-mesh"),
				answer.Select(menu, "Trust"), answer.Default("Which root CA do the meshes share?"),
				answer.Default("Vault server:"), answer.Default("CA path:"), answer.Default("Signing path:"),
				answer.Type("Namespace in Vault:", "none"), answer.Select("How do you want to verify the certificate of Vault", "With a CA bundle"), answer.Type("CA bundle", "?!"), answer.Type("CA bundle", "UEVN"),
				answer.Select("How do you want to log in to Vault?", "With a service account"), answer.Default("Mount path of the Kubernetes auth method:"), answer.Type("Role:", "mesh"),
				answer.Default("Key of the token"), answer.Type("Service account", "vault.gloo-mesh"),
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
			"Vault with a token",
			virtualMeshAnd(
				answer.Select(menu, "Trust"), answer.Select("Which root CA do the meshes share?", "From Vault"),
				answer.Type("Vault server:", "https://vault"), answer.Type("CA path:", "pki"), answer.Type("Signing path:", "pki/sign"),
				answer.Type("Namespace in Vault:", "team"), answer.Select("How do you want to verify the certificate of Vault", "With a file"), answer.Type("Path of the file:", "/ca.pem"),
				answer.Select("How do you want to log in to Vault?", "With a token"), answer.Type("Secret with the token", "token.gloo-mesh"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.Vault = &certificatesv1.VaultCA{
					Server: "https://vault", CAPath: "pki", CSRPath: "pki/sign", Namespace: "team", CALocalPath: to("/ca.pem"),
					TokenSecretRef: &core.ObjectRef{Name: "token", Namespace: "gloo-mesh"},
				}
			}),
		},
		{
			"Vault as the pod's own service account",
			virtualMeshAnd(
				answer.Select(menu, "Trust"), answer.Select("Which root CA do the meshes share?", "From Vault"),
				answer.Type("Vault server:", "https://vault"), answer.Type("CA path:", "pki"), answer.Type("Signing path:", "pki/sign"),
				answer.Default("Namespace in Vault:"), answer.Default("How do you want to verify the certificate of Vault"),
				answer.Select("How do you want to log in to Vault?", "With the service account of the pod"), answer.Type("Mount path of the Kubernetes auth method:", "/v1/auth/k8s"), answer.Type("Role:", "mesh"),
				answer.Type("Key of the token", "token"), answer.Default("Path of the mounted token:"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.Vault = &certificatesv1.VaultCA{
					Server: "https://vault", CAPath: "pki", CSRPath: "pki/sign",
					KubernetesAuth: &certificatesv1.VaultKubernetesAuth{
						MountPath: "/v1/auth/k8s", Role: "mesh", SecretTokenKey: "token", MountedSAPath: to("/var/run/secrets/kubernetes.io/serviceaccount/token"),
					},
				}
			}),
		},
		{
			"restarts need a second yes",
			virtualMeshAnd(
				answer.Select(menu, "Rotation and restarts"), answer.Mark("Which rotation settings do you want to change?", "Restart workloads", "Rotation strategy", "Rotation verification"),
				answer.Confirm("All workloads of these meshes will restart on every certificate change, which interrupts requests. Enable anyway?", false),
				answer.Select("How do you want to replace the root CA?", "At once"), answer.Select("Who confirms a rotation step?", "The operator"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.RotationStrategy = to(certificatesv1.CertificateRotationStrategyNone)
				in.RotationVerification = to(render.VerifyManual)
			}),
		},
		{
			"restarts with a second yes",
			virtualMeshAnd(
				answer.Select(menu, "Rotation and restarts"), answer.Mark("Which rotation settings do you want to change?", "Restart workloads"),
				answer.Confirm("All workloads of these meshes will restart on every certificate change, which interrupts requests. Enable anyway?", true),
			),
			basics(func(in *render.VirtualMeshInput) { in.AutoRestartPods = to(true) }),
		},
		{
			"federation details, gateways and enforcement",
			virtualMeshAnd(
				answer.Select(menu, "Federation"), answer.Select(expose, "Selected services"), answer.Select("Which services do you want to federate?", "External services by namespace or label"),
				answer.Mark("Match the external services by:", "Namespace", "Label"), answer.Mark("Which namespaces?", "shop"), answer.Mark("Which labels?", "team=money"), answer.Default("Which meshes can"), answer.Confirm("Add more", false),
				answer.Select(menu, "Federation details"), answer.Mark("Which federation settings do you want to change?", "Hostname suffix", "Flat network", "TCP keepalive"),
				answer.Type("Suffix", "Mesh"), answer.Type("Suffix", "mesh.internal"), answer.Mark("Which keepalive settings do you want to set?", "Probes", "Time", "Interval"),
				answer.Default("Unanswered probes:"), answer.Type("Idle time", "1m"), answer.Type("Time between", "5s"),
				answer.Select(menu, "Gateways"), answer.Select("Which gateways do you want to use?", "Selected gateways"), answer.Select("Which Services are gateways?", "Services by name"), answer.Mark("Which services?", "gateway.istio-system.east"),
				answer.Select("Which gateway address do other clusters use?", "A port with another name"), answer.Select("Which port accepts TLS?", "mtls"),
				answer.Confirm("Add more gateways?", true), answer.Select("Which Services are gateways?", "Services by namespace, cluster or label"),
				answer.Mark("Match the services by:", "Namespace", "Cluster"), answer.Mark("Which namespaces?", "istio-system"), answer.Mark("Which clusters?", "west"),
				answer.Select("Which gateway address do other clusters use?", "A fixed address"), answer.Type("Host of the gateway:", "10.0.0.1:5"), answer.Type("Host of the gateway:", "fd00::1"), answer.Type("Port of the gateway:", "65536"), answer.Default("Port of the gateway:"),
				answer.Confirm("Add more gateways?", false),
				answer.Select(menu, "TLS enforcement"), answer.Select("Which connections", "Only mutual TLS"),
			),
			basics(func(in *render.VirtualMeshInput) {
				in.Federate = []networkingv1.FederationSelector{{DestinationSelectors: []core.DestinationSelector{{
					ExternalServiceMatcher: &core.ObjectMatcher{Namespaces: []string{"shop"}, Labels: map[string]string{"team": "money"}},
				}}}}
				in.HostnameSuffix, in.FlatNetwork = to("mesh.internal"), to(true)
				in.Keepalive = &core.TCPKeepalive{Probes: 3, Time: core.NewDuration(time.Minute), Interval: seconds(5)}
				in.Gateways = []networkingv1.IngressGatewaySelector{
					{
						DestinationSelectors: []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{
							Services: []core.ClusterObjectRef{{Name: "gateway", Namespace: "istio-system", ClusterName: "east"}},
						}}},
						PortName: to("mtls"),
					},
					{
						DestinationSelectors: []core.DestinationSelector{{KubeServiceMatcher: &core.KubeServiceMatcher{Namespaces: []string{"istio-system"}, Clusters: []string{"west"}}}},
						OverrideHostInfo:     &networkingv1.HostInfo{Addr: "fd00::1", Port: 15443},
					},
				}
				in.TLSEnforcement = to(networkingv1.EnforcementModeStrict)
			}),
		},
		{
			"a mesh that leaves takes its federation with it",
			[]answer.Answer{
				answer.Default("Name"), answer.Default("Which meshes?"), answer.Select(expose, "Selected services"),
				answer.Select("Which services do you want to federate?", "Every service"), answer.Mark("Which meshes can call them?", "istiod-east.gloo-mesh"),
				answer.Confirm("Add more", false), answer.Default(access),
				answer.Select(menu, "Meshes"), answer.Mark("Which meshes?", "istiod-west.gloo-mesh"), answer.Select(expose, "Nothing"),
				answer.Select(menu, done),
			},
			basics(func(in *render.VirtualMeshInput) {
				in.Meshes = []core.ObjectRef{mesh("istiod-west")}
				in.Federate = []networkingv1.FederationSelector{}
			}),
		},
	}
}

func TestVirtualMesh(t *testing.T) {
	t.Parallel()
	for _, tt := range virtualMeshTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			draft := &wizard.Draft[render.VirtualMeshInput]{}
			if err := wizard.VirtualMesh(answer.New(t, tt.answers...), bookinfo(), draft); err != nil {
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
	stub := answer.New(t, virtualMeshAnd()...)
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
	stub := answer.New(t, answer.Default(access), answer.Select(menu, "Meshes"), answer.Default("Which meshes?"), answer.Select(menu, done))
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
	stub := answer.New(t,
		answer.Type("Name", "Prod!"), answer.Type("Name", "taken"), answer.Type("Name", "prod"),
		answer.Default("Which meshes?"), answer.Default(expose), answer.Default(access),
		answer.Select(menu, "Name"), answer.Type("Namespace:", "else.where"), answer.Type("Namespace:", "elsewhere"), answer.Type("Name", "taken"), answer.Type("Name", "prod"),
		answer.Select(menu, done))
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
		"virtual mesh taken already exists in namespace gloo-mesh: choose another name",
		"use lower-case letters, digits and '-', with a letter or digit at both ends and at most 63 characters",
		"virtual mesh taken already exists in namespace elsewhere: choose another name",
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
		{"no meshes", wizard.Catalogue{}, "no mesh found: register a cluster that runs one " +
			"('meshctl cluster register'), read manifests with -f, or name meshes with --mesh"},
		{"all taken", taken, "all meshes already belong to a virtual mesh: istiod-east.gloo-mesh is in other.gloo-mesh, " +
			"istiod-north.gloo-mesh is in other.gloo-mesh, istiod-west.gloo-mesh is in other.gloo-mesh; " +
			"remove one from its virtual mesh first, or change that virtual mesh"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := wizard.VirtualMesh(answer.New(t), tt.known, &wizard.Draft[render.VirtualMeshInput]{})
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
	stub := answer.New(t, answer.Select(revisit, "Meshes"), answer.Mark("Which meshes?", "istiod-north.gloo-mesh"), answer.Select(revisit, "Default access"), answer.Select(access, "Nobody"), answer.Select(revisit, "Done, review it"))
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
		answer.Select(menu, "Trust"), answer.Default("Which root CA do the meshes share?"), answer.Mark("Which root certificate settings do you want to change?", "Lifetime"), answer.Default("Days until"),
		answer.Select(menu, "Gateways"), answer.Select("Which gateways do you want to use?", "Selected gateways"), answer.Default("Which Services are gateways?"), answer.Mark("Which services?", "gateway.istio-system.east"),
		answer.Default("Which gateway address do other clusters use?"), answer.Confirm("Add more gateways?", false),
	)
	for i := range answers {
		t.Run("", func(t *testing.T) {
			t.Parallel()
			cancelled := append(append([]answer.Answer{}, answers[:i]...), answer.Fail("", cli.ErrCancelled))
			err := wizard.VirtualMesh(answer.New(t, cancelled...), bookinfo(), &wizard.Draft[render.VirtualMeshInput]{})
			if !errors.Is(err, cli.ErrCancelled) {
				t.Errorf("cancelling question %d gives %v", i, err)
			}
		})
	}
}

func TestReview(t *testing.T) {
	t.Parallel()
	actions := []wizard.Action{{ID: "save", Label: "Save it", Detail: "to a file"}, {ID: "cancel", Label: "Cancel"}}
	got, err := wizard.Review(answer.New(t, answer.Select("What now?", "Cancel")), actions)
	if err != nil || got != actions[1] {
		t.Errorf("Review gives %v, %v", got, err)
	}
}
