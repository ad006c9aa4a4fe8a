// Package istio turns an evaluated world into the Istio objects of every
// cluster: routes, connection settings, access control and federation. It
// decides nothing: what applies where is the answer of the policy package. The
// same world gives the same objects in the same order.
//
// The rules and their names (5.1, D19, ...) are those of the behavioural
// specification of the mesh API.
package istio
