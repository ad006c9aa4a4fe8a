// Package restart plans and runs rolling restarts of what belongs to a mesh: its
// control plane, then its gateways, then the workloads with its sidecars
// (design, section 2). Inspect reads a cluster, NewPlan decides without any
// input or output what is restarted, why, and what cannot be, and Run does it
// and waits.
package restart
