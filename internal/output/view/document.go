package view

import "iter"

// List is a document of many items. They are encoded one by one, because the
// answers about a large world are too large to exist as one text: the JSON of
// `describe workload` about 4,010 workloads has 387 MB, and encoding it as a
// whole takes 5.1 s and 2.6 GB (BenchmarkSummary in internal/describe takes
// 0.35 s and 0.17 GB for printing it). Use it where a world decides how many
// items there are; a plain struct is simpler everywhere else.
type List struct {
	APIVersion, Kind string
	// Items may be passed through once only. An error ends the list.
	Items iter.Seq2[any, error]
	// More are the fields beside the items, by name.
	More map[string]any
}

// Sharing is an item of a List that has a field whose values many items share.
// Each of them is encoded once, and its text repeated.
type Sharing interface {
	// Share returns a struct with the fields before the shared one, the name and
	// the values of that, which are pointers, and a struct with the fields after
	// it. Without values, the item is encoded like any other.
	Share() (before any, name string, values iter.Seq[any], after any)
}

// Manifests is a document of objects for clusters: one v1 List in JSON, and one
// document for each in YAML, as `kubectl apply -f` takes both.
type Manifests struct {
	Items iter.Seq2[Manifest, error]
	// Separated says that a document marker also precedes the first document.
	Separated bool
}

// Manifest is one object.
type Manifest struct {
	// Comment is written above it in YAML, line by line.
	Comment string
	// Object is the content; it may be nil where YAML is set and only YAML wanted.
	Object func() (any, error)
	// YAML encodes the object where there is a faster way than that of all
	// values; nil otherwise.
	YAML func() ([]byte, error)
}

// Encoded is a document whose text comes from elsewhere, such as the manifest of
// a resource that is saved to a file in the same form.
type Encoded struct {
	JSON, YAML func() ([]byte, error)
}
