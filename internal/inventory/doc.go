// Package inventory finds out what runs in clusters, and keeps the meshes, workloads
// and destinations that the management cluster stores in step with that.
package inventory
