package view

import "iter"

// List is a document of many items. They are encoded one by one, because
// documents about a large world are too large to build in memory: the JSON of
// `describe workload` about 4,010 workloads has 387 MB, and encoding it as a
// whole takes 5.1 s and 2.6 GB (BenchmarkSummary in internal/describe takes 0.35
// s and 0.17 GB for printing it). Use it if the number of items depends on the
// world, and a plain struct otherwise.
type List struct {
	APIVersion, Kind string
	// Items is iterated only once. An error ends the list.
	Items iter.Seq2[any, error]
	// More holds the other fields of the document by name.
	More map[string]any
}

// Sharing is an item of a List with a field whose values many items share. Each
// value is encoded once and its text repeated.
type Sharing interface {
	// Share returns a struct with the fields before the shared one, the name of
	// the shared field and its values, which must be pointers, and a struct with
	// the fields after it. Without values the item is encoded normally.
	Share() (before any, name string, values iter.Seq[any], after any)
}

// Manifests is a document of Kubernetes objects: one v1 List in JSON, and one
// document per object in YAML. `kubectl apply -f` accepts both.
type Manifests struct {
	Items iter.Seq2[Manifest, error]
	// Separated also writes a document marker before the first document.
	Separated bool
}

// Manifest is one object.
type Manifest struct {
	// Comment is written in front of the object in YAML.
	Comment string
	// Object returns the content; it may be nil if YAML is set and only YAML is
	// needed.
	Object func() (any, error)
	// YAML encodes the object faster than the general encoder; it may be nil.
	YAML func() ([]byte, error)
}

// Encoded is a document that is already encoded, such as the manifest of a
// resource that is also saved to a file.
type Encoded struct {
	JSON, YAML func() ([]byte, error)
}
