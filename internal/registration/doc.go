// Package registration introduces clusters to a management cluster and takes
// them out again: register, rotate the token, deregister, and list with their
// state. It also installs meshctl's definitions, roles and controller on the
// management cluster. Each run reports its phases to an Observer, and takes back
// what it made if it fails.
package registration
