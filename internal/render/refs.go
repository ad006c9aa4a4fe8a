package render

import (
	"strings"

	"github.com/meshctl/meshctl/internal/world"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// The forms of references. With slashes instead of dots, every part may contain
// dots.
const (
	serviceForm = "NAME.NAMESPACE.CLUSTER"
	objectForm  = "NAME.NAMESPACE"
)

// readService reads NAME.NAMESPACE.CLUSTER, or with a world a shorter form that
// means one Service of it. The full name of a Service that does not exist is
// accepted: the engine warns about it.
func readService(p piece, names Names) (core.ClusterObjectRef, error) {
	var parts []piece
	switch {
	case p.text == "":
		return core.ClusterObjectRef{}, p.errorf("a Service is missing; write %s", serviceForm)
	case strings.Contains(p.text, "/"):
		if parts = p.split("/"); len(parts) != 3 {
			return core.ClusterObjectRef{}, p.errorf("with slashes, all of NAME/NAMESPACE/CLUSTER is needed")
		}
	case strings.Count(p.text, ".") < 2:
		return findService(p, names)
	default:
		parts = splitDots(p)
	}
	for i, check := range []func() error{
		func() error { return checkLabel(parts[0], "Service") },
		func() error { return checkLabel(parts[1], "namespace") },
		func() error { return checkSubdomain(parts[2], "cluster") },
	} {
		if err := check(); err != nil {
			return core.ClusterObjectRef{}, missingPart(parts[i], err, serviceForm)
		}
	}
	return core.ClusterObjectRef{Name: parts[0].text, Namespace: parts[1].text, ClusterName: parts[2].text}, nil
}

// missingPart says of an empty part which form is expected.
func missingPart(p piece, err error, form string) error {
	if p.text == "" {
		return p.errorf("a part of the name is missing; write %s", form)
	}
	return err
}

// splitDots splits into name, namespace and the rest.
func splitDots(p piece) []piece {
	name, rest, _ := p.cut(".")
	namespace, cluster, _ := rest.cut(".")
	return []piece{name, namespace, cluster}
}

func findService(p piece, names Names) (core.ClusterObjectRef, error) {
	for _, part := range p.split(".") {
		if err := checkLabel(part, "Service"); err != nil {
			return core.ClusterObjectRef{}, missingPart(part, err, serviceForm)
		}
	}
	if names.World == nil {
		return core.ClusterObjectRef{}, p.errorAt(len(p.text), "%s is missing; write %s", absentPart(p), serviceForm)
	}
	var services []*world.Destination
	for _, d := range names.World.DestinationPointers() {
		if d.IsService() {
			services = append(services, d)
		}
	}
	found, err := resolve(p, "service", serviceForm, services, (*world.Destination).Names)
	if err != nil {
		return core.ClusterObjectRef{}, err
	}
	return found.Ref, nil
}

// absentPart says what a short name of a Service lacks.
func absentPart(p piece) string {
	if strings.Contains(p.text, ".") {
		return "the cluster"
	}
	return "the namespace"
}

func writeService(ref core.ClusterObjectRef) string {
	if strings.Contains(ref.Name+ref.Namespace, ".") {
		return ref.Name + "/" + ref.Namespace + "/" + ref.ClusterName
	}
	return ref.Name + "." + ref.Namespace + "." + ref.ClusterName
}

// readAccount reads NAME.NAMESPACE.CLUSTER of service accounts, in which empty
// parts match anything and the cluster may be left out (D9).
func readAccount(p piece, _ Names) (core.ClusterObjectRef, error) {
	var none core.ClusterObjectRef
	parts := splitDots(p)
	if strings.Contains(p.text, "/") {
		if parts = p.split("/"); len(parts) > 3 {
			return none, parts[3].errorf("a service account has three parts, NAME/NAMESPACE/CLUSTER")
		}
		parts = append(parts, p.slice(len(p.text), len(p.text)))[:3]
	} else if !strings.Contains(p.text, ".") {
		return none, p.errorAt(len(p.text), "the namespace is missing; write NAME.NAMESPACE, or NAME.. for every namespace")
	}
	for i, what := range []string{"service account", "namespace", "cluster"} {
		check := checkSubdomain
		if what == "namespace" {
			check = checkLabel
		}
		if parts[i].text == "" {
			continue
		}
		if err := check(parts[i], what); err != nil {
			return none, err
		}
	}
	ref := core.ClusterObjectRef{Name: parts[0].text, Namespace: parts[1].text, ClusterName: parts[2].text}
	if ref == none {
		return none, p.errorf("this names nothing; for callers of every kind use `any`")
	}
	return ref, nil
}

func writeAccount(ref core.ClusterObjectRef) string {
	separator := "."
	if strings.Contains(ref.Name+ref.Namespace, ".") {
		separator = "/"
	}
	text := ref.Name + separator + ref.Namespace
	if ref.ClusterName != "" || ref.Namespace == "" {
		text += separator + ref.ClusterName
	}
	return text
}

// readMesh reads NAME.NAMESPACE, or with a world a shorter form that means one
// of its meshes.
func readMesh(p piece, names Names) (core.ObjectRef, error) {
	if names.World == nil || strings.Contains(p.text, "/") {
		return readObject("mesh")(p, names)
	}
	if err := checkSubdomain(p, "mesh"); err != nil {
		return core.ObjectRef{}, err
	}
	found, err := resolve(p, "mesh", objectForm, names.World.MeshPointers(), (*world.Mesh).Names)
	switch {
	case err == nil:
		return found.Ref, nil
	case strings.Contains(p.text, ".") && !isAmbiguous(err):
		return readObject("mesh")(p, names)
	default:
		return core.ObjectRef{}, err
	}
}

// readObject reads NAME.NAMESPACE of an object on the management cluster. The
// name may contain dots; without any the namespace is that of the names, if
// there is one.
func readObject(what string) read[core.ObjectRef] {
	return func(p piece, names Names) (core.ObjectRef, error) {
		name, namespace, found := p.cutLast("/")
		if !found {
			name, namespace, found = p.cutLast(".")
		}
		if !found && names.Namespace == "" {
			return core.ObjectRef{}, p.errorAt(len(p.text), "the namespace of the %s is missing; write %s", what, objectForm)
		}
		if err := checkSubdomain(name, what); err != nil {
			return core.ObjectRef{}, err
		}
		if !found {
			return core.ObjectRef{Name: name.text, Namespace: names.Namespace}, nil
		}
		if err := checkLabel(namespace, "namespace"); err != nil {
			return core.ObjectRef{}, err
		}
		return core.ObjectRef{Name: name.text, Namespace: namespace.text}, nil
	}
}

func writeObject(ref core.ObjectRef) string {
	if strings.Contains(ref.Name, ".") {
		return ref.Name + "/" + ref.Namespace
	}
	return ref.Name + "." + ref.Namespace
}
