package wizard_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	answer "github.com/meshctl/meshctl/internal/wizard/wizardtest"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

const (
	who       = "Who may call?"
	recognise = "Match callers by:"
	callWhat  = "Which services may they call?"
	requests  = "Which requests are allowed?"
)

type accessTest struct {
	name    string
	answers []answer.Answer
	want    *render.AccessPolicyInput
}

func accessTests() []accessTest {
	named := []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{service("reviews", "west")}}}}
	unrestricted := func(sources []core.IdentitySelector, destinations []core.DestinationSelector) *render.AccessPolicyInput {
		return &render.AccessPolicyInput{Sources: sources, Destinations: destinations, Paths: []string{}, Methods: []string{}, Ports: []uint32{}}
	}
	return []accessTest{
		{
			"one service account to one service",
			[]answer.Answer{
				answer.Type("Name", "readers"), answer.Default(who), answer.Mark(recognise, "Service account"), answer.Mark("Which service accounts?", "productpage.bookinfo.east"), answer.Confirm("Add more callers?", false),
				answer.Default(callWhat), answer.Mark("Which services?", "reviews.bookinfo.west"), answer.Default(requests), answer.Select(menu, done),
			},
			unrestricted([]core.IdentitySelector{{KubeServiceAccountRefs: &core.KubeServiceAccountRefs{ServiceAccounts: []core.ClusterObjectRef{service("productpage", "east")}}}}, named),
		},
		{
			"everybody of the mesh",
			[]answer.Answer{answer.Default("Name"), answer.Select(who, "All workloads in the mesh of the service"), answer.Select(callWhat, "Every service"), answer.Default(requests), answer.Select(menu, done)},
			unrestricted([]core.IdentitySelector{}, []core.DestinationSelector{}),
		},
		{
			"anyone, then chosen callers, who fulfil everything or are alternatives",
			[]answer.Answer{
				answer.Default("Name"), answer.Select(who, "Anyone"), answer.Select(callWhat, "External services by namespace or label"),
				answer.Mark("Match the external services by:", "Label"), answer.Mark("Which labels?", "team=money"), answer.Default(requests),
				answer.Select(menu, "Callers"), answer.Select(who, "Selected callers"),
				answer.Mark(recognise, "Namespace", "Cluster", "JWT principal", "Excluded JWT principal"), answer.Mark("Which namespaces?", "bookinfo"), answer.Mark("Which clusters?", "east", "west"),
				answer.Type("Request principals, ", "a b"), answer.Type("Request principals, ", "issuer/ann, issuer/bob"), answer.Type("Excluded request principals, ISSUER/SUBJECT:", "issuer/eve"),
				answer.Confirm("Add more callers?", true), answer.Mark(recognise, "Client IP", "Excluded client IP"),
				answer.Type("IP addresses or CIDR blocks:", "10.0.0.300"), answer.Type("IP addresses or CIDR blocks:", "10.0.0.0/8"), answer.Type("Excluded IP addresses or CIDR blocks:", "10.1.0.1,fd00::/8"), answer.Confirm("Add more callers?", false),
				answer.Select(menu, done),
			},
			unrestricted([]core.IdentitySelector{
				{
					KubeIdentityMatcher:    &core.KubeIdentityMatcher{Namespaces: []string{"bookinfo"}, Clusters: []string{"east", "west"}},
					RequestIdentityMatcher: &core.RequestIdentityMatcher{RequestPrincipals: []string{"issuer/ann", "issuer/bob"}, NotRequestPrincipals: []string{"issuer/eve"}},
				},
				{RequestIPMatcher: &core.RequestIPMatcher{ForwardedIPs: []string{"10.0.0.0/8"}, NotForwardedIPs: []string{"10.1.0.1", "fd00::/8"}}},
			}, []core.DestinationSelector{{ExternalServiceMatcher: &core.ObjectMatcher{Labels: map[string]string{"team": "money"}}}}),
		},
		{
			"some requests",
			[]answer.Answer{
				answer.Default("Name"), answer.Select(who, "Anyone"), answer.Default(callWhat), answer.Mark("Which services?", "reviews.bookinfo.west"),
				answer.Select(requests, "Some requests"), answer.Mark("Restrict requests by:", "Paths", "Methods", "Ports"),
				answer.Type("Paths", "api"), answer.Type("Paths", "/a/*/b"), answer.Type("Paths", "/api/*, *.png"), answer.Mark("Which methods?", "GET", "HEAD"), answer.Mark("Which ports of the destinations?", "9090"),
				answer.Select(menu, done),
			},
			&render.AccessPolicyInput{
				Sources: []core.IdentitySelector{{}}, Destinations: named,
				Paths: []string{"/api/*", "*.png"}, Methods: []string{"GET", "HEAD"}, Ports: []uint32{9090},
			},
		},
		{
			"destinations of all kinds",
			[]answer.Answer{
				answer.Default("Name"), answer.Select(who, "Anyone"), answer.Default(callWhat), answer.Mark("Which services?", "reviews.bookinfo.west", "payments.shop"), answer.Default(requests),
				answer.Select(menu, "Destinations"), answer.Default("Which destinations do you want to keep?"), answer.Confirm("Add more destinations?", true),
				answer.Select(callWhat, "Services by namespace, cluster or label"), answer.Mark("Match the services by:", "Namespace", "Cluster", "Label"),
				answer.Mark("Which namespaces?", "bookinfo"), answer.Mark("Which clusters?", "east"), answer.Mark("Which labels?", "app=ratings"), answer.Confirm("Add more destinations?", true),
				answer.Select(callWhat, "External services by namespace or label"), answer.Mark("Match the external services by:", "Namespace"), answer.Mark("Which namespaces?", "shop"), answer.Confirm("Add more destinations?", false),
				answer.Select(menu, done),
			},
			unrestricted([]core.IdentitySelector{{}}, []core.DestinationSelector{
				named[0],
				{ExternalServiceRefs: &core.ExternalServiceRefs{ExternalServices: []core.ObjectRef{{Name: "payments", Namespace: "shop"}}}},
				{KubeServiceMatcher: &core.KubeServiceMatcher{Namespaces: []string{"bookinfo"}, Clusters: []string{"east"}, Labels: map[string]string{"app": "ratings"}}},
				{ExternalServiceMatcher: &core.ObjectMatcher{Namespaces: []string{"shop"}}},
			}),
		},
	}
}

func TestAccessPolicy(t *testing.T) {
	t.Parallel()
	for _, tt := range accessTests() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			draft := &wizard.Draft[render.AccessPolicyInput]{}
			if err := wizard.AccessPolicy(answer.New(t, tt.answers...), bookinfo(), draft); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, draft.Input); diff != "" {
				t.Errorf("input (-want +got):\n%s", diff)
			}
		})
	}
}

// TestAccessPolicyGiven shows that nothing is asked about what flags gave, and
// what the menu says then.
func TestAccessPolicyGiven(t *testing.T) {
	t.Parallel()
	draft := &wizard.Draft[render.AccessPolicyInput]{
		Name: "readers", Namespace: "meshes",
		Input: &render.AccessPolicyInput{
			Sources: []core.IdentitySelector{{
				KubeServiceAccountRefs: &core.KubeServiceAccountRefs{ServiceAccounts: []core.ClusterObjectRef{{Name: "any", Namespace: "where"}}},
				RequestIPMatcher:       &core.RequestIPMatcher{NotForwardedIPs: []string{"::1"}},
			}, {}},
			Destinations: []core.DestinationSelector{{KubeServiceMatcher: &core.KubeServiceMatcher{}}, {}},
			Methods:      []string{"GET"},
		},
	}
	stub := answer.New(t, answer.Select(menu, done))
	if err := wizard.AccessPolicy(stub, bookinfo(), draft); err != nil {
		t.Fatal(err)
	}
	want := []wizard.Option{
		{Label: done},
		{Label: "Name", Detail: "readers, in namespace meshes"},
		{Label: "Callers", Detail: "service account any.where and not client IP ::1; anyone"},
		{Label: "Destinations", Detail: "every service; nothing"},
		{Label: "Requests", Detail: "methods GET"},
	}
	if diff := cmp.Diff(want, stub.Screens()[0].Options); diff != "" {
		t.Errorf("menu (-want +got):\n%s", diff)
	}
}
