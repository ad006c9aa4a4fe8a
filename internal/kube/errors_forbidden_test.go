package kube

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"
)

// denied is the answer of an API server to a list.
func denied(user, group, resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Group: group, Resource: resource}, "",
		errors.New(`User "`+user+`" cannot list resource "`+resource+`" in API group "`+group+`" at the cluster scope`))
}

// TestForbidden holds that a missing permission is said in one line, with how to
// get it.
func TestForbidden(t *testing.T) {
	t.Parallel()
	const networking, multicluster = "networking.mesh.gloo.solo.io", "multicluster.solo.io"
	for _, tt := range []struct {
		name   string
		source Source
		errs   [][2]string // group and resource
		want   []string
	}{
		{
			name: "one resource", source: SourceManagement, errs: [][2]string{{networking, "accesspolicies"}},
			want: []string{`cannot list accesspolicies.networking.mesh.gloo.solo.io on cluster east: forbidden: User "bob" cannot list resource "accesspolicies" in API group "networking.mesh.gloo.solo.io" at the cluster scope: get the ClusterRole meshctl-view, or use other credentials`},
		},
		{
			name: "several", source: SourceManagement,
			errs: [][2]string{{networking, "accesspolicies"}, {networking, "trafficpolicies"}, {multicluster, "kubernetesclusters"}, {networking, "virtualmeshes"}},
			want: []string{"cannot list accesspolicies.networking.mesh.gloo.solo.io, trafficpolicies.networking.mesh.gloo.solo.io, kubernetesclusters.multicluster.solo.io and 1 more on cluster east: forbidden to user bob: get the ClusterRole meshctl-view, or use other credentials"},
		},
		{
			name: "of several roles", source: SourceManagement, errs: [][2]string{{networking, "accesspolicies"}, {"", "pods"}, {networking, "trafficpolicies"}},
			want: []string{
				"cannot list accesspolicies.networking.mesh.gloo.solo.io, trafficpolicies.networking.mesh.gloo.solo.io on cluster east: forbidden to user bob: get the ClusterRole meshctl-view, or use other credentials",
				`cannot list pods on cluster east: forbidden: User "bob" cannot list resource "pods" in API group "" at the cluster scope: get this permission, or use other credentials`,
			},
		},
		{
			name: "Secrets of registrations", source: SourceManagement, errs: [][2]string{{"", "secrets"}},
			want: []string{`cannot list secrets on cluster east: forbidden: User "bob" cannot list resource "secrets" in API group "" at the cluster scope: get the ClusterRole edit of Kubernetes in that namespace, or use other credentials`},
		},
		{
			name: "registered cluster", source: SourceRegistered, errs: [][2]string{{"", "pods"}, {"apps", "deployments"}},
			want: []string{"cannot list pods, deployments.apps on cluster east: forbidden to user bob: run 'meshctl cluster register east --remote-context CONTEXT'"},
		},
		{
			name: "registered cluster, Secrets", source: SourceRegistered, errs: [][2]string{{"", "secrets"}},
			want: []string{`cannot list secrets on cluster east: forbidden: User "bob" cannot list resource "secrets" in API group "" at the cluster scope: run 'meshctl cluster register east --remote-context CONTEXT --access full'`},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := New("east", tt.source, &rest.Config{Host: "https://east.example"}, Options{})
			var errs []*Error
			for _, e := range tt.errs {
				errs = append(errs, c.Translate("list "+schema.GroupResource{Group: e[0], Resource: e[1]}.String(), denied("bob", e[0], e[1])))
			}
			var got []string
			for _, e := range FoldForbidden(errs) {
				got = append(got, e.Error())
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("errors (-want +got):\n%s", diff)
			}
		})
	}
	other := &Error{Cluster: "east", Action: "list pods", Reason: ReasonNoSuchKind}
	if got := FoldForbidden([]*Error{other, other}); len(got) != 2 {
		t.Errorf("folded %v", got)
	}
}

func TestFoldForbiddenStatuses(t *testing.T) {
	t.Parallel()
	forbidden := func(object, resource, hint string) *Error {
		return &Error{
			Cluster: "mgmt", Action: statusAction + object, Reason: ReasonForbidden, Hint: hint,
			Why: `forbidden: User "eve" cannot update resource "` + resource + `" in API group "networking.mesh.gloo.solo.io" in the namespace "gloo-mesh"`,
		}
	}
	other := &Error{Cluster: "mgmt", Action: statusAction + "Mesh a", Reason: ReasonTimeout, Why: "timed out"}
	const role = "get the ClusterRole meshctl-edit"
	errs := []*Error{
		forbidden("VirtualMesh prod", "virtualmeshes/status", role), other,
		forbidden("AccessPolicy a", "accesspolicies/status", role), forbidden("AccessPolicy b", "accesspolicies/status", role),
		forbidden("Mesh b", "meshes/status", "get this permission"),
	}
	want := []string{
		"cannot write the status of VirtualMesh prod and 2 more on cluster mgmt: forbidden to user eve: get the ClusterRole meshctl-edit",
		"cannot write the status of Mesh a on cluster mgmt: timed out",
		`cannot write the status of Mesh b on cluster mgmt: forbidden: User "eve" cannot update resource "meshes/status" in API group "networking.mesh.gloo.solo.io" in the namespace "gloo-mesh": get this permission`,
	}
	var got []string
	for _, e := range FoldForbiddenStatuses(errs) {
		got = append(got, e.Error())
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}
