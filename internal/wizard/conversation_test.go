package wizard_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/render"
	"github.com/meshctl/meshctl/internal/wizard"
	answer "github.com/meshctl/meshctl/internal/wizard/wizardtest"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// talk is a conversation of one of the flows.
type talk struct {
	name    string
	answers []answer.Answer
	// hold asks with a new draft and returns what became of it.
	hold func(p wizard.Prompter) (draft any, err error)
}

// talks are the conversations that the tests of the flows have.
func talks() []talk {
	var all []talk
	for _, tt := range virtualMeshTests() {
		all = append(all, talk{"virtualmesh/" + tt.name, tt.answers, holding(wizard.VirtualMesh)})
	}
	for _, tt := range trafficTests() {
		all = append(all, talk{"trafficpolicy/" + tt.name, tt.answers, holding(wizard.TrafficPolicy)})
	}
	for _, tt := range accessTests() {
		all = append(all, talk{"accesspolicy/" + tt.name, tt.answers, holding(wizard.AccessPolicy)})
	}
	return all
}

func holding[I any](ask func(wizard.Prompter, wizard.Catalogue, *wizard.Draft[I]) error) func(wizard.Prompter) (any, error) {
	return func(p wizard.Prompter) (any, error) {
		draft := &wizard.Draft[I]{}
		err := ask(p, bookinfo(), draft)
		return draft, err
	}
}

// run holds the conversation without a step back. It returns the draft, and for
// each question the place of its accepted answer.
func (tt talk) run(t *testing.T) (want any, screens []answer.Screen, accepted []int) {
	t.Helper()
	stub := answer.New(t, tt.answers...)
	want, err := tt.hold(stub)
	if err != nil {
		t.Fatal(err)
	}
	for i, s := range stub.Screens() {
		if s.Problem == "" {
			accepted = append(accepted, i)
		}
	}
	return want, stub.Screens(), accepted
}

// TestBackFromEveryQuestion goes back from every question of every conversation
// and confirms the question before with what was answered to it. Nothing else is
// asked again, and the resource is the same.
func TestBackFromEveryQuestion(t *testing.T) {
	t.Parallel()
	for _, tt := range talks() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want, screens, accepted := tt.run(t)
			for i, at := range accepted[1:] {
				before := screens[accepted[i]].Question.Text
				answers := slices.Concat(tt.answers[:accepted[i]+1],
					[]answer.Answer{answer.Back(screens[at].Question.Text), answer.Default(before)},
					tt.answers[accepted[i]+1:])
				got, err := tt.hold(answer.New(t, answers...))
				if diff := cmp.Diff(want, got, sameDraft()); err != nil || diff != "" {
					t.Errorf("back from question %d, %q: error %v, draft (-want +got):\n%s", i+1, screens[at].Question.Text, err, diff)
				}
			}
		})
	}
}

// TestBackToTheStart goes back from the last question to the first, and confirms
// all that was answered.
func TestBackToTheStart(t *testing.T) {
	t.Parallel()
	for _, tt := range talks() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want, screens, accepted := tt.run(t)
			answers := slices.Clone(tt.answers[:len(tt.answers)-1])
			for _, at := range slices.Backward(accepted[1:]) {
				answers = append(answers, answer.Back(screens[at].Question.Text))
			}
			for _, at := range accepted[:len(accepted)-1] {
				answers = append(answers, answer.Default(screens[at].Question.Text))
			}
			stub := answer.New(t, append(answers, tt.answers[len(tt.answers)-1])...)
			got, err := tt.hold(stub)
			if diff := cmp.Diff(want, got, sameDraft()); err != nil || diff != "" {
				t.Errorf("error %v, draft (-want +got):\n%s", err, diff)
			}
			for _, s := range stub.Screens() {
				if s.Question.Back == (s.Question.Text == screens[0].Question.Text) {
					t.Errorf("%q can be gone back from: %t", s.Question.Text, s.Question.Back)
				}
			}
		})
	}
}

// TestInterruptedAnywhere interrupts every question of every conversation: the
// draft has whole parts only, and is a resource that can be saved.
func TestInterruptedAnywhere(t *testing.T) {
	t.Parallel()
	for _, tt := range talks() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, screens, accepted := tt.run(t)
			for i, at := range accepted {
				start := 0
				if i > 0 {
					start = accepted[i-1] + 1
				}
				draft, err := tt.hold(answer.New(t, append(slices.Clone(tt.answers[:start]), answer.Fail(screens[at].Question.Text, cli.ErrCancelled))...))
				var interrupted *wizard.Interrupted
				if !errors.Is(err, cli.ErrCancelled) || !errors.As(err, &interrupted) || interrupted.Answers != i {
					t.Fatalf("question %d: error %v with %+v", i, err, interrupted)
				}
				if err := build(draft); err != nil {
					t.Errorf("question %d, %q: the draft is no resource: %v", i, screens[at].Question.Text, err)
				}
			}
		})
	}
}

// build makes the resource of a draft.
func build(draft any) error {
	switch d := draft.(type) {
	case *wizard.Draft[render.VirtualMeshInput]:
		_, err := render.VirtualMesh().Build(render.Meta{Name: d.Name, Namespace: d.Namespace}, d.Input, nil)
		return err
	case *wizard.Draft[render.TrafficPolicyInput]:
		_, err := render.TrafficPolicy().Build(render.Meta{Name: d.Name, Namespace: d.Namespace}, d.Input, nil)
		return err
	case *wizard.Draft[render.AccessPolicyInput]:
		_, err := render.AccessPolicy().Build(render.Meta{Name: d.Name, Namespace: d.Namespace}, d.Input, nil)
		return err
	default:
		return fmt.Errorf("unknown draft %T", draft)
	}
}

func sameDraft() cmp.Option {
	return cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Given" }, cmp.Ignore())
}

// TestInterruptedDraft is about what an interrupted conversation leaves.
func TestInterruptedDraft(t *testing.T) {
	t.Parallel()
	draft := &wizard.Draft[render.AccessPolicyInput]{Given: func(flag string) bool { return flag == "method" }, Input: &render.AccessPolicyInput{Methods: []string{"GET"}}}
	err := wizard.AccessPolicy(answer.New(t,
		answer.Type("Name", "readers"), answer.Default(who), answer.Mark(recognise, "Service account"), answer.Mark("Which service accounts?", "productpage.bookinfo.east"), answer.Confirm("Add more callers?", false),
		answer.Default(callWhat), answer.Fail("Which services?", cli.ErrCancelled)), bookinfo(), draft)
	var interrupted *wizard.Interrupted
	if !errors.As(err, &interrupted) {
		t.Fatalf("error %v", err)
	}
	if diff := cmp.Diff(&wizard.Interrupted{Answers: 6, Open: []string{"Destinations"}}, interrupted); diff != "" {
		t.Errorf("interrupted (-want +got):\n%s", diff)
	}
	want := &render.AccessPolicyInput{
		Sources: []core.IdentitySelector{{KubeServiceAccountRefs: &core.KubeServiceAccountRefs{ServiceAccounts: []core.ClusterObjectRef{service("productpage", "east")}}}},
		Methods: []string{"GET"},
	}
	if diff := cmp.Diff(want, draft.Input); diff != "" || draft.Name != "readers" {
		t.Errorf("draft %s (-want +got):\n%s", draft.Name, diff)
	}
}

// TestBackTakesChangesBack goes back after something was cleared and from the
// menu of a finished draft.
func TestBackTakesChangesBack(t *testing.T) {
	t.Parallel()
	input := func() *render.TrafficPolicyInput {
		return &render.TrafficPolicyInput{
			Sources: []core.KubeWorkloadMatcher{}, Destinations: []core.DestinationSelector{},
			Timeout: seconds(3), RetryAttempts: to(int32(2)),
		}
	}
	draft := &wizard.Draft[render.TrafficPolicyInput]{Name: "slow", Namespace: "gloo-mesh", Input: input()}
	err := wizard.RevisitTrafficPolicy(answer.New(t,
		answer.Select("What do you want to change?", "Settings"), answer.Mark(effect, "Fault"), // clears the others
		answer.Back("Which fault?"), answer.Back(effect), answer.Back("What do you want to change?"),
	), bookinfo(), draft)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(input(), draft.Input); diff != "" {
		t.Errorf("input (-want +got):\n%s", diff)
	}
}

// TestAnotherCourse goes back and answers something else: what belonged to the
// other course is not proposed.
func TestAnotherCourse(t *testing.T) {
	t.Parallel()
	draft := &wizard.Draft[render.AccessPolicyInput]{}
	stub := answer.New(t,
		answer.Type("Name", "readers"), answer.Select(who, "Selected callers"), answer.Mark(recognise, "Cluster"), answer.Mark("Which clusters?", "west"),
		answer.Back("Add more callers?"), answer.Back("Which clusters?"), answer.Mark(recognise, "Namespace"), answer.Mark("Which namespaces?", "bookinfo"), answer.Confirm("Add more callers?", true),
		answer.Mark(recognise, "Cluster"), answer.Mark("Which clusters?", "east"), answer.Confirm("Add more callers?", false),
		answer.Select(callWhat, "Every service"), answer.Default(requests), answer.Select(menu, done))
	if err := wizard.AccessPolicy(stub, bookinfo(), draft); err != nil {
		t.Fatal(err)
	}
	want := []core.IdentitySelector{
		{KubeIdentityMatcher: &core.KubeIdentityMatcher{Namespaces: []string{"bookinfo"}}},
		{KubeIdentityMatcher: &core.KubeIdentityMatcher{Clusters: []string{"east"}}},
	}
	if diff := cmp.Diff(want, draft.Input.Sources); diff != "" {
		t.Errorf("sources (-want +got):\n%s", diff)
	}
	var proposed [][]int
	for _, s := range stub.Screens() {
		if s.Question.Text == "Which clusters?" {
			proposed = append(proposed, s.Preselected)
		}
	}
	if diff := cmp.Diff([][]int{nil, {2}, nil}, proposed); diff != "" {
		t.Errorf("proposed clusters (-want +got):\n%s", diff)
	}
}
