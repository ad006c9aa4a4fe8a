// Package registration registers clusters with a management cluster, rotates their tokens,
// deregisters them, and lists them with their status. It also installs meshctl's CRDs, roles
// and controller in the management cluster. Operations report their phases to an Observer, and
// roll back what they created if they fail.
package registration
