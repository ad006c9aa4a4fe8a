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
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/cli"
	"github.com/meshctl/meshctl/internal/commands/cmdutil"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/output"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/render/istio"
	"github.com/meshctl/meshctl/internal/rollout"
	"github.com/meshctl/meshctl/internal/wizard"
	"github.com/meshctl/meshctl/internal/wizard/wizardtest"
	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	discoveryv1 "github.com/meshctl/meshctl/pkg/api/discovery/v1"
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

// recorded returns a world in whose statuses the one before is recorded as applied last.
func recorded(t *testing.T, before, after *world.World) *world.World {
	t.Helper()
	applied := policy.Evaluate(before)
	for i := range after.Meshes {
		m := after.Meshes[i].Resource
		m.UID = types.UID(m.Name)
		if vm := applied.Meshes[i].VirtualMesh; vm != nil {
			m.Status.AppliedVirtualMesh = &discoveryv1.AppliedVirtualMesh{
				Ref: &core.ObjectRef{Name: vm.Resource.Name, Namespace: vm.Resource.Namespace}, Spec: &vm.Resource.Spec,
			}
		}
	}
	for i := range after.Destinations {
		status := &after.Destinations[i].Resource.Status
		for _, rule := range applied.RulesOf(i) {
			p := applied.AccessPolicies[rule.Policy].Resource
			status.AppliedAccessPolicies = append(status.AppliedAccessPolicies, discoveryv1.AppliedAccessPolicy{
				Ref: &core.ObjectRef{Name: p.Name, Namespace: p.Namespace}, Spec: &p.Spec,
			})
		}
	}
	return after
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
	incoherent := func(o *world.Objects) { // with the Settings, by which clients use mutual TLS
		open(o)
		o.VirtualMeshes[0].Resource.Spec.Federation.TLSEnforcementSettings.EnforcementMode = networkingv1.EnforcementModeDisable
	}
	withoutRules := func(o *world.Objects) {
		incoherent(o)
		without(o, "productpage-to-details")
	}
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
			want: `warning: not rendered: AccessPolicy/reviews-to-ratings-east.gloo-mesh: spec.allowedPorts[0]: must be a number
Behaviour:
  warning: the rules about who may call ratings.bookinfo.east stay in effect, because protection is held back
  warning: details-v1.bookinfo.east, details-v1.bookinfo.west and 7 more will be allowed to call details.bookinfo.east and details.bookinfo.west: no AccessPolicy is effective there now

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
? Remove the protection of 1 object anyway? Yes
Without that protection, the plan is:
Behaviour:
  warning: details-v1.bookinfo.east, details-v1.bookinfo.west and 7 more will be allowed to call details.bookinfo.east and details.bookinfo.west: no AccessPolicy is effective there now
  warning: details-v1.bookinfo.east, details-v1.bookinfo.west and 7 more will be allowed to call ratings.bookinfo.east: no AccessPolicy is effective there now
  warning: reviews-v1.bookinfo.east and reviews-v2.bookinfo.east will be allowed every request to ratings.bookinfo.east: no AccessPolicy is effective there now

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
			want: `warning: not rendered: AccessPolicy/reviews-to-ratings-east.gloo-mesh: spec.allowedPorts[0]: must be a number
Behaviour:
  warning: the rules about who may call ratings.bookinfo.east stay in effect, because protection is held back
  warning: details-v1.bookinfo.east, details-v1.bookinfo.west and 7 more will be allowed to call details.bookinfo.east and details.bookinfo.west: no AccessPolicy is effective there now

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
? Remove the protection of 1 object anyway? No
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
			want: `warning: not rendered: AccessPolicy/reviews-to-ratings-east.gloo-mesh: spec.allowedPorts[0]: must be a number
Behaviour:
  warning: the rules about who may call ratings.bookinfo.east stay in effect, because protection is held back

CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        0        1          18
west      0        0        0        0          18

east:
  ! AuthorizationPolicy bookinfo/ratings
error: cannot delete AuthorizationPolicy ratings in bookinfo on cluster east: it protects workloads, and its source AccessPolicy/reviews-to-ratings-east.gloo-mesh is INVALID: spec.allowedPorts[0]: must be a number: fix it, or pass --accept-loss to remove the protection
? Remove the protection of 1 object anyway? Yes
Without that protection, the plan is:
Behaviour:
  warning: details-v1.bookinfo.east, details-v1.bookinfo.west and 7 more will be allowed to call ratings.bookinfo.east: no AccessPolicy is effective there now
  warning: reviews-v1.bookinfo.east and reviews-v2.bookinfo.east will be allowed every request to ratings.bookinfo.east: no AccessPolicy is effective there now

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
			want: `warning: not rendered: AccessPolicy/productpage-to-details.gloo-mesh: spec.allowedPorts[0]: must be a number
Behaviour:
  warning: the rules about who may call details.bookinfo.east and details.bookinfo.west stay in effect, because protection is held back

CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        1        1          19
west      0        0        1        1          18

east:
  ! AuthorizationPolicy bookinfo/details
  - PeerAuthentication istio-system/default

west:
  ! AuthorizationPolicy bookinfo/details
  - PeerAuthentication istio-system/default

warning: this removes protection:
  east: mutual TLS is no longer enforced as strictly (PeerAuthentication istio-system/default)
  west: mutual TLS is no longer enforced as strictly (PeerAuthentication istio-system/default)
error: cannot delete 2 objects in clusters east, west: each protects workloads, and its source AccessPolicy/productpage-to-details.gloo-mesh is INVALID: spec.allowedPorts[0]: must be a number: fix it, or pass --accept-loss to remove the protection
  AuthorizationPolicy details in bookinfo
? Remove the protection of 2 objects anyway? Yes
Without that protection, the plan is:
Behaviour:
  warning: productpage-v1.bookinfo.east and productpage-v1.bookinfo.west will no longer be allowed to call details.bookinfo.east and details.bookinfo.west: VirtualMesh bookinfo.gloo-mesh denies by default (globalAccessPolicy ENABLED)

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
		"a virtual mesh that becomes INVALID, and is kept": {
			before: same, after: incoherent, answers: []wizardtest.Answer{wizardtest.Confirm("Remove the protection", false), wizardtest.Confirm("Apply these changes", false)},
			err: cli.ErrCancelled,
			want: `warning: not rendered: VirtualMesh/bookinfo.gloo-mesh: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL
Behaviour:
  warning: callers that no AccessPolicy allows stay denied in clusters east, west, because protection is held back
  warning: servers go on enforcing mutual TLS as before in clusters east, west, because protection is held back
  error: VirtualMesh bookinfo.gloo-mesh: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL (MC0208)
  warning: mesh istiod-istio-system-east.gloo-mesh leaves VirtualMesh bookinfo.gloo-mesh and is in no VirtualMesh
  warning: mesh istiod-istio-system-west.gloo-mesh leaves VirtualMesh bookinfo.gloo-mesh and is in no VirtualMesh
  warning: 5 destinations of mesh istiod-istio-system-east.gloo-mesh are no longer exposed to mesh istiod-istio-system-west.gloo-mesh: its workloads can no longer reach them
  warning: 5 destinations of mesh istiod-istio-system-west.gloo-mesh are no longer exposed to mesh istiod-istio-system-east.gloo-mesh: its workloads can no longer reach them

CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        11       3          7
west      0        0        11       3          6

east:
  ! AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  ! AuthorizationPolicy istio-system/global-access-control
  - DestinationRule istio-system/details-bookinfo-west
  - DestinationRule istio-system/istio-ingressgateway-istio-system-west
  - DestinationRule istio-system/productpage-bookinfo-west
  - DestinationRule istio-system/ratings-bookinfo-west
  - DestinationRule istio-system/reviews-bookinfo-west
  - Gateway istio-system/istio-ingressgateway-istio-system-east-gloo-mesh
  ! PeerAuthentication istio-system/default
  - ServiceEntry istio-system/details.bookinfo.svc.west.global
  - ServiceEntry istio-system/istio-ingressgateway.istio-system.svc.west.global
  - ServiceEntry istio-system/productpage.bookinfo.svc.west.global
  - ServiceEntry istio-system/ratings.bookinfo.svc.west.global
  - ServiceEntry istio-system/reviews.bookinfo.svc.west.global

west:
  ! AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  ! AuthorizationPolicy istio-system/global-access-control
  - DestinationRule istio-system/details-bookinfo-east
  - DestinationRule istio-system/istio-ingressgateway-istio-system-east
  - DestinationRule istio-system/productpage-bookinfo-east
  - DestinationRule istio-system/ratings-bookinfo-east
  - DestinationRule istio-system/reviews-bookinfo-east
  - Gateway istio-system/istio-ingressgateway-istio-system-west-gloo-mesh
  ! PeerAuthentication istio-system/default
  - ServiceEntry istio-system/details.bookinfo.svc.east.global
  - ServiceEntry istio-system/istio-ingressgateway.istio-system.svc.east.global
  - ServiceEntry istio-system/productpage.bookinfo.svc.east.global
  - ServiceEntry istio-system/ratings.bookinfo.svc.east.global
  - ServiceEntry istio-system/reviews.bookinfo.svc.east.global

warning: federation of VirtualMesh/bookinfo.gloo-mesh ends in clusters east, west: 22 objects are deleted because it is INVALID
error: cannot delete 6 objects in clusters east, west: each protects workloads, and its source VirtualMesh/bookinfo.gloo-mesh is INVALID: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL: fix it, or pass --accept-loss to remove the protection
  AuthorizationPolicy allow-ingress-gateway-istio-ingressgateway in istio-system, AuthorizationPolicy global-access-control in istio-system, PeerAuthentication default in istio-system
? Remove the protection of 6 objects anyway? No
? Apply these changes to 2 clusters? No
`,
		},
		"a virtual mesh that becomes INVALID": {
			before: same, after: incoherent, answers: []wizardtest.Answer{wizardtest.Confirm("Remove the protection", true), wizardtest.Confirm("Apply these changes", false)},
			err: cli.ErrCancelled,
			want: `warning: not rendered: VirtualMesh/bookinfo.gloo-mesh: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL
Behaviour:
  warning: callers that no AccessPolicy allows stay denied in clusters east, west, because protection is held back
  warning: servers go on enforcing mutual TLS as before in clusters east, west, because protection is held back
  error: VirtualMesh bookinfo.gloo-mesh: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL (MC0208)
  warning: mesh istiod-istio-system-east.gloo-mesh leaves VirtualMesh bookinfo.gloo-mesh and is in no VirtualMesh
  warning: mesh istiod-istio-system-west.gloo-mesh leaves VirtualMesh bookinfo.gloo-mesh and is in no VirtualMesh
  warning: 5 destinations of mesh istiod-istio-system-east.gloo-mesh are no longer exposed to mesh istiod-istio-system-west.gloo-mesh: its workloads can no longer reach them
  warning: 5 destinations of mesh istiod-istio-system-west.gloo-mesh are no longer exposed to mesh istiod-istio-system-east.gloo-mesh: its workloads can no longer reach them

CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        11       3          7
west      0        0        11       3          6

east:
  ! AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  ! AuthorizationPolicy istio-system/global-access-control
  - DestinationRule istio-system/details-bookinfo-west
  - DestinationRule istio-system/istio-ingressgateway-istio-system-west
  - DestinationRule istio-system/productpage-bookinfo-west
  - DestinationRule istio-system/ratings-bookinfo-west
  - DestinationRule istio-system/reviews-bookinfo-west
  - Gateway istio-system/istio-ingressgateway-istio-system-east-gloo-mesh
  ! PeerAuthentication istio-system/default
  - ServiceEntry istio-system/details.bookinfo.svc.west.global
  - ServiceEntry istio-system/istio-ingressgateway.istio-system.svc.west.global
  - ServiceEntry istio-system/productpage.bookinfo.svc.west.global
  - ServiceEntry istio-system/ratings.bookinfo.svc.west.global
  - ServiceEntry istio-system/reviews.bookinfo.svc.west.global

west:
  ! AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  ! AuthorizationPolicy istio-system/global-access-control
  - DestinationRule istio-system/details-bookinfo-east
  - DestinationRule istio-system/istio-ingressgateway-istio-system-east
  - DestinationRule istio-system/productpage-bookinfo-east
  - DestinationRule istio-system/ratings-bookinfo-east
  - DestinationRule istio-system/reviews-bookinfo-east
  - Gateway istio-system/istio-ingressgateway-istio-system-west-gloo-mesh
  ! PeerAuthentication istio-system/default
  - ServiceEntry istio-system/details.bookinfo.svc.east.global
  - ServiceEntry istio-system/istio-ingressgateway.istio-system.svc.east.global
  - ServiceEntry istio-system/productpage.bookinfo.svc.east.global
  - ServiceEntry istio-system/ratings.bookinfo.svc.east.global
  - ServiceEntry istio-system/reviews.bookinfo.svc.east.global

warning: federation of VirtualMesh/bookinfo.gloo-mesh ends in clusters east, west: 22 objects are deleted because it is INVALID
error: cannot delete 6 objects in clusters east, west: each protects workloads, and its source VirtualMesh/bookinfo.gloo-mesh is INVALID: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL: fix it, or pass --accept-loss to remove the protection
  AuthorizationPolicy allow-ingress-gateway-istio-ingressgateway in istio-system, AuthorizationPolicy global-access-control in istio-system, PeerAuthentication default in istio-system
? Remove the protection of 6 objects anyway? Yes
Without that protection, the plan is:
Behaviour:
  error: VirtualMesh bookinfo.gloo-mesh: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL (MC0208)
  warning: all callers will be allowed to call productpage.bookinfo.east, productpage.bookinfo.west and 3 more: its mesh does not belong to a VirtualMesh
  warning: mesh istiod-istio-system-east.gloo-mesh leaves VirtualMesh bookinfo.gloo-mesh and is in no VirtualMesh
  warning: mesh istiod-istio-system-west.gloo-mesh leaves VirtualMesh bookinfo.gloo-mesh and is in no VirtualMesh
  warning: 5 destinations of mesh istiod-istio-system-east.gloo-mesh are no longer exposed to mesh istiod-istio-system-west.gloo-mesh: its workloads can no longer reach them
  warning: 5 destinations of mesh istiod-istio-system-west.gloo-mesh are no longer exposed to mesh istiod-istio-system-east.gloo-mesh: its workloads can no longer reach them

CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        14       0          7
west      0        0        14       0          6

east:
  - AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  - AuthorizationPolicy istio-system/global-access-control
  - DestinationRule istio-system/details-bookinfo-west
  - DestinationRule istio-system/istio-ingressgateway-istio-system-west
  - DestinationRule istio-system/productpage-bookinfo-west
  - DestinationRule istio-system/ratings-bookinfo-west
  - DestinationRule istio-system/reviews-bookinfo-west
  - Gateway istio-system/istio-ingressgateway-istio-system-east-gloo-mesh
  - PeerAuthentication istio-system/default
  - ServiceEntry istio-system/details.bookinfo.svc.west.global
  - ServiceEntry istio-system/istio-ingressgateway.istio-system.svc.west.global
  - ServiceEntry istio-system/productpage.bookinfo.svc.west.global
  - ServiceEntry istio-system/ratings.bookinfo.svc.west.global
  - ServiceEntry istio-system/reviews.bookinfo.svc.west.global

west:
  - AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  - AuthorizationPolicy istio-system/global-access-control
  - DestinationRule istio-system/details-bookinfo-east
  - DestinationRule istio-system/istio-ingressgateway-istio-system-east
  - DestinationRule istio-system/productpage-bookinfo-east
  - DestinationRule istio-system/ratings-bookinfo-east
  - DestinationRule istio-system/reviews-bookinfo-east
  - Gateway istio-system/istio-ingressgateway-istio-system-west-gloo-mesh
  - PeerAuthentication istio-system/default
  - ServiceEntry istio-system/details.bookinfo.svc.east.global
  - ServiceEntry istio-system/istio-ingressgateway.istio-system.svc.east.global
  - ServiceEntry istio-system/productpage.bookinfo.svc.east.global
  - ServiceEntry istio-system/ratings.bookinfo.svc.east.global
  - ServiceEntry istio-system/reviews.bookinfo.svc.east.global

warning: federation of VirtualMesh/bookinfo.gloo-mesh ends in clusters east, west: 22 objects are deleted because it is INVALID

warning: this removes protection:
  east: calls that no access policy allows are no longer denied (AuthorizationPolicy istio-system/global-access-control)
  east: mutual TLS is no longer enforced as strictly (PeerAuthentication istio-system/default)
  west: calls that no access policy allows are no longer denied (AuthorizationPolicy istio-system/global-access-control)
  west: mutual TLS is no longer enforced as strictly (PeerAuthentication istio-system/default)
? Apply these changes to 2 clusters? No
`,
		},
		"a virtual mesh that becomes INVALID, without a policy": {
			before: same, after: withoutRules, answers: []wizardtest.Answer{wizardtest.Confirm("Remove the protection", false), wizardtest.Confirm("Apply these changes", false)},
			err: cli.ErrCancelled,
			want: `warning: not rendered: VirtualMesh/bookinfo.gloo-mesh: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL
Behaviour:
  warning: callers that no AccessPolicy allows stay denied in clusters east, west, because protection is held back
  warning: servers go on enforcing mutual TLS as before in clusters east, west, because protection is held back
  error: VirtualMesh bookinfo.gloo-mesh: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL (MC0208)
  warning: mesh istiod-istio-system-east.gloo-mesh leaves VirtualMesh bookinfo.gloo-mesh and is in no VirtualMesh
  warning: mesh istiod-istio-system-west.gloo-mesh leaves VirtualMesh bookinfo.gloo-mesh and is in no VirtualMesh
  warning: 5 destinations of mesh istiod-istio-system-east.gloo-mesh are no longer exposed to mesh istiod-istio-system-west.gloo-mesh: its workloads can no longer reach them
  warning: 5 destinations of mesh istiod-istio-system-west.gloo-mesh are no longer exposed to mesh istiod-istio-system-east.gloo-mesh: its workloads can no longer reach them

CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        12       3          6
west      0        0        12       3          5

east:
  - AuthorizationPolicy bookinfo/details
  ! AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  ! AuthorizationPolicy istio-system/global-access-control
  - DestinationRule istio-system/details-bookinfo-west
  - DestinationRule istio-system/istio-ingressgateway-istio-system-west
  - DestinationRule istio-system/productpage-bookinfo-west
  - DestinationRule istio-system/ratings-bookinfo-west
  - DestinationRule istio-system/reviews-bookinfo-west
  - Gateway istio-system/istio-ingressgateway-istio-system-east-gloo-mesh
  ! PeerAuthentication istio-system/default
  - ServiceEntry istio-system/details.bookinfo.svc.west.global
  - ServiceEntry istio-system/istio-ingressgateway.istio-system.svc.west.global
  - ServiceEntry istio-system/productpage.bookinfo.svc.west.global
  - ServiceEntry istio-system/ratings.bookinfo.svc.west.global
  - ServiceEntry istio-system/reviews.bookinfo.svc.west.global

west:
  - AuthorizationPolicy bookinfo/details
  ! AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  ! AuthorizationPolicy istio-system/global-access-control
  - DestinationRule istio-system/details-bookinfo-east
  - DestinationRule istio-system/istio-ingressgateway-istio-system-east
  - DestinationRule istio-system/productpage-bookinfo-east
  - DestinationRule istio-system/ratings-bookinfo-east
  - DestinationRule istio-system/reviews-bookinfo-east
  - Gateway istio-system/istio-ingressgateway-istio-system-west-gloo-mesh
  ! PeerAuthentication istio-system/default
  - ServiceEntry istio-system/details.bookinfo.svc.east.global
  - ServiceEntry istio-system/istio-ingressgateway.istio-system.svc.east.global
  - ServiceEntry istio-system/productpage.bookinfo.svc.east.global
  - ServiceEntry istio-system/ratings.bookinfo.svc.east.global
  - ServiceEntry istio-system/reviews.bookinfo.svc.east.global

warning: federation of VirtualMesh/bookinfo.gloo-mesh ends in clusters east, west: 22 objects are deleted because it is INVALID
error: cannot delete 6 objects in clusters east, west: each protects workloads, and its source VirtualMesh/bookinfo.gloo-mesh is INVALID: spec.federation.tlsEnforcementSettings.enforcementMode: DISABLE conflicts with the Settings, whose mtls.istio.tlsMode is ISTIO_MUTUAL: fix it, or pass --accept-loss to remove the protection
  AuthorizationPolicy allow-ingress-gateway-istio-ingressgateway in istio-system, AuthorizationPolicy global-access-control in istio-system, PeerAuthentication default in istio-system
? Remove the protection of 6 objects anyway? No
? Apply these changes to 2 clusters? No
`,
		},
		"a virtual mesh that no longer denies": {
			before: same, after: open, answers: []wizardtest.Answer{wizardtest.Confirm("This removes protection", false)},
			err: cli.ErrCancelled,
			want: `Behaviour:
  warning: all callers will be allowed to call productpage.bookinfo.east, productpage.bookinfo.west and 3 more: VirtualMesh bookinfo.gloo-mesh allows by default (globalAccessPolicy DISABLED)

CLUSTER   CREATE   CHANGE   DELETE   CONFLICT   UNCHANGED
east      0        0        2        0          19
west      0        0        2        0          18

east:
  - AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  - AuthorizationPolicy istio-system/global-access-control

west:
  - AuthorizationPolicy istio-system/allow-ingress-gateway-istio-ingressgateway
  - AuthorizationPolicy istio-system/global-access-control

warning: this removes protection:
  east: calls that no access policy allows are no longer denied (AuthorizationPolicy istio-system/global-access-control)
  west: calls that no access policy allows are no longer denied (AuthorizationPolicy istio-system/global-access-control)
? This removes protection (2 objects). Continue? No
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
			in.World = recorded(t, in.World, bookinfo(t, tt.after))
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
