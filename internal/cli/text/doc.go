// Package text formats values for people: bounded lists, counts with their nouns,
// wrapped lines, and escaped text from outside. It is pure, so that engines and
// views can use it.
package text
