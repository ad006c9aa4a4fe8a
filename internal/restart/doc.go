// Package restart plans and runs rolling restarts of a mesh: first its control plane, then its
// gateways, then the workloads with sidecars (design, section 2). Inspect reads a cluster.
// NewPlan decides, without any I/O, what to restart, why, and what cannot be restarted. Run
// executes the plan and waits for it.
//
// Select and PlanFleet do the same for several meshes on several clusters (fleet.go). An
// Observer receives progress events.
package restart
