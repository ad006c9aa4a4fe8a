// Package rollout makes clusters have what is rendered for them. NewPlan compares
// the Istio configuration of a world with what the clusters have, Plan.Run writes
// the difference stage by stage, removes what is not wanted any more, and reports in
// the status of meshctl's resources; Watch does so whenever something changes. It
// knows no command line and prints nothing: a Plan has what is to be done and
// what came of it, as values.
package rollout
