package check

import (
	"context"
	"errors"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/meshctl/meshctl/internal/clusters"
)

// gatherManagement asks the management cluster.
func gatherManagement(ctx context.Context, c *clusters.Connection, opts *Options) *ManagementFacts {
	m := &ManagementFacts{Cluster: c.Name}
	_, err := clusters.Ask(ctx, c, opts.deadline(),
		func(ctx context.Context) error {
			info, err := c.ServerVersion(ctx)
			m.Version = info.GitVersion
			if err == nil {
				m.Outdated = asError(c, clusters.CheckVersion(c, info))
			}
			return err
		},
		func(ctx context.Context) error {
			var err error
			m.Definitions, err = clusters.Definitions(ctx, c)
			if isReason(err, clusters.ReasonForbidden) {
				m.Definitions, err = servedDefinitions(ctx, c, opts.Namespace)
			}
			m.DefinitionsErr = asError(c, err)
			return err
		},
		func(ctx context.Context) error {
			key := clusters.ObjectKey{GVK: schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, Name: opts.Namespace}
			_, err := clusters.Get(ctx, c, key)
			if isReason(err, clusters.ReasonNotFound) {
				m.NamespaceMissing = true
				return nil
			}
			m.NamespaceErr = asError(c, err)
			return err
		},
		func(ctx context.Context) error {
			read, write, err := managementPermissions(opts.Namespace)
			if err == nil {
				m.CannotRead, err = clusters.Missing(ctx, c, read)
			}
			if err == nil {
				m.CannotWrite, err = clusters.Missing(ctx, c, write)
			}
			m.PermissionsErr = asError(c, err)
			return err
		})
	if err != nil {
		// What was answered until then must not be used.
		return &ManagementFacts{Cluster: c.Name, Err: asError(c, err)}
	}
	return m
}

// servedDefinitions finds out what everybody may: which of meshctl's kinds the
// cluster serves. It is for users who may not read the definitions.
func servedDefinitions(ctx context.Context, c *clusters.Connection, namespace string) ([]clusters.Definition, error) {
	wanted, err := definitions(namespace)
	if err != nil {
		return nil, err
	}
	var found []clusters.Definition
	for _, d := range wanted {
		state := clusters.DefinitionCurrent
		_, err := c.Resource(ctx, d.kind)
		switch {
		case isReason(err, clusters.ReasonNoSuchKind):
			state = clusters.DefinitionMissing
		case err != nil:
			return nil, err
		}
		found = append(found, clusters.Definition{Name: d.name, State: state})
	}
	return found, nil
}

// definition is one of meshctl's definitions as far as it matters here.
type definition struct {
	name   string
	kind   schema.GroupVersionKind
	plural string
}

// definitions returns what install defines.
func definitions(namespace string) ([]definition, error) {
	objects, err := clusters.InstallObjects(namespace)
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

// managementPermissions returns what reading needs, and what changing things and
// using registrations needs besides.
func managementPermissions(namespace string) (read, write []clusters.Permission, err error) {
	wanted, err := definitions(namespace)
	if err != nil {
		return nil, nil, err
	}
	for _, d := range wanted {
		read = append(read, clusters.Permission{Verb: "list", Group: d.kind.Group, Resource: d.plural})
		for _, verb := range []string{"create", "patch"} {
			write = append(write, clusters.Permission{Verb: verb, Group: d.kind.Group, Resource: d.plural, Namespace: namespace})
		}
	}
	write = append(write, clusters.Permission{Verb: "get", Resource: "secrets", Namespace: namespace})
	return read, write, nil
}

// asError returns the error of a cluster, nil for nil.
func asError(c *clusters.Connection, err error) *clusters.Error {
	if err == nil {
		return nil
	}
	var e *clusters.Error
	if errors.As(err, &e) {
		return e
	}
	return &clusters.Error{Cluster: c.Name, Action: "ask", Reason: clusters.ReasonOther, Why: err.Error()}
}

func isReason(err error, reason clusters.Reason) bool {
	var e *clusters.Error
	return errors.As(err, &e) && e.Reason == reason
}
