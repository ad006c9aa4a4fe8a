// Package rollout makes a cluster have what was rendered for it: it plans
// (NewPlan) what differs from what is stored, writes that stage by stage (Run),
// and removes what is not wanted any more. It knows neither a command line nor
// Istio: stages, needs and routing are handed to it.
package rollout
