// Package inventory discovers what runs in clusters, and keeps the Meshes, Workloads and
// Destinations stored in the management cluster up to date.
package inventory
