package render

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Object is a resource of one of the kinds that can be authored.
type Object interface {
	metav1.Object
	runtime.Object
}

// CheckName returns why an object cannot have the name, in words of how to mend
// it; nil if it can.
func CheckName(name string) error {
	if len(validation.IsDNS1123Subdomain(name)) > 0 {
		return errors.New("use lower-case letters, digits, '-' and '.', with a letter or digit at both ends and at most 253 characters")
	}
	return nil
}

// CheckNamespace is CheckName for the name of a namespace.
func CheckNamespace(name string) error {
	if len(validation.IsDNS1123Label(name)) > 0 {
		return errors.New("use lower-case letters, digits and '-', with a letter or digit at both ends and at most 63 characters")
	}
	return nil
}

// Kind says how resources of one kind are authored. I is its Input, O the
// resource, a pointer type.
type Kind[I any, O Object] struct {
	GVK schema.GroupVersionKind
	// Noun is the kind as the command line spells it, for example "virtualmesh".
	Noun string
	// Fields are the flags of the kind, in the order that help shows them.
	Fields []Field[I]

	// unrestricted says what the absence of a restriction means.
	unrestricted unrestricted
	// check returns every contradiction within an input, and with the resource
	// that it is about to change.
	check func(in *I, base O) []error
	// apply sets on the resource what the input gives, and leaves the rest.
	apply func(in *I, resource O)
	// read returns the input that recreates the resource, as far as inputs can
	// express it.
	read func(resource O) *I
	// empty returns a new resource with its type set.
	empty func() O
	// copy returns a deep copy.
	copy func(O) O
	// absent reports whether a pointer is nil.
	absent func(O) bool
}

// Field is one flag of a kind: how its text is read into an Input, and how an
// Input is written as text. It is the one place that knows the flag.
type Field[I any] struct {
	// Name is the flag's name without dashes.
	Name string
	// Value names the value in help, for example "NAME.NAMESPACE"; empty for a
	// switch, which takes true or false and means true when given alone.
	Value string
	// Usage is one line of help.
	Usage string
	// Group is the section of help that the flag belongs to.
	Group string
	// Feature is the field of a TrafficPolicy's policy that the flag sets a part of;
	// empty for flags that are about something else.
	Feature string
	// Repeatable says that the flag may be given several times.
	Repeatable bool
	// Enum lists the accepted values of a flag that takes one of a few, in the
	// API's spelling.
	Enum []string
	// Keys are the terms that the value of a flag that takes TERMS may consist
	// of, as they are written: "all", "namespace=NAME", "label:KEY=VALUE".
	Keys []string
	// Names says which names of the world the value consists of; completion
	// offers them.
	Names NameKind

	// set reads one occurrence. The error is a *SyntaxError where a character is
	// to blame.
	set func(in *I, text string, names Names) error
	// get returns one text per occurrence, nil if the input does not give it.
	get func(in *I) []string
}

// NameKind says what the names in a flag's value refer to.
type NameKind string

// The kinds of names that completion offers.
const (
	NoNames        NameKind = ""
	MeshNames      NameKind = "mesh"
	ServiceNames   NameKind = "service"
	AccountNames   NameKind = "service account"
	NamespaceNames NameKind = "namespace"
)

// Argument is one flag with its value.
type Argument struct {
	Name, Value string
}

// Parse fills an input from flags, in the order they were given. All errors are
// reported together, each naming its flag.
func (k Kind[I, O]) Parse(arguments []Argument, names Names) (*I, error) {
	in := new(I)
	var errs []error
	seen := map[string]bool{}
	for _, a := range arguments {
		field := k.Field(a.Name)
		switch {
		case field == nil:
			errs = append(errs, fmt.Errorf("unknown flag --%s", a.Name))
			continue
		case seen[a.Name] && !field.Repeatable:
			errs = append(errs, fmt.Errorf("--%s is given twice", a.Name))
			continue
		}
		seen[a.Name] = true
		if err := field.Set(in, a.Value, names); err != nil {
			errs = append(errs, fmt.Errorf("invalid --%s: %w", a.Name, err))
		}
	}
	return in, errors.Join(errs...)
}

// Field returns the flag of that name, nil if the kind has none.
func (k Kind[I, O]) Field(name string) *Field[I] {
	for i := range k.Fields {
		if k.Fields[i].Name == name {
			return &k.Fields[i]
		}
	}
	return nil
}

// Build returns the resource that the input asks for. With a base, it is a copy
// of the base with what the input gives changed; the base may be the zero value.
// All contradictions are reported together.
func (k Kind[I, O]) Build(meta Meta, in *I, base *O) (O, error) {
	resource := k.empty()
	if base != nil && !k.absent(*base) {
		resource = k.copy(*base)
		resource.GetObjectKind().SetGroupVersionKind(k.GVK)
	}
	if meta.Name != "" {
		resource.SetName(meta.Name)
	}
	if meta.Namespace != "" {
		resource.SetNamespace(meta.Namespace)
	}
	if errs := k.check(in, resource); len(errs) > 0 {
		return resource, errors.Join(errs...)
	}
	k.apply(in, resource)
	return k.copy(resource), nil // the caller may go on changing the input
}

// Meta names a resource; an empty field keeps what the base has.
type Meta struct {
	Name, Namespace string
}
