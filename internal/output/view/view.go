// Package view holds the results of commands as values, in the forms that
// internal/output can print, independent of any writer.
package view

import "iter"

// View is a result in all output forms, which have the same facts. Nil forms
// print nothing.
type View struct {
	// Document is the form for programs: the value to encode as JSON and YAML, or
	// a List or Manifests, which are encoded item by item.
	Document func() (any, error)
	// Table is the form for people. wide is true for wide columns, for results
	// whose rows depend on it.
	Table func(wide bool) (Table, error)
	// Text replaces Table if one table is not enough.
	Text func(t *Text) error
	// Names are the TYPE/NAME of the objects in the result, as other commands
	// accept them.
	Names iter.Seq2[string, error]
}

// Value returns a Document function for an existing value.
func Value(document any) func() (any, error) {
	return func() (any, error) { return document, nil }
}

// Rows returns a Table function for an existing table.
func Rows(table Table) func(bool) (Table, error) {
	return func(bool) (Table, error) { return table, nil }
}

// Lines returns a Text function that cannot fail.
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
