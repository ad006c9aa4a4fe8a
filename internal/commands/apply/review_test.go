package apply

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/wizard/wizardtest"
	"github.com/meshctl/meshctl/internal/world"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// member is as much of the API server of a cluster as planning takes.
type member struct {
	mu      sync.Mutex
	objects []*unstructured.Unstructured
}

func (m *member) connect(t *testing.T, name string) *kube.Connection {
	t.Helper()
	server := httptest.NewServer(m)
	t.Cleanup(server.Close)
	return kube.New(name, kube.SourceContext, &rest.Config{Host: server.URL}, kube.Options{RequestTimeout: time.Minute})
}

// ServeHTTP implements http.Handler.
func (m *member) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	m.mu.Lock()
	defer m.mu.Unlock()
	parts := strings.Split(strings.Trim(r.URL.Path, "/"), "/")
	version := strings.Join(parts[1:3], "/")
	resourceOf := func(kind string) string { return strings.ReplaceAll(strings.ToLower(kind)+"s", "ys", "ies") }
	var answer any
	switch len(parts) {
	case 3:
		list := metav1.APIResourceList{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "APIResourceList"}, GroupVersion: version}
		for _, kind := range istio.Kinds() {
			if kind.APIVersion() == version {
				list.APIResources = append(list.APIResources, metav1.APIResource{Name: resourceOf(string(kind)), Namespaced: true, Kind: string(kind)})
			}
		}
		answer = list
	case 4:
		list := map[string]any{"metadata": map[string]any{}, "apiVersion": version}
		items := []any{}
		for _, kind := range istio.Kinds() {
			if resourceOf(string(kind)) == parts[3] {
				list["kind"] = string(kind) + "List"
			}
		}
		for _, object := range m.objects {
			if resourceOf(object.GetKind()) == parts[3] {
				items = append(items, object.Object)
			}
		}
		if list["items"] = items; strings.Contains(r.Header.Get("Accept"), "as=PartialObjectMetadataList;") {
			list["apiVersion"], list["kind"] = "meta.k8s.io/v1", "PartialObjectMetadataList"
		}
		answer = list
	default:
		w.WriteHeader(http.StatusNotFound)
		answer = metav1.Status{
			TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure, Code: http.StatusNotFound, Reason: metav1.StatusReasonNotFound,
			Details: &metav1.StatusDetails{Name: parts[len(parts)-1], Kind: parts[len(parts)-2]},
		}
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(answer)
}

// bookinfo returns the bundled world with the changes.
func bookinfo(t *testing.T, change func(*world.Objects)) *world.World {
	t.Helper()
	files := cmdutil.WorldFlags{Filenames: []string{"../../../testdata/worlds/bookinfo-two-clusters"}, Recursive: true}
	objects, err := files.Load(t.Context(), world.DefaultNamespace, strings.NewReader(""))
	if err != nil {
		t.Fatal(err)
	}
	kept := []string{"reviews-to-ratings-east", "productpage-to-details"}
	objects.AccessPolicies = slices.DeleteFunc(objects.AccessPolicies, func(p world.Object[networkingv1.AccessPolicy]) bool { return !slices.Contains(kept, p.Resource.Name) })
	objects.TrafficPolicies = nil
	change(&objects)
	return world.New(objects)
}

// screen is a prompter whose questions are part of what is shown.
type screen struct {
	wizard.Prompter
	streams *cli.Streams
}

// Confirm implements wizard.Prompter.
func (s screen) Confirm(question wizard.Question, preset bool) (bool, error) {
	agreed, err := s.Prompter.Confirm(question, preset)
	answer := map[bool]string{true: "Yes", false: "No"}[agreed]
	s.streams.Say("? %s %s", question.Text, answer)
	return agreed, err
}

// TestLossesAreConfirmed holds in which order protection is given up, and that
// what was accepted is not asked about again, but everything else is.
func TestLossesAreConfirmed(t *testing.T) {
	t.Parallel()
	open := func(o *world.Objects) {
		o.VirtualMeshes[0].Resource.Spec.GlobalAccessPolicy = networkingv1.GlobalAccessPolicyDisabled
	}
	breakPolicy := func(o *world.Objects, name string) {
		for i := range o.AccessPolicies {
			if o.AccessPolicies[i].Resource.Name == name {
				o.AccessPolicies[i].Errors = []string{"spec.allowedPorts[0]: must be a number"}
			}
		}
	}
	without := func(o *world.Objects, name string) {
		o.AccessPolicies = slices.DeleteFunc(o.AccessPolicies, func(p world.Object[networkingv1.AccessPolicy]) bool { return p.Resource.Name == name })
	}
	permissive := func(o *world.Objects) {
		o.VirtualMeshes[0].Resource.Spec.Federation.TLSEnforcementSettings = nil
	}
	same := func(*world.Objects) {}
	for name, tt := range map[string]struct {
		before, after func(*world.Objects)
		answers       []wizardtest.Answer
		err           error
		want          string
	}{
		"held and explicit": {
			before: open,
			after: func(o *world.Objects) {
				open(o)
				breakPolicy(o, "reviews-to-ratings-east")
				without(o, "productpage-to-details")
			},
			answers: []wizardtest.Answer{
				wizardtest.Confirm("Remove the protection", true), wizardtest.Confirm("This removes protection", true), wizardtest.Confirm("Apply these changes", true),
			},
			want: `error: cannot delete AuthorizationPolicy ratings in bookinfo on cluster east: it protects workloads, and its source AccessPolicy/reviews-to-ratings-east.gloo-mesh is INVALID: spec.allowedPorts[0]: must be a number: fix it, or pass --accept-loss to remove the protection
? Remove the protection of 1 object anyway? Yes
warning: not rendered: AccessPolicy/reviews-to-ratings-east.gloo-mesh: spec.allowedPorts[0]: must be a number
CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        2        0          17
west      0        0        1        0          17

east:
  - AuthorizationPolicy bookinfo/details
  - AuthorizationPolicy bookinfo/ratings

west:
  - AuthorizationPolicy bookinfo/details

warning: this removes protection:
  east: callers are no longer restricted (AuthorizationPolicy bookinfo/details)
  east: callers are no longer restricted (AuthorizationPolicy bookinfo/ratings)
  west: callers are no longer restricted (AuthorizationPolicy bookinfo/details)
? This removes protection (2 more objects). Continue? Yes
? Apply these changes to 2 clusters? Yes
`,
		},
		"held, which is kept, and explicit": {
			before: open,
			after: func(o *world.Objects) {
				open(o)
				breakPolicy(o, "reviews-to-ratings-east")
				without(o, "productpage-to-details")
			},
			answers: []wizardtest.Answer{
				wizardtest.Confirm("Remove the protection", false), wizardtest.Confirm("This removes protection", false),
			},
			err: cli.ErrCancelled,
			want: `error: cannot delete AuthorizationPolicy ratings in bookinfo on cluster east: it protects workloads, and its source AccessPolicy/reviews-to-ratings-east.gloo-mesh is INVALID: spec.allowedPorts[0]: must be a number: fix it, or pass --accept-loss to remove the protection
? Remove the protection of 1 object anyway? No
warning: not rendered: AccessPolicy/reviews-to-ratings-east.gloo-mesh: spec.allowedPorts[0]: must be a number
CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        1        1          17
west      0        0        1        0          17

east:
  - AuthorizationPolicy bookinfo/details
  ! AuthorizationPolicy bookinfo/ratings

west:
  - AuthorizationPolicy bookinfo/details

warning: this removes protection:
  east: callers are no longer restricted (AuthorizationPolicy bookinfo/details)
  west: callers are no longer restricted (AuthorizationPolicy bookinfo/details)
error: cannot delete AuthorizationPolicy ratings in bookinfo on cluster east: it protects workloads, and its source AccessPolicy/reviews-to-ratings-east.gloo-mesh is INVALID: spec.allowedPorts[0]: must be a number: fix it, or pass --accept-loss to remove the protection
? This removes protection (2 objects). Continue? No
`,
		},
		"only held": {
			before: open,
			after: func(o *world.Objects) {
				open(o)
				breakPolicy(o, "reviews-to-ratings-east")
			},
			answers: []wizardtest.Answer{wizardtest.Confirm("Remove the protection", true), wizardtest.Confirm("Apply these changes", true)},
			want: `error: cannot delete AuthorizationPolicy ratings in bookinfo on cluster east: it protects workloads, and its source AccessPolicy/reviews-to-ratings-east.gloo-mesh is INVALID: spec.allowedPorts[0]: must be a number: fix it, or pass --accept-loss to remove the protection
? Remove the protection of 1 object anyway? Yes
warning: not rendered: AccessPolicy/reviews-to-ratings-east.gloo-mesh: spec.allowedPorts[0]: must be a number
CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        1        0          18
west      0        0        0        0          18

east:
  - AuthorizationPolicy bookinfo/ratings

warning: this removes protection:
  east: callers are no longer restricted (AuthorizationPolicy bookinfo/ratings)
? Apply these changes to 1 cluster? Yes
`,
		},
		"held, which protects nothing where calls are denied, and explicit": {
			before: same,
			after: func(o *world.Objects) {
				breakPolicy(o, "productpage-to-details")
				permissive(o)
			},
			answers: []wizardtest.Answer{
				wizardtest.Confirm("Remove the protection", true), wizardtest.Confirm("This removes protection", true), wizardtest.Confirm("Apply these changes", true),
			},
			want: `error: cannot delete AuthorizationPolicy details in bookinfo on cluster east: it protects workloads, and its source AccessPolicy/productpage-to-details.gloo-mesh is INVALID: spec.allowedPorts[0]: must be a number: fix it, or pass --accept-loss to remove the protection
error: cannot delete AuthorizationPolicy details in bookinfo on cluster west: it protects workloads, and its source AccessPolicy/productpage-to-details.gloo-mesh is INVALID: spec.allowedPorts[0]: must be a number: fix it, or pass --accept-loss to remove the protection
? Remove the protection of 2 objects anyway? Yes
warning: not rendered: AccessPolicy/productpage-to-details.gloo-mesh: spec.allowedPorts[0]: must be a number
CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        2        0          19
west      0        0        2        0          18

east:
  - AuthorizationPolicy bookinfo/details
  - PeerAuthentication istio-system/default

west:
  - AuthorizationPolicy bookinfo/details
  - PeerAuthentication istio-system/default

warning: this removes protection:
  east: mutual TLS is no longer enforced as strictly (PeerAuthentication istio-system/default)
  west: mutual TLS is no longer enforced as strictly (PeerAuthentication istio-system/default)
? This removes protection (2 more objects). Continue? Yes
? Apply these changes to 2 clusters? Yes
`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			east, west := &member{}, &member{}
			in := rollout.Input{Members: map[string]*kube.Connection{"east": east.connect(t, "east"), "west": west.connect(t, "west")}, Complete: true}
			in.World = bookinfo(t, tt.before)
			first, err := rollout.NewPlan(t.Context(), in, rollout.Options{Namespace: world.DefaultNamespace})
			if err != nil {
				t.Fatal(err)
			}
			for i, m := range []*member{east, west} {
				for k := range first.Clusters[i].Changes {
					object, err := first.Clusters[i].Changes[k].After()
					if err != nil {
						t.Fatal(err)
					}
					m.objects = append(m.objects, object)
				}
			}
			in.World = bookinfo(t, tt.after)
			streams, out, errOut := cli.Test("")
			stub := wizardtest.New(t, tt.answers...)
			a := &applyRun{options: &options{
				streams: streams, namespace: world.DefaultNamespace, prune: true, verbosity: func() int { return 0 },
				dryRun: cmdutil.NewEnumValue("none", "none"), output: cmdutil.NewOutput(output.FormatTable), timeout: time.Minute,
				prompter: func(context.Context) wizard.Prompter { return screen{stub, streams} },
			}}
			if err := a.review(t.Context(), in); !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			if diff := cmp.Diff(tt.want, out.String()+errOut.String()); diff != "" {
				t.Errorf("screen (-want +got):\n%s", diff)
			}
		})
	}
}
