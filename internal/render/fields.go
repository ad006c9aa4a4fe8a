package render

import (
	"maps"
	"slices"
)

// read and write are the two directions of a text form: write gives what read
// understands.
type (
	read[T any]  func(p piece, names Names) (T, error)
	write[T any] func(T) string
)

// Given reports whether the input gives the flag, be it a list without
// elements.
func (f Field[I]) Given(in *I) bool { return f.get(in) != nil }

// Texts returns what the flag is in the input, one text per occurrence; nil if
// the input does not give it. What the flag cannot express is left out.
func (f Field[I]) Texts(in *I) []string { return f.get(in) }

// Set reads one occurrence of the flag into the input; an occurrence of a
// repeatable flag adds to what is there. The error is a *SyntaxError where a
// character is to blame.
func (f Field[I]) Set(in *I, text string, names Names) error {
	if err := checkText(whole(text)); err != nil {
		return err
	}
	return f.set(in, text, names)
}

// Check reports what Set would say about a text on its own.
func (f Field[I]) Check(text string, names Names) error { return f.Set(new(I), text, names) }

// single completes a flag that gives one value.
func single[I, T any](f Field[I], at func(*I) **T, r read[T], w write[T]) Field[I] {
	f.set = func(in *I, text string, names Names) error {
		value, err := r(whole(text), names)
		if err == nil {
			*at(in) = &value
		}
		return err
	}
	f.get = func(in *I) []string {
		if value := *at(in); value != nil {
			return []string{w(*value)}
		}
		return nil
	}
	return f
}

// many completes a flag that gives one element of a list each time.
func many[I, T any](f Field[I], at func(*I) *[]T, r read[T], w write[T]) Field[I] {
	return spread(f, at, r, func(value T) []string { return []string{w(value)} })
}

// spread is many for elements that may need several flags: alternatives that a
// flag can only give one of.
func spread[I, T any](f Field[I], at func(*I) *[]T, r read[T], w func(T) []string) Field[I] {
	f.Repeatable = true
	f.set = func(in *I, text string, names Names) error {
		value, err := r(whole(text), names)
		if err == nil {
			*at(in) = append(*at(in), value)
		}
		return err
	}
	f.get = func(in *I) []string {
		list := *at(in)
		if list == nil {
			return nil
		}
		texts := make([]string, 0, len(list))
		for _, value := range list {
			texts = append(texts, w(value)...)
		}
		return texts
	}
	return f
}

// table completes a flag that gives one entry of a map each time.
func table[I any](f Field[I], at func(*I) *map[string]string, r func(p piece) (name, value piece, err error)) Field[I] {
	f.Repeatable = true
	f.set = func(in *I, text string, _ Names) error {
		name, value, err := r(whole(text))
		if err != nil {
			return err
		}
		if *at(in) == nil {
			*at(in) = map[string]string{}
		}
		return addHeader(*at(in), name, value)
	}
	f.get = func(in *I) []string {
		entries := *at(in)
		if entries == nil {
			return nil
		}
		texts := make([]string, 0, len(entries))
		for _, name := range sortedNames(entries) {
			texts = append(texts, name+"="+entries[name])
		}
		return texts
	}
	return f
}

// toggle completes a switch.
func toggle[I any](f Field[I], at func(*I) **bool) Field[I] {
	return single(f, at, readBool, writeBool)
}

// choice completes a flag that takes one of a few values.
func choice[I any, T ~string](f Field[I], at func(*I) **T, values ...T) Field[I] {
	for _, v := range values {
		f.Enum = append(f.Enum, string(v))
	}
	return single(f, at,
		func(p piece, _ Names) (T, error) {
			text, err := readEnum(p, f.Enum)
			return T(text), err
		},
		func(value T) string { return string(value) },
	)
}

func sortedNames(entries map[string]string) []string { return slices.Sorted(maps.Keys(entries)) }
