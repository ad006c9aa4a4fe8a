package render

import "bytes"

// Arguments returns the flags that recreate a resource, in the order of the
// kind's fields, with full names. Exact says that building from them gives the
// same spec, labels and annotations, byte for byte as a Manifest; it is false
// for a resource that holds what flags cannot express, and then the flags are
// the nearest there is.
func (k Kind[I, O]) Arguments(o O) (arguments []Argument, exact bool) {
	arguments = k.ArgumentsOf(k.read(o))
	in, err := k.Parse(arguments, Names{})
	if err != nil {
		return arguments, false
	}
	rebuilt, err := k.Build(Meta{Name: o.GetName(), Namespace: o.GetNamespace()}, in, nil)
	if err != nil {
		return arguments, false
	}
	want, wantErr := Manifest(o)
	got, gotErr := Manifest(rebuilt)
	return arguments, wantErr == nil && gotErr == nil && bytes.Equal(want, got)
}

// ArgumentsOf returns the flags that give an input, in the order of the kind's
// fields.
func (k Kind[I, O]) ArgumentsOf(in *I) []Argument {
	var arguments []Argument
	for _, field := range k.Fields {
		for _, text := range field.get(in) {
			arguments = append(arguments, Argument{Name: field.Name, Value: text})
		}
	}
	return arguments
}

// Input returns the input that recreates a resource, as far as inputs can
// express it. It shares memory with the resource.
func (k Kind[I, O]) Input(o O) *I { return k.read(o) }
