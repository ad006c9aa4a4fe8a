package render

import "reflect"

// set writes a value if there is one.
func set[T any](to, value *T) {
	if value != nil {
		*to = *value
	}
}

// setList writes a list if it is given; one without elements removes what is
// there.
func setList[T any](to *[]T, list []T) {
	switch {
	case list == nil:
	case len(list) == 0:
		*to = nil
	default:
		*to = list
	}
}

// setTable writes a map if it is given; one without entries removes what is
// there.
func setTable(to *map[string]string, entries map[string]string) {
	switch {
	case entries == nil:
	case len(entries) == 0:
		*to = nil
	default:
		*to = entries
	}
}

// change applies a change to a part of a resource that may be absent. A part
// that the change leaves without content is absent afterwards; one that it does
// not touch stays as it is.
func change[T any](part **T, apply func(*T)) {
	var before, after T
	if *part != nil {
		before, after = **part, **part
	}
	apply(&after)
	var empty T
	switch {
	case reflect.DeepEqual(before, after) && *part != nil:
	case reflect.DeepEqual(after, empty):
		*part = nil
	default:
		*part = &after
	}
}

// nonZero returns a pointer to a value that a resource would not omit.
func nonZero[T comparable](value T) *T {
	var zero T
	if value == zero {
		return nil
	}
	return &value
}

// pointer returns a pointer to a copy of the value.
func pointer[T any](value T) *T { return &value }
