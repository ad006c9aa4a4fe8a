// Package text turns values into words for people: lists that stay short,
// counts with their nouns, lines that fit a width, and text from outside in a
// form that is safe to print. It is pure, so that engines and views can use it.
package text
