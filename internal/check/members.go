package check

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/meshctl/meshctl/internal/kube"
)

const (
	idRegistration = "cluster-registration"
	idReachable    = "cluster-reachable"
	idToken        = "cluster-token"
)

func clustersCategory() Category {
	return Category{
		ID: CategoryClusters, Title: "Clusters", Skip: noMembers,
		Checks: []Check{
			{
				ID: idRegistration, Description: "the registration is complete", Severity: Failed,
				Hint: "register the cluster again", Judge: judgeMembers(judgeRegistration),
			},
			{
				ID: idReachable, Description: "the API server is reachable", Severity: Failed,
				Hint: "make sure that the cluster is running and that its API server is reachable", Judge: judgeMembers(judgeReachable),
			},
			{
				ID: idToken, Description: "credentials are valid and not expiring soon", Severity: Failed,
				Hint: "renew the token with 'meshctl cluster rotate-token'", Judge: judgeMembers(judgeToken),
			},
			{
				ID: "cluster-version", Description: "the Kubernetes version is supported", Severity: Failed,
				Hint: "upgrade the cluster", Judge: judgeMembers(judgeVersion),
			},
			{
				ID: "cluster-permissions", Description: "credentials have the required read permissions", Severity: Failed,
				Hint: "register the cluster again to repair the permissions", Judge: judgeMembers(judgeAccess),
			},
			{
				ID: "cluster-identity", Description: "the API server belongs to the registered cluster", Severity: Failed,
				Hint: "deregister it, then register it again", Judge: judgeMembers(judgeIdentity),
			},
			{
				ID: "cluster-unique", Description: "every cluster is registered only once", Severity: Failed,
				Hint: "deregister all names but one", Judge: judgeUnique,
			},
		},
	}
}

// noMembers returns why cluster checks are skipped; empty if there are clusters.
func noMembers(f *Facts) string {
	switch {
	case len(f.Members) > 0:
		return ""
	case noManagement(f) != "":
		return noManagement(f)
	case f.Management.notInstalled():
		return dependsOnDefinitions
	case f.MembersErr != nil:
		return ""
	default:
		return "no clusters are registered in namespace " + f.Namespace
	}
}

// membersUnread is the outcome of checks about clusters that are not known.
func membersUnread(f *Facts) Outcome {
	cause := idManagementRead
	if f.Management.notInstalled() {
		cause = idManagementDefinitions
	}
	o := unread(f.MembersErr).dependsOn(cause)
	o.whole = true
	return o
}

// judgeMembers returns a Judge function for every cluster.
func judgeMembers(judge func(*Facts, *MemberFacts) Outcome) func(*Facts) []Outcome {
	return func(f *Facts) []Outcome {
		var outcomes []Outcome
		if f.MembersErr != nil {
			outcomes = append(outcomes, membersUnread(f))
		}
		for i := range f.Members {
			o := judge(f, &f.Members[i])
			o.Cluster = f.Members[i].Cluster
			outcomes = append(outcomes, o)
		}
		return outcomes
	}
}

func judgeRegistration(_ *Facts, m *MemberFacts) Outcome {
	switch e := m.RegistrationErr; {
	case !m.Registered:
		return skipped("not registered: it is a cluster of your kubeconfig")
	case e == nil:
		return holds("")
	case e.Reason == kube.ReasonForbidden:
		return unknown(e.Message(), "get the ClusterRole "+kube.SecretsRole+" of Kubernetes in the namespace of the registrations")
	default:
		return broken(e.Message(), e.Hint)
	}
}

// refused reports whether the API server answered by rejecting the credentials.
func refused(e *kube.Error) bool { return e.Reason == kube.ReasonUnauthorized }

func judgeReachable(_ *Facts, m *MemberFacts) Outcome {
	switch {
	case m.RegistrationErr != nil:
		return blocked(m)
	case m.Err != nil && !refused(m.Err):
		return broken(m.Err.Local(), m.Err.Hint)
	default:
		return holds(m.Server)
	}
}

func judgeToken(f *Facts, m *MemberFacts) Outcome {
	hint := ""
	if !m.Registered {
		hint = "log in to the cluster again"
	}
	switch {
	case m.RegistrationErr != nil:
		return blocked(m)
	case m.TokenExpires != nil && !m.TokenExpires.After(f.Now):
		return broken("the token expired "+duration.HumanDuration(f.Now.Sub(*m.TokenExpires))+" ago", hint)
	case m.Err != nil && refused(m.Err):
		return broken(m.Err.Local(), hint)
	case m.TokenExpires != nil && m.TokenExpires.Before(f.Now.Add(f.ExpiryWarning)):
		o := broken(fmt.Sprintf("the token expires in %s, at %s", duration.HumanDuration(m.TokenExpires.Sub(f.Now)), m.TokenExpires.UTC().Format(time.RFC3339)), hint)
		o.Result = Warning
		return o
	case m.Err != nil:
		return blocked(m)
	case m.TokenExpires != nil:
		return holds("the token expires in " + duration.HumanDuration(m.TokenExpires.Sub(f.Now)))
	default:
		return holds("")
	}
}

// blocked is the outcome of a check about a cluster that is not usable.
func blocked(m *MemberFacts) Outcome {
	switch {
	case m.RegistrationErr != nil:
		return unread(m.RegistrationErr).dependsOn(idRegistration)
	case refused(m.Err):
		return unread(m.Err).dependsOn(idToken)
	default:
		return unread(m.Err).dependsOn(idReachable)
	}
}

// blocks returns the check that says why a cluster is unusable; empty if it is usable
// or not known.
func (f *Facts) blocks(cluster string) string {
	if m := f.member(cluster); m != nil && !m.usable() {
		return blocked(m).Cause
	}
	return ""
}

func judgeVersion(_ *Facts, m *MemberFacts) Outcome {
	switch {
	case !m.usable():
		return blocked(m)
	case m.Outdated != nil:
		return broken(m.Outdated.Message(), m.Outdated.Hint)
	default:
		return holds("Kubernetes " + m.Version)
	}
}

func judgeAccess(_ *Facts, m *MemberFacts) Outcome {
	if !m.usable() {
		return blocked(m)
	}
	o := judgePermissions(m.CannotRead, m.PermissionsErr)[0]
	if o.Result == OK {
		o.Message = "access: " + string(m.Access)
	}
	if o.Result == "" && !o.Unknown && !m.Registered {
		o.Hint = "use credentials with more permissions"
	}
	return o
}

func judgeIdentity(_ *Facts, m *MemberFacts) Outcome {
	switch {
	case !m.Registered:
		return skipped("not registered: it is a cluster of your kubeconfig")
	case !m.usable():
		return blocked(m)
	case m.UID == "":
		return unknown("the uid of namespace kube-system could not be read", "get permission to read it")
	case m.RegisteredUID == "":
		return skipped("the registration does not identify its cluster")
	case m.UID != m.RegisteredUID:
		return broken(m.Server+" is a different cluster than the one that was registered", "")
	default:
		return holds("")
	}
}

// judgeUnique finds clusters with several names by the uid of their namespace
// kube-system. For an unreachable cluster, the UID of its registration is used.
func judgeUnique(f *Facts) []Outcome {
	names := map[string][]string{}
	for i := range f.Members {
		m := &f.Members[i]
		if uid := cmp.Or(m.UID, m.RegisteredUID); uid != "" && !slices.Contains(names[uid], m.Cluster) {
			names[uid] = append(names[uid], m.Cluster)
		}
	}
	var outcomes []Outcome
	if f.MembersErr != nil {
		outcomes = append(outcomes, membersUnread(f))
	}
	for i := range f.Members {
		m := &f.Members[i]
		if same := names[cmp.Or(m.UID, m.RegisteredUID)]; len(same) > 1 && same[0] == m.Cluster {
			o := broken("the same cluster is known as "+strings.Join(same, " and "), "")
			o.Cluster = m.Cluster
			outcomes = append(outcomes, o)
		}
	}
	if len(outcomes) == 0 {
		return single(holds(""))
	}
	return outcomes
}
