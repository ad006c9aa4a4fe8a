package v1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// Workload is a controller whose pods belong to a mesh.
//
// +kubebuilder:object:root=true
// +kubebuilder:subresource:status
// +kubebuilder:resource:path=workloads
type Workload struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata,omitempty,omitzero"`

	Spec WorkloadSpec `json:"spec,omitempty,omitzero"`
	// Status reported by a controller. Its schema is open because controllers of other versions
	// write it too.
	//
	// +kubebuilder:validation:Schemaless
	// +kubebuilder:validation:Type=object
	// +kubebuilder:pruning:PreserveUnknownFields
	Status WorkloadStatus `json:"status,omitempty,omitzero"`
}

// WorkloadSpec is what discovery found.
type WorkloadSpec struct {
	Kubernetes *KubernetesWorkload `json:"kubernetes,omitempty"`
	Mesh       *core.ObjectRef     `json:"mesh,omitempty"`
	AppMesh    *AppMeshWorkload    `json:"appMesh,omitempty"`
	// Facts that meshctl's discovery adds.
	Meshctl *WorkloadFacts `json:"meshctl,omitempty"`
}

// KubernetesWorkload is a Deployment, DaemonSet or StatefulSet.
type KubernetesWorkload struct {
	Controller *core.ClusterObjectRef `json:"controller,omitempty"`
	// Labels of the pod template.
	PodLabels map[string]string `json:"podLabels,omitempty"`
	// `default` if omitted.
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
}

// AppMeshWorkload is what App Mesh knows about a workload.
type AppMeshWorkload struct {
	VirtualNodeName string          `json:"virtualNodeName,omitempty"`
	Ports           []ContainerPort `json:"ports,omitempty"`
}

// ContainerPort is a port that a container listens on.
type ContainerPort struct {
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=65535
	Port     uint32 `json:"port,omitempty"`
	Protocol string `json:"protocol,omitempty"`
}

// WorkloadStatus is what applies to a workload.
type WorkloadStatus struct {
	ObservedGeneration      core.Int64               `json:"observedGeneration,omitempty"`
	AppliedAccessLogRecords []AppliedAccessLogRecord `json:"appliedAccessLogRecords,omitempty"`
	AppliedWasmDeployments  []AppliedWasmDeployment  `json:"appliedWasmDeployments,omitempty"`
	ServiceDependencies     *ServiceDependencies     `json:"serviceDependencies,omitempty"`
}

// AppliedAccessLogRecord is an access log configuration of a workload.
type AppliedAccessLogRecord struct {
	Ref                *core.ObjectRef `json:"ref,omitempty"`
	ObservedGeneration core.Int64      `json:"observedGeneration,omitempty"`
	Errors             []string        `json:"errors,omitempty"`
}

// AppliedWasmDeployment is a Wasm filter of a workload.
type AppliedWasmDeployment struct {
	Ref                *core.ObjectRef `json:"ref,omitempty"`
	ObservedGeneration core.Int64      `json:"observedGeneration,omitempty"`
	Errors             []string        `json:"errors,omitempty"`
}

// ServiceDependencies limit the configuration that the proxies of a workload receive.
type ServiceDependencies struct {
	AppliedServiceDependencies []AppliedServiceDependency `json:"appliedServiceDependencies,omitempty"`
	DestinationHostnames       []string                   `json:"destinationHostnames,omitempty"`
}

// AppliedServiceDependency is one service dependency of a workload.
type AppliedServiceDependency struct {
	ServiceDependencyRef *core.ObjectRef `json:"serviceDependencyRef,omitempty"`
	ObservedGeneration   core.Int64      `json:"observedGeneration,omitempty"`
}
