// Package view holds results as values: what a command has to say, in the forms
// that internal/output can print, without knowing any writer.
package view

import "iter"

// View is a result in all forms; each form says the same. What is nil has
// nothing to say, and prints nothing.
type View struct {
	// Document is for programs: the value that JSON and YAML encode, or a List or
	// Manifests, which are encoded one by one.
	Document func() (any, error)
	// Table is for people. The argument says whether they want wide columns, for
	// results whose rows depend on that.
	Table func(wide bool) (Table, error)
	// Text is printed instead of Table where one table is not enough.
	Text func(t *Text) error
	// Names are TYPE/NAME of what the result is about, as other commands accept it.
	Names iter.Seq2[string, error]
}

// Value returns a Document that is known already.
func Value(document any) func() (any, error) {
	return func() (any, error) { return document, nil }
}

// Rows returns a Table that is known already.
func Rows(table Table) func(bool) (Table, error) {
	return func(bool) (Table, error) { return table, nil }
}

// Lines returns a Text that cannot fail.
func Lines(write func(t *Text)) func(t *Text) error {
	return func(t *Text) error {
		write(t)
		return nil
	}
}

// NameEach returns the names of items.
func NameEach[T any](items []T, name func(item *T) string) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for i := range items {
			if !yield(name(&items[i]), nil) {
				return
			}
		}
	}
}

// Each returns pointers to items, for a List.
func Each[T any](items []T) iter.Seq2[any, error] {
	return func(yield func(any, error) bool) {
		for i := range items {
			if !yield(&items[i], nil) {
				return
			}
		}
	}
}
