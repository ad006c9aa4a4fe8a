package check

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/registration"
)

// gatherManagement collects the facts of the management cluster.
func gatherManagement(ctx context.Context, c *kube.Connection, opts *Options) *ManagementFacts {
	m := &ManagementFacts{Cluster: c.Name}
	_, err := kube.Ask(ctx, c, opts.deadline(),
		func(ctx context.Context) error {
			info, err := c.ServerVersion(ctx)
			m.Version = info.GitVersion
			if err == nil {
				m.Outdated = asError(c, kube.CheckVersion(c, info))
			}
			return err
		},
		func(ctx context.Context) error {
			var err error
			m.Definitions, err = registration.Definitions(ctx, c)
			if isReason(err, kube.ReasonForbidden) {
				m.Definitions, err = servedDefinitions(ctx, c, opts.Namespace)
			}
			m.DefinitionsErr = asError(c, err)
			return err
		},
		func(ctx context.Context) error {
			key := kube.ObjectKey{GVK: schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, Name: opts.Namespace}
			_, err := kube.Get(ctx, c, key)
			if isReason(err, kube.ReasonNotFound) {
				m.NamespaceMissing = true
				return nil
			}
			m.NamespaceErr = asError(c, err)
			return err
		},
		func(ctx context.Context) error {
			read, write, err := managementPermissions(opts.Namespace)
			if err == nil {
				m.CannotRead, err = kube.Missing(ctx, c, read)
			}
			if err == nil {
				m.CannotWrite, err = kube.Missing(ctx, c, write)
			}
			m.PermissionsErr = asError(c, err)
			return err
		})
	if err != nil {
		// After an error, the answers so far must not be used.
		return &ManagementFacts{Cluster: c.Name, Err: asError(c, err)}
	}
	return m
}

// servedDefinitions returns which of meshctl's kinds the cluster serves. Every
// user may read that, even without permission to read CustomResourceDefinitions.
func servedDefinitions(ctx context.Context, c *kube.Connection, namespace string) ([]registration.Definition, error) {
	wanted, err := definitions(namespace)
	if err != nil {
		return nil, err
	}
	var found []registration.Definition
	for _, d := range wanted {
		state := registration.DefinitionCurrent
		_, err := c.Resource(ctx, d.kind)
		switch {
		case isReason(err, kube.ReasonNoSuchKind):
			state = registration.DefinitionMissing
		case err != nil:
			return nil, err
		}
		found = append(found, registration.Definition{Name: d.name, State: state})
	}
	return found, nil
}

// definition holds the fields of a CustomResourceDefinition that are needed here.
type definition struct {
	name   string
	kind   schema.GroupVersionKind
	plural string
}

// definitions returns the CustomResourceDefinitions that install creates.
func definitions(namespace string) ([]definition, error) {
	objects, err := registration.InstallObjects(namespace, nil)
	if err != nil {
		return nil, err
	}
	var found []definition
	for _, object := range objects {
		if object.GetKind() != "CustomResourceDefinition" {
			continue
		}
		text := func(fields ...string) string {
			value, _, _ := unstructured.NestedString(object.Object, fields...)
			return value
		}
		d := definition{
			name: object.GetName(), plural: text("spec", "names", "plural"),
			kind: schema.GroupVersionKind{Group: text("spec", "group"), Kind: text("spec", "names", "kind")},
		}
		versions, _, _ := unstructured.NestedSlice(object.Object, "spec", "versions")
		if len(versions) > 0 {
			if version, isMap := versions[0].(map[string]any); isMap {
				d.kind.Version, _, _ = unstructured.NestedString(version, "name")
			}
		}
		found = append(found, d)
	}
	return found, nil
}

// managementPermissions returns the permissions for reading, and the additional
// ones for changes and for using registrations.
func managementPermissions(namespace string) (read, write []kube.Permission, err error) {
	wanted, err := definitions(namespace)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range wanted {
		read = append(read, kube.Permission{Verb: "list", Group: d.kind.Group, Resource: d.plural})
		for _, verb := range []string{"create", "patch"} {
			write = append(write, kube.Permission{Verb: verb, Group: d.kind.Group, Resource: d.plural, Namespace: namespace})
		}
	}
	write = append(write, kube.Permission{Verb: "get", Resource: "secrets", Namespace: namespace})
	return read, write, nil
}

// asError converts an error into a *kube.Error; nil stays nil.
func asError(c *kube.Connection, err error) *kube.Error {
	if err == nil {
		return nil
	}
	var e *kube.Error
	if errors.As(err, &e) {
		return e
	}
	return &kube.Error{Cluster: c.Name, Action: "ask", Reason: kube.ReasonOther, Why: err.Error()}
}

func isReason(err error, reason kube.Reason) bool {
	var e *kube.Error
	return errors.As(err, &e) && e.Reason == reason
}
