// Package restart plans and runs rolling restarts of what belongs to a mesh: its
// control plane, then its gateways, then the workloads with its sidecars
// (design, section 2). Inspect reads a cluster, NewPlan decides without any
// input or output what is restarted, why, and what cannot be, and Run does it
// and waits.
//
// Select and PlanFleet do the same for several meshes on several clusters
// (fleet.go); an Observer is told what happens.
package restart
