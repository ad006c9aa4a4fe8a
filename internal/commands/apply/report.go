package apply

import (
	"github.com/meshctl/meshctl/internal/kube"
	"github.com/meshctl/meshctl/internal/rollout"
)

// APIVersion is the version of the document of apply.
const APIVersion = "apply.meshctl.io/v1alpha1"

// applyReport is the documented form of -o json and -o yaml: the changes of every
// cluster, made or planned.
type applyReport struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	// DryRun is none, client or server.
	DryRun   string           `json:"dryRun"`
	Clusters []appliedCluster `json:"clusters"`
	// Statuses are the resources of the management cluster whose status was
	// written, or could not be.
	Statuses []appliedStatus `json:"statuses,omitempty"`
}

// appliedCluster is the result of one cluster.
type appliedCluster struct {
	Name string `json:"name"`
	// Errors are about the cluster as a whole, or about whole kinds.
	Errors    []string `json:"errors,omitempty"`
	Unchanged int      `json:"unchanged"`
	// Objects are those that were to be changed, by kind, namespace and name.
	Objects []appliedObject `json:"objects"`
}

// appliedObject is the result of one object.
type appliedObject struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Namespace  string `json:"namespace"`
	Name       string `json:"name"`
	// Change is create, change, delete or conflict.
	Change string `json:"change"`
	// Outcome is absent if the change was not tried.
	Outcome string `json:"outcome,omitempty"`
	Error   string `json:"error,omitempty"`
	// Loss is the protection that the change removes, or would if it were not
	// refused: TLS, CLIENT_TLS, DEFAULT_DENIAL or ACCESS; absent if none.
	Loss   string   `json:"loss,omitempty"`
	Fields []string `json:"fields,omitempty"`
	// Parents are what it was rendered from.
	Parents []string `json:"parents,omitempty"`
}

// appliedStatus is the result of writing the status of a resource.
type appliedStatus struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Error     string `json:"error,omitempty"`
}

// The changes of an object as users see them.
func changeWord(change *rollout.Change) string {
	switch change.Kind {
	case kube.ChangeAdd:
		return "create"
	case kube.ChangeModify:
		return "change"
	case kube.ChangeRemove:
		return "delete"
	case kube.ChangeRefuse, kube.ChangeNone, kube.ChangeLeave:
	}
	if change.Err != nil && change.Err.Reason == kube.ReasonConflict {
		return "conflict"
	}
	return "error"
}

// report returns the results of all clusters and statuses.
func (a *applyRun) report() applyReport {
	report := applyReport{APIVersion: APIVersion, Kind: "ApplyReport", DryRun: a.dryRun.String(), Clusters: []appliedCluster{}}
	for i := range a.plan.Clusters {
		c := &a.plan.Clusters[i]
		cluster := appliedCluster{Name: c.Name, Errors: c.Errors(), Unchanged: c.Unchanged, Objects: []appliedObject{}}
		for _, change := range changesOf(c) {
			cluster.Objects = append(cluster.Objects, newAppliedObject(change))
		}
		report.Clusters = append(report.Clusters, cluster)
	}
	for i := range a.plan.Statuses {
		r := &a.plan.Statuses[i]
		status := appliedStatus{Kind: r.GVK.Kind, Namespace: r.Namespace, Name: r.Name}
		if r.Err != nil {
			status.Error = r.Err.Error()
		}
		report.Statuses = append(report.Statuses, status)
	}
	return report
}

func newAppliedObject(change *rollout.Change) appliedObject {
	object := appliedObject{
		APIVersion: change.Key.GVK.GroupVersion().String(), Kind: change.Key.GVK.Kind, Namespace: change.Key.Namespace, Name: change.Key.Name,
		Change: changeWord(change), Outcome: string(change.Outcome), Loss: string(change.Loss),
	}
	for _, parent := range change.Parents() {
		object.Parents = append(object.Parents, parent.String())
	}
	for _, field := range change.Fields {
		object.Fields = append(object.Fields, field.Path)
	}
	if change.Err != nil {
		object.Error = change.Err.Error()
	}
	return object
}
