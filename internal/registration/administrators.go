package registration

import (
	"errors"
	"fmt"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/kube"
)

// adviseAdministrator completes the hint of an error in which the management cluster
// forbids a request of an administrator. The role for that request alone would only
// lead to the next failure, so the hint names all that the operation takes. remote is
// nil without a connection of the user to the other cluster.
func adviseAdministrator(management, remote *kube.Connection, namespace string, err error, roles ...string) error {
	var e *kube.Error
	if !errors.As(err, &e) || e.Reason != kube.ReasonForbidden || e.Cluster != management.Name {
		return err
	}
	if remote != nil && remote.Name == management.Name && !strings.Contains(e.Hint, "meshctl-") {
		return err // about the other cluster, of the same name
	}
	e.Hint = fmt.Sprintf("get the ClusterRoles %s, and for the Secrets of registrations the ClusterRole %s of Kubernetes in namespace %s, or use other credentials",
		text.And(roles), kube.SecretsRole, namespace)
	return err
}
