// Package istio renders an evaluated world into the Istio objects of every
// cluster: routes, connection settings, access control and federation. It makes
// no decisions of its own: the policy package decides what applies where. The
// same world gives the same objects in the same order.
//
// The rules and their names (5.1, D19, ...) are those of the behavioural
// specification of the mesh API.
package istio
