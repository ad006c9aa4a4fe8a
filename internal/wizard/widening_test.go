package wizard_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	answer "github.com/meshctl/meshctl/internal/wizard/wizardtest"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// emptyable is a list in which nothing means something else than an element, and
// the questions that take its last element away.
type emptyable struct {
	name  string
	empty []answer.Answer
	// question is asked then, and without the answer that agrees.
	question, without string
	// revisit answers with a draft that has an element and returns what is left.
	revisit func(p wizard.Prompter) (list any, err error)
	// kept is the list with its element, none without.
	kept, none any
}

const change = "What do you want to change?"

func emptyables() []emptyable {
	reviews := core.DestinationSelector{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{service("reviews", "east")}}}
	access := func(list func(*render.AccessPolicyInput) any) func(wizard.Prompter) (any, error) {
		return func(p wizard.Prompter) (any, error) {
			in := &render.AccessPolicyInput{
				Sources:      []core.IdentitySelector{{KubeIdentityMatcher: &core.KubeIdentityMatcher{Namespaces: []string{"bookinfo"}}}},
				Destinations: []core.DestinationSelector{reviews},
				Paths:        []string{"/api/*"}, Methods: []string{"GET"}, Ports: []uint32{9080},
			}
			err := wizard.RevisitAccessPolicy(p, bookinfo(), &wizard.Draft[render.AccessPolicyInput]{Name: "a", Input: in})
			return list(in), err
		}
	}
	traffic := func(list func(*render.TrafficPolicyInput) any) func(wizard.Prompter) (any, error) {
		return func(p wizard.Prompter) (any, error) {
			in := &render.TrafficPolicyInput{
				Sources:      []core.KubeWorkloadMatcher{{Namespaces: []string{"bookinfo"}}},
				Destinations: []core.DestinationSelector{reviews},
				Ports:        []uint32{9080}, Matchers: []core.HTTPMatcher{{Method: "GET"}}, Timeout: seconds(1),
				Shift: []networkingv1.WeightedDestination{{KubeService: &networkingv1.KubeDestination{
					Name: "reviews", Namespace: "bookinfo", ClusterName: "east", Subset: map[string]string{"version": "v1"},
				}}},
			}
			err := wizard.RevisitTrafficPolicy(p, bookinfo(), &wizard.Draft[render.TrafficPolicyInput]{Name: "a", Input: in})
			return list(in), err
		}
	}
	mesh := func(list func(*render.VirtualMeshInput) any) func(wizard.Prompter) (any, error) {
		return func(p wizard.Prompter) (any, error) {
			in := &render.VirtualMeshInput{
				Meshes:   []core.ObjectRef{mesh("istiod-east"), mesh("istiod-west")},
				Federate: []networkingv1.FederationSelector{{DestinationSelectors: []core.DestinationSelector{reviews}}},
				Gateways: []networkingv1.IngressGatewaySelector{{PortName: to("mtls")}},
			}
			err := wizard.RevisitVirtualMesh(p, bookinfo(), &wizard.Draft[render.VirtualMeshInput]{Name: "a", Input: in})
			return list(in), err
		}
	}
	restrict := func(labels ...string) []answer.Answer {
		return []answer.Answer{answer.Select(change, "Requests"), answer.Default(requests), answer.Mark("Restrict requests by:", labels...)}
	}
	return []emptyable{
		{
			"callers of an access policy",
			[]answer.Answer{answer.Select(change, "Callers"), answer.Default(who), answer.Mark("Which callers do you want to keep?")},
			"No callers left.", "All workloads in the mesh of the service",
			access(func(in *render.AccessPolicyInput) any { return in.Sources }),
			[]core.IdentitySelector{{KubeIdentityMatcher: &core.KubeIdentityMatcher{Namespaces: []string{"bookinfo"}}}},
			[]core.IdentitySelector{},
		},
		{
			"destinations of an access policy",
			[]answer.Answer{answer.Select(change, "Destinations"), answer.Mark("Which destinations do you want to keep?")},
			"No destinations left.", "Every service",
			access(func(in *render.AccessPolicyInput) any { return in.Destinations }),
			[]core.DestinationSelector{reviews},
			[]core.DestinationSelector{},
		},
		{
			"paths of an access policy", restrict("Methods", "Ports"), "Allow every path?", "",
			access(func(in *render.AccessPolicyInput) any { return in.Paths }),
			[]string{"/api/*"},
			[]string{},
		},
		{
			"methods of an access policy", restrict("Paths", "Ports"), "Allow every method?", "",
			access(func(in *render.AccessPolicyInput) any { return in.Methods }),
			[]string{"GET"},
			[]string{},
		},
		{
			"ports of an access policy", restrict("Paths", "Methods"), "Allow every port?", "",
			access(func(in *render.AccessPolicyInput) any { return in.Ports }),
			[]uint32{9080},
			[]uint32{},
		},
		{
			"sources of a traffic policy",
			[]answer.Answer{answer.Select(change, "Sources"), answer.Mark("Which sources do you want to keep?")},
			"No sources left.", "All workloads",
			traffic(func(in *render.TrafficPolicyInput) any { return in.Sources }),
			[]core.KubeWorkloadMatcher{{Namespaces: []string{"bookinfo"}}},
			[]core.KubeWorkloadMatcher{},
		},
		{
			"destinations of a traffic policy",
			[]answer.Answer{answer.Select(change, "Destinations"), answer.Mark("Which destinations do you want to keep?")},
			"No destinations left.", "Every service",
			traffic(func(in *render.TrafficPolicyInput) any { return in.Destinations }),
			[]core.DestinationSelector{reviews},
			[]core.DestinationSelector{},
		},
		{
			"ports of a traffic policy",
			[]answer.Answer{answer.Select(change, "Ports"), answer.Mark("Which ports of the destinations?")},
			"No ports left.", "Every port",
			traffic(func(in *render.TrafficPolicyInput) any { return in.Ports }),
			[]uint32{9080},
			[]uint32{},
		},
		{
			"requests of a traffic policy",
			[]answer.Answer{answer.Select(change, "Requests"), answer.Mark("Which request matchers do you want to keep?")},
			"No request matchers left.", "Every request",
			traffic(func(in *render.TrafficPolicyInput) any { return in.Matchers }),
			[]core.HTTPMatcher{{Method: "GET"}},
			[]core.HTTPMatcher{},
		},
		{
			"versions of a target",
			[]answer.Answer{answer.Select(change, "Shift"), answer.Default("Send requests to:"), answer.Mark("Which versions of reviews.bookinfo.east?")},
			"No versions left.", "All pods of reviews.bookinfo.east",
			traffic(func(in *render.TrafficPolicyInput) any { return in.Shift[0].KubeService.Subset }),
			map[string]string{"version": "v1"},
			map[string]string(nil),
		},
		{
			"federated services",
			[]answer.Answer{answer.Select(change, "Federation"), answer.Default(expose), answer.Mark("Which federated services do you want to keep?")},
			"No federated services left.", "Federate nothing",
			mesh(func(in *render.VirtualMeshInput) any { return in.Federate }),
			[]networkingv1.FederationSelector{{DestinationSelectors: []core.DestinationSelector{reviews}}},
			[]networkingv1.FederationSelector{},
		},
		{
			"gateways",
			[]answer.Answer{answer.Select(change, "Gateways"), answer.Mark("Which gateways do you want to keep?")},
			"No gateways left.", "The default gateways",
			mesh(func(in *render.VirtualMeshInput) any { return in.Gateways }),
			[]networkingv1.IngressGatewaySelector{{PortName: to("mtls")}},
			[]networkingv1.IngressGatewaySelector{},
		},
	}
}

// TestTheLastElementIsNotAssumedAway takes the last element of each list away:
// what is preselected then keeps the list, and only an explicit answer leaves it
// empty.
func TestTheLastElementIsNotAssumedAway(t *testing.T) {
	t.Parallel()
	for _, tt := range emptyables() {
		explicit := answer.Select(tt.question, tt.without)
		if tt.without == "" {
			explicit = answer.Confirm(tt.question, true)
		}
		for _, then := range []struct {
			name   string
			answer answer.Answer
			want   any
		}{{"kept", answer.Default(tt.question), tt.kept}, {"left empty", explicit, tt.none}} {
			t.Run(tt.name+" "+then.name, func(t *testing.T) {
				t.Parallel()
				answers := append(append([]answer.Answer{}, tt.empty...), then.answer)
				rest := &rest{Stub: answer.New(t, answers...), left: len(answers)}
				got, err := tt.revisit(rest)
				if diff := cmp.Diff(then.want, got); err != nil || diff != "" {
					t.Errorf("error %v, list (-want +got):\n%s", err, diff)
				}
			})
		}
	}
}

// rest takes what is preselected once the answers of a stub are used up, goes back
// to the menu where that is not acceptable, and leaves the menu.
type rest struct {
	*answer.Stub
	left    int
	leaving bool
}

func (r *rest) more() bool {
	r.left--
	return r.left >= 0
}

func (r *rest) Select(q wizard.Question, options []wizard.Option, preselected int) (int, error) {
	if r.more() {
		return r.Stub.Select(q, options, preselected)
	}
	switch {
	case q.Text == change:
		return 0, nil
	case r.leaving:
		return 0, wizard.ErrBack
	}
	return preselected, nil
}

func (r *rest) MultiSelect(q wizard.Question, options []wizard.Option, preselected []int) ([]int, error) {
	if r.more() {
		return r.Stub.MultiSelect(q, options, preselected)
	}
	if r.leaving = r.leaving || q.AtLeastOne && len(preselected) == 0; r.leaving {
		return nil, wizard.ErrBack
	}
	return preselected, nil
}

func (r *rest) Input(q wizard.Question, preset string, check func(string) error) (string, error) {
	if r.more() {
		return r.Stub.Input(q, preset, check)
	}
	if r.leaving = r.leaving || check != nil && check(preset) != nil; r.leaving {
		return "", wizard.ErrBack
	}
	return preset, nil
}

func (r *rest) Confirm(q wizard.Question, preset bool) (bool, error) {
	if r.more() {
		return r.Stub.Confirm(q, preset)
	}
	if r.leaving {
		return false, wizard.ErrBack
	}
	return preset, nil
}

// TestOtherElements replaces the last element instead of keeping it.
func TestOtherElements(t *testing.T) {
	t.Parallel()
	in := &render.AccessPolicyInput{
		Sources:      []core.IdentitySelector{{}},
		Destinations: []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{service("reviews", "east")}}}},
	}
	err := wizard.RevisitAccessPolicy(answer.New(t,
		answer.Select(change, "Destinations"), answer.Mark("Which destinations do you want to keep?"), answer.Select("No destinations left.", "Choose other destinations"),
		answer.Select(callWhat, "Services by name"), answer.Mark("Which services?", "ratings.bookinfo.east"), answer.Confirm("Add more destinations?", false),
		answer.Default(change)), bookinfo(), &wizard.Draft[render.AccessPolicyInput]{Name: "a", Input: in})
	want := []core.DestinationSelector{{KubeServiceRefs: &core.KubeServiceRefs{Services: []core.ClusterObjectRef{service("ratings", "east")}}}}
	if diff := cmp.Diff(want, in.Destinations); err != nil || diff != "" {
		t.Errorf("error %v, destinations (-want +got):\n%s", err, diff)
	}
}

// TestLeavingMeshFederatesNoMore takes the mesh away that services were federated
// to: they are not federated to all others instead.
func TestLeavingMeshFederatesNoMore(t *testing.T) {
	t.Parallel()
	everything := networkingv1.FederationSelector{Meshes: []core.ObjectRef{mesh("istiod-east")}}
	both := networkingv1.FederationSelector{Meshes: []core.ObjectRef{mesh("istiod-east"), mesh("istiod-west")}}
	toWest := networkingv1.FederationSelector{Meshes: []core.ObjectRef{mesh("istiod-west")}}
	tests := []struct {
		name     string
		federate []networkingv1.FederationSelector
		answers  []answer.Answer
		want     []networkingv1.FederationSelector
	}{
		{"the only one", []networkingv1.FederationSelector{everything}, nil, []networkingv1.FederationSelector{}},
		{"one of two", []networkingv1.FederationSelector{everything, both}, []answer.Answer{answer.Default("Which federated services"), answer.Default("Add more")}, []networkingv1.FederationSelector{toWest}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := &render.VirtualMeshInput{Meshes: both.Meshes, Federate: tt.federate}
			answers := []answer.Answer{answer.Select(change, "Meshes"), answer.Mark("Which meshes?", "istiod-west.gloo-mesh"), answer.Default(expose)}
			err := wizard.RevisitVirtualMesh(answer.New(t, append(append(answers, tt.answers...), answer.Default(change))...),
				bookinfo(), &wizard.Draft[render.VirtualMeshInput]{Name: "a", Input: in})
			if diff := cmp.Diff(tt.want, in.Federate); err != nil || diff != "" {
				t.Errorf("error %v, federation (-want +got):\n%s", err, diff)
			}
		})
	}
}
