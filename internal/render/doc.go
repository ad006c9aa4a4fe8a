// Package render turns what a user asks for into resources. Each kind has an
// Input, filled by flags or by the wizard, that is checked once and turned into
// a resource by a pure function; and the resource leads back to the flags that
// recreate it.
package render
