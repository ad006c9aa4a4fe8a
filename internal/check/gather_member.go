package check

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/cli/text"
	"github.com/meshctl/meshctl/internal/inventory"
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
	"github.com/meshctl/meshctl/internal/world"
)

func compareMembers(a, b *MemberFacts) int {
	if order := cmp.Compare(a.Cluster, b.Cluster); order != 0 || a.Registered == b.Registered {
		return order
	}
	if a.Registered {
		return -1
	}
	return 1
}

func askText(connections []*kube.Connection) string {
	if len(connections) == 1 {
		return "checking cluster " + connections[0].Name
	}
	return "checking " + text.Count(len(connections), "cluster")
}

// gatherMember collects the facts of one cluster under one deadline.
func gatherMember(ctx context.Context, c *kube.Connection, f *Facts, opts *Options) MemberFacts {
	m := MemberFacts{
		Cluster: c.Name, Registered: c.Source == kube.SourceRegistered, Server: c.Server(),
		TokenExpires: registration.TokenExpiry(c.RESTConfig().BearerToken),
	}
	if m.Registered {
		m.RegisteredUID = f.registeredUIDs[c.Name]
	}
	// Questions write to a separate value, because they may still be running
	// after the deadline.
	answers := &MemberFacts{}
	questions := []kube.Question{
		func(ctx context.Context) error {
			info, err := c.ServerVersion(ctx)
			answers.Version = info.GitVersion
			if err == nil {
				answers.Outdated = asError(c, kube.CheckVersion(c, info))
			}
			return err
		},
		func(ctx context.Context) error {
			var err error
			answers.UID, err = c.UID(ctx)
			return err
		},
		func(ctx context.Context) error {
			var err error
			answers.Access, answers.CannotRead, err = accessOf(ctx, c)
			answers.PermissionsErr = asError(c, err)
			return err
		},
	}
	if namespaces := f.controlPlaneNamespaces(c.Name); len(namespaces) > 0 {
		questions = append(questions, func(ctx context.Context) error {
			var err error
			answers.ControlPlanes, err = controlPlanes(ctx, c, namespaces)
			answers.ControlPlanesErr = asError(c, err)
			return err
		})
	}
	if m.Registered && f.World != nil && opts.includes(CategoryConfiguration) {
		questions = append(questions, func(ctx context.Context) error {
			found, err := inventory.Discover(ctx, inventory.DiscoverOptions{
				Connections: []*kube.Connection{c}, ManagementNamespace: opts.Namespace,
				Settings: world.SettingsOf(f.Stored), Deadline: opts.deadline(),
			})
			if err != nil {
				return err
			}
			answers.Discovered = &found[0]
			if found[0].Err != nil {
				return found[0].Err
			}
			return nil
		})
	}
	if _, err := kube.Ask(ctx, c, opts.deadline(), questions...); err != nil {
		m.Err = asError(c, err)
		return m
	}
	answers.Cluster, answers.Registered, answers.RegisteredUID = m.Cluster, m.Registered, m.RegisteredUID
	answers.Server, answers.TokenExpires = m.Server, m.TokenExpires
	return *answers
}

// controlPlaneNamespaces returns the namespaces of the known Istio meshes of a
// cluster, sorted.
func (f *Facts) controlPlaneNamespaces(cluster string) []string {
	if f.World == nil {
		return nil
	}
	var namespaces []string
	for i := range f.World.World.Meshes {
		if m := &f.World.World.Meshes[i]; m.Type == world.MeshIstio && m.Cluster == cluster && m.Namespace != "" {
			namespaces = append(namespaces, m.Namespace)
		}
	}
	slices.Sort(namespaces)
	return slices.Compact(namespaces)
}

// controlPlanes returns the Deployments named istiod or istiod-REVISION.
func controlPlanes(ctx context.Context, c *kube.Connection, namespaces []string) ([]ControlPlane, error) {
	deployments := schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
	var planes []ControlPlane
	for _, namespace := range namespaces {
		found, err := kube.List(ctx, c, deployments, kube.ListOptions{Namespace: namespace}, newControlPlane)
		if err != nil {
			return nil, err
		}
		for _, p := range found {
			if strings.HasPrefix(p.Name, "istiod") {
				planes = append(planes, p)
			}
		}
	}
	return planes, nil
}

func newControlPlane(u *unstructured.Unstructured) ControlPlane {
	p := ControlPlane{Namespace: u.GetNamespace(), Name: u.GetName(), Wanted: 1}
	if wanted, found, _ := unstructured.NestedInt64(u.Object, "spec", "replicas"); found {
		p.Wanted = wanted
	}
	p.Available, _, _ = unstructured.NestedInt64(u.Object, "status", "availableReplicas")
	p.Labels, _, _ = unstructured.NestedStringMap(u.Object, "spec", "template", "metadata", "labels")
	return p
}

// accessOf returns the highest access level of registrations that the credentials
// have, and the permissions missing for reading.
func accessOf(ctx context.Context, c *kube.Connection) (registration.Access, []kube.Permission, error) {
	levels := []registration.Access{registration.AccessRead, registration.AccessConfigure, registration.AccessFull}
	missing, err := kube.Missing(ctx, c, permissionsOf(registration.AccessFull))
	if err != nil {
		return "", nil, err
	}
	lacks := func(p kube.Permission) bool { return slices.Contains(missing, p) }
	var access registration.Access
	for _, level := range levels {
		if !slices.ContainsFunc(permissionsOf(level), lacks) {
			access = level
		}
	}
	var unreadable []kube.Permission
	for _, p := range permissionsOf(registration.AccessRead) {
		if lacks(p) {
			unreadable = append(unreadable, p)
		}
	}
	return access, unreadable, nil
}

// permissionsOf returns the permissions of an access level.
func permissionsOf(access registration.Access) []kube.Permission {
	var permissions []kube.Permission
	for _, rule := range registration.MemberRules(access) {
		names := rule.ResourceNames
		if len(names) == 0 {
			names = []string{""}
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				for _, name := range names {
					for _, verb := range rule.Verbs {
						p := kube.Permission{Verb: verb, Group: group, Resource: resource, Name: name}
						if !slices.Contains(permissions, p) {
							permissions = append(permissions, p)
						}
					}
				}
			}
		}
	}
	return permissions
}
