// Package impact describes what authored objects change: the view of the
// differences between two evaluated worlds, and its sentences.
package impact

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
	"github.com/meshctl/meshctl/internal/reach"
)

// KindRef names an authored object in a view.
type KindRef struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns KIND NAME.NAMESPACE.
func (r KindRef) String() string { return r.Kind + " " + r.Name + "." + r.Namespace }

// View is the impact of a new or changed authored object.
type View struct {
	KindRef
	// Presence is added or changed; absent if the object is unchanged.
	Presence compare.Presence `json:"presence,omitempty"`
	// State is APPLIED, PARTIAL, INVALID or IDLE for a policy, ACCEPTED or
	// INVALID for a VirtualMesh; Errors are the reasons if it is INVALID as a
	// whole.
	State  policy.State `json:"state"`
	Errors []string     `json:"errors,omitempty"`
	// Affects is absent for a VirtualMesh, and for a policy that is effective
	// nowhere.
	Affects *Affected `json:"affects,omitempty"`
	// Losses are the destinations on which the policy is not effective.
	Losses []Loss `json:"losses,omitempty"`
	// Ineffective are settings that are not effective although the policy is.
	Ineffective []IneffectiveSetting `json:"unheard,omitempty"`
	// MadeBy are the policies that already set all of its values, so that it changes nothing.
	MadeBy []KindRef `json:"madeBy,omitempty"`
	// Grouping is set for a VirtualMesh that is ACCEPTED.
	Grouping *Grouping `json:"grouping,omitempty"`
	// Changes are the changes of the rest of the world.
	Changes ChangeView `json:"changes"`
}

// Affected is what a policy affects.
type Affected struct {
	// Destinations are those on which it is effective, as NAME.NAMESPACE.CLUSTER;
	// SelectedCount is the number that it selects.
	Destinations  []string `json:"destinations"`
	SelectedCount int      `json:"selectedCount"`
	// SourceCount is the number of workloads whose requests it affects, in
	// SourceClusters; TargetCount and TargetClusters are the same for the
	// workloads behind the Destinations.
	SourceCount    int      `json:"sourceCount"`
	SourceClusters []string `json:"sourceClusters,omitempty"`
	TargetCount    int      `json:"targetCount"`
	TargetClusters []string `json:"targetClusters,omitempty"`

	// admitting are the Destinations to which an AccessPolicy allows any request.
	admitting []string
}

// Grouping describes how a VirtualMesh connects its meshes.
type Grouping struct {
	Trust describe.TrustDescription `json:"trust"`
	// TrustChanged and TLSChanged are true if trust or TLS enforcement changes.
	TrustChanged   bool   `json:"trustChanged,omitempty"`
	TLSEnforcement string `json:"tlsEnforcement"`
	TLSChanged     bool   `json:"tlsChanged,omitempty"`
	// DefaultAccess is ALLOW or DENY: the default for requests to Istio meshes
	// without an AccessPolicy.
	DefaultAccess      string `json:"defaultAccess"`
	GlobalAccessPolicy string `json:"globalAccessPolicy"`
	// Meshes are its meshes; WorkloadCount and DestinationCount are the numbers
	// of their objects, ExportedCount the number of Destinations that other
	// meshes can call.
	Meshes           []describe.ObjectRef `json:"meshes"`
	WorkloadCount    int                  `json:"workloadCount"`
	DestinationCount int                  `json:"destinationCount"`
	ExportedCount    int                  `json:"exportedCount"`
}

// ChangeView is the differences between two worlds with the same discovered
// objects.
type ChangeView struct {
	// Objects are the authored objects that were added, removed or changed.
	Objects []ObjectChange `json:"objects,omitempty"`
	// States are other authored objects whose state changes.
	States []StateChange `json:"states,omitempty"`
	// Meshes are the meshes that move to another VirtualMesh.
	Meshes []MeshChange `json:"meshes,omitempty"`
	// Federation is what is newly exposed, or no longer exposed, to other meshes.
	Federation []FederationChange `json:"federation,omitempty"`
	// Losses are policies that are no longer effective on Destinations; Restored
	// are effective again.
	Losses   []Loss `json:"losses,omitempty"`
	Restored []Loss `json:"restored,omitempty"`
	// Settings are the changed settings of requests and connections.
	Settings []SettingChange `json:"settings,omitempty"`
	// Access is the changed decisions about callers.
	Access []AccessChange `json:"access,omitempty"`
	// Introduced and Fixed are findings that are in only one of the worlds.
	Introduced []describe.Finding `json:"introduced,omitempty"`
	Fixed      []describe.Finding `json:"fixed,omitempty"`
}

// ObjectChange is an authored object that was added, changed or removed.
type ObjectChange struct {
	KindRef
	Presence compare.Presence `json:"presence"`
}

// StateChange is an unchanged object whose state changes.
type StateChange struct {
	KindRef
	Before policy.State `json:"before"`
	After  policy.State `json:"after"`
	Errors []string     `json:"errors,omitempty"`

	// effective is true if a VirtualMesh groups meshes although it is INVALID.
	effective bool
}

// MeshChange is a mesh that moves to another VirtualMesh; absent means none.
type MeshChange struct {
	Mesh   describe.ObjectRef  `json:"mesh"`
	Before *describe.ObjectRef `json:"before,omitempty"`
	After  *describe.ObjectRef `json:"after,omitempty"`
}

// FederationChange is a group of Destinations of one mesh whose exposure to other
// meshes, or whose hostname, changes.
type FederationChange struct {
	Mesh         describe.ObjectRef   `json:"mesh"`
	Before       []describe.ObjectRef `json:"before,omitempty"`
	After        []describe.ObjectRef `json:"after,omitempty"`
	Destinations []string             `json:"destinations"`
	// HostnameBefore and HostnameAfter are the hostnames of the first Destination
	// in other meshes.
	HostnameBefore string `json:"hostnameBefore,omitempty"`
	HostnameAfter  string `json:"hostnameAfter,omitempty"`
	// Flat is true if requests now go directly to the pods.
	Flat bool `json:"flat,omitempty"`
}

// Loss is a policy that is not effective on Destinations.
type Loss struct {
	Policy KindRef `json:"policy"`
	// Fields are all settings of the policy; none of them is effective there.
	Fields []string `json:"fields,omitempty"`
	// Field is the conflicting setting, Winner the policy that is effective
	// instead, if any.
	Field        string   `json:"field,omitempty"`
	Reason       string   `json:"reason"`
	Winner       *KindRef `json:"winner,omitempty"`
	Destinations []string `json:"destinations"`
}

// IneffectiveSetting is a setting of a policy that is not effective on
// Destinations on which the policy is.
type IneffectiveSetting struct {
	Field string `json:"field"`
	// Reason is set if the setting has nothing to apply to.
	Reason string   `json:"reason,omitempty"`
	Winner *KindRef `json:"winner,omitempty"`
	// Replaced is true if the winner makes the same setting with another value.
	Replaced bool `json:"replaced,omitempty"`
	// Never is true if no request to the Destinations gets the setting; otherwise
	// requests of Match from Sources do not.
	Never        bool                   `json:"never,omitempty"`
	Match        *describe.RequestMatch `json:"match,omitempty"`
	Destinations []string               `json:"destinations"`
	Callers
}

// Callers are workloads. Sources names at most twenty of them, SourceCount is the
// number of all.
type Callers struct {
	Sources     []string `json:"sources,omitempty"`
	SourceCount int      `json:"sourceCount"`
	// Everyone is true if they are all workloads that can call the Destinations.
	Everyone bool `json:"everyone,omitempty"`
}

// SettingChange is a changed setting of requests or connections.
type SettingChange struct {
	Field string                 `json:"field"`
	Match *describe.RequestMatch `json:"match,omitempty"`
	// Before and After are absent if the setting is not made.
	Before *EffectiveSetting `json:"before,omitempty"`
	After  *EffectiveSetting `json:"after,omitempty"`
	// By is the policy that now handles the requests without making the setting.
	By           *KindRef `json:"by,omitempty"`
	Destinations []string `json:"destinations"`
	Callers
}

// EffectiveSetting is an effective setting, in the form of the manifest field
// with defaults filled in.
type EffectiveSetting struct {
	Value  any     `json:"value"`
	Policy KindRef `json:"policy"`
}

// AccessChange is a changed decision for callers.
type AccessChange struct {
	// Before and After are ALLOWED, DENIED, CONDITIONAL, UNREACHABLE or UNKNOWN; both are
	// CONDITIONAL if the conditions differ.
	Before reach.Decision `json:"before"`
	After  reach.Decision `json:"after"`
	// Fewer is true for CONDITIONAL calls that lose a condition under which they
	// were allowed; otherwise they only gain conditions.
	Fewer bool `json:"fewer,omitempty"`
	// Reason is the reason for all of the Destinations.
	Reason       string   `json:"reason"`
	Destinations []string `json:"destinations"`
	Callers

	// byDefault is true if no AccessPolicy applies now.
	byDefault bool
	// federation is true if it follows from what is federated.
	federation bool
}
