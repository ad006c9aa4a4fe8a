package kube

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/cli/text"
)

// The ClusterRoles that install creates on the management cluster for users who
// view, edit and administer meshctl's resources.
const (
	ViewRole  = "meshctl-view"
	EditRole  = "meshctl-edit"
	AdminRole = "meshctl-admin"
)

// SecretsRole is the ClusterRole of Kubernetes that allows to read and write Secrets.
// None of meshctl's roles does.
const SecretsRole = "edit"

// The API groups of meshctl's kinds.
const (
	networkingGroup   = "networking.mesh.gloo.solo.io"
	discoveryGroup    = "discovery.mesh.gloo.solo.io"
	settingsGroup     = "settings.mesh.gloo.solo.io"
	multiclusterGroup = "multicluster.solo.io"
)

func ownGroups() []string {
	return []string{networkingGroup, discoveryGroup, settingsGroup, multiclusterGroup}
}

func readVerbs() []string { return []string{"get", "list", "watch"} }

// RoleFor returns the ClusterRole of the management cluster that grants a verb on
// a resource of an API group, empty if none does.
func RoleFor(verb, group, resource string) string {
	reads := slices.Contains(readVerbs(), verb)
	switch group {
	case "":
		if verb == "get" && resource == "namespaces" {
			return ViewRole
		}
	case networkingGroup, discoveryGroup, settingsGroup:
		if reads {
			return ViewRole
		}
		return EditRole
	case multiclusterGroup:
		if reads {
			return ViewRole
		}
		return AdminRole
	case "coordination.k8s.io":
		if slices.Contains([]string{"create", "get", "update"}, verb) {
			return EditRole
		}
	}
	return ""
}

// forbiddenMessage matches the message of API servers for a forbidden request.
const forbiddenMessage = `^User "([^"]*)" cannot ([a-z]+) resource "([^"]*)" in API group "([^"]*)"`

// denial is the parsed form of such a message.
type denial struct{ user, verb, resource, group string }

func parseDenial(why string) (denial, bool) {
	_, message, _ := strings.Cut(why, ": ")
	match := regexp.MustCompile(forbiddenMessage).FindStringSubmatch(message)
	if match == nil {
		return denial{}, false
	}
	return denial{match[1], match[2], match[3], match[4]}, true
}

// adviseForbidden returns a hint how to get the permission in a message.
func (c *Connection) adviseForbidden(why, fallback string) string {
	d, known := parseDenial(why)
	switch c.Source {
	case SourceRegistered:
		access := " --access full"
		if known && d.resource != "secrets" && slices.Contains(readVerbs(), d.verb) {
			access = "" // every registration may read
		}
		return fmt.Sprintf("run 'meshctl cluster register %s --remote-context CONTEXT%s'", c.Name, access)
	case SourceManagement:
		if known && d.group == "" && d.resource == "secrets" {
			return "get the ClusterRole " + SecretsRole + " of Kubernetes in that namespace, or use other credentials"
		}
		if role := RoleFor(d.verb, d.group, d.resource); known && role != "" {
			return "get the ClusterRole " + role + ", or use other credentials"
		}
	case SourceContext:
	}
	return fallback
}

// shownResources limits the resources that one message names.
const shownResources = 3

// FoldForbidden merges all errors about resources of a cluster that may not be
// listed into the first of them, and keeps the others.
func FoldForbidden(errs []*Error) []*Error {
	var folded []*Error
	resources := map[int][]string{}
	for _, e := range errs {
		resource, isList := strings.CutPrefix(e.Action, "list ")
		if e.Reason != ReasonForbidden || !isList {
			folded = append(folded, e)
			continue
		}
		at := slices.IndexFunc(folded, func(f *Error) bool {
			return f.Reason == ReasonForbidden && f.Cluster == e.Cluster && f.Hint == e.Hint && strings.HasPrefix(f.Action, "list ")
		})
		if at < 0 {
			at = len(folded)
			folded = append(folded, e)
		}
		resources[at] = append(resources[at], resource)
	}
	for at, names := range resources {
		if len(names) > 1 {
			one := *folded[at]
			one.Action = "list " + text.Bounded(names, shownResources)
			one.Why = "forbidden" + forbiddenUser(one.Why)
			folded[at] = &one
		}
	}
	return folded
}

// statusAction begins the actions of WriteStatuses.
const statusAction = "write the status of "

// FoldForbiddenStatuses returns one error for the statuses of a cluster that a user
// may not write for want of the same role, and all other errors.
func FoldForbiddenStatuses(errs []*Error) []*Error {
	var folded []*Error
	counts := map[int]int{}
	for _, e := range errs {
		at := -1
		if e.Reason == ReasonForbidden && strings.HasPrefix(e.Action, statusAction) {
			at = slices.IndexFunc(folded, func(f *Error) bool {
				return f.Reason == ReasonForbidden && f.Cluster == e.Cluster && f.Hint == e.Hint && strings.HasPrefix(f.Action, statusAction)
			})
		}
		if at < 0 {
			folded = append(folded, e)
			continue
		}
		counts[at]++
	}
	for at, more := range counts {
		one := *folded[at]
		one.Action += " " + text.More(more)
		one.Why = "forbidden" + forbiddenUser(one.Why)
		folded[at] = &one
	}
	return folded
}

// forbiddenUser returns the user in a message.
func forbiddenUser(why string) string {
	if d, known := parseDenial(why); known {
		return " to user " + d.user
	}
	return ""
}
