package registration

import (
	"errors"
	"testing"

	"k8s.io/client-go/rest"

	"github.com/meshctl/meshctl/internal/kube"
)

// TestAdviseAdministrator holds that a forbidden request names all roles of the
// operation, and that other errors keep their hints.
func TestAdviseAdministrator(t *testing.T) {
	t.Parallel()
	const roles = "get the ClusterRoles meshctl-view and meshctl-admin, and for the Secrets of registrations the ClusterRole edit of Kubernetes in namespace gloo-mesh, or use other credentials"
	for name, tt := range map[string]struct {
		remote string
		err    error
		want   string
	}{
		"one role": {
			"east", &kube.Error{Cluster: "mgmt", Action: "read a", Reason: kube.ReasonForbidden, Why: "no", Hint: "get the ClusterRole meshctl-view"},
			"cannot read a on cluster mgmt: no: " + roles,
		},
		"Secrets": {
			"", &kube.Error{Cluster: "mgmt", Action: "read a", Reason: kube.ReasonForbidden, Why: "no", Hint: "get this permission"},
			"cannot read a on cluster mgmt: no: " + roles,
		},
		"the other cluster": {
			"east", &kube.Error{Cluster: "east", Action: "read a", Reason: kube.ReasonForbidden, Why: "no", Hint: "get this permission"},
			"cannot read a on cluster east: no: get this permission",
		},
		"the other cluster, of the same name": {
			"mgmt", &kube.Error{Cluster: "mgmt", Action: "read a", Reason: kube.ReasonForbidden, Why: "no", Hint: "get this permission"},
			"cannot read a on cluster mgmt: no: get this permission",
		},
		"another reason": {
			"east", &kube.Error{Cluster: "mgmt", Action: "read a", Reason: kube.ReasonTimeout, Why: "no", Hint: "wait"},
			"cannot read a on cluster mgmt: no: wait",
		},
		"another error": {"east", errors.New("no"), "no"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			management := kube.New("mgmt", kube.SourceManagement, &rest.Config{}, kube.Options{})
			var remote *kube.Connection
			if tt.remote != "" {
				remote = kube.New(tt.remote, kube.SourceContext, &rest.Config{}, kube.Options{})
			}
			if got := adviseAdministrator(management, remote, "gloo-mesh", tt.err, kube.ViewRole, kube.AdminRole).Error(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
