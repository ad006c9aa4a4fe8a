// Package impact says what authored objects change for everybody: the view of
// the differences between two evaluated worlds, and its sentences.
package impact

import (
	"github.com/meshctl/meshctl/internal/describe"
	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/compare"
)

// KindRef names an authored object in a view.
type KindRef struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
}

// String returns KIND NAME.NAMESPACE.
func (r KindRef) String() string { return r.Kind + " " + r.Name + "." + r.Namespace }

// View says what an authored object that is new or changed does to the
// world.
type View struct {
	KindRef
	// Presence is added or changed; absent if the object says the same as before.
	Presence compare.Presence `json:"presence,omitempty"`
	// State is APPLIED, PARTIAL, INVALID or IDLE of a policy, ACCEPTED or INVALID
	// of a VirtualMesh; Errors say why it is INVALID as a whole.
	State  policy.State `json:"state"`
	Errors []string     `json:"errors,omitempty"`
	// Affects is absent for a VirtualMesh, and for a policy that is effective
	// nowhere.
	Affects *Affected `json:"affects,omitempty"`
	// Losses say where the policy is not effective.
	Losses []Loss `json:"losses,omitempty"`
	// Ineffective are settings that do not take effect although the policy is effective.
	Ineffective []IneffectiveSetting `json:"unheard,omitempty"`
	// MadeBy are the policies that make all of its settings already, so that it
	// changes nothing.
	MadeBy []KindRef `json:"madeBy,omitempty"`
	// Grouping is set for a VirtualMesh that is ACCEPTED.
	Grouping *Grouping `json:"grouping,omitempty"`
	// Changes are those of the rest of the world.
	Changes ChangeView `json:"changes"`
}

// Affected says whom a policy affects.
type Affected struct {
	// Destinations are NAME.NAMESPACE.CLUSTER of those that it is effective on,
	// SelectedCount is the number of those that it selects.
	Destinations  []string `json:"destinations"`
	SelectedCount int      `json:"selectedCount"`
	// SourceCount counts the workloads whose requests it affects, SourceClusters
	// are theirs; TargetCount and TargetClusters are about those behind the
	// Destinations.
	SourceCount    int      `json:"sourceCount"`
	SourceClusters []string `json:"sourceClusters,omitempty"`
	TargetCount    int      `json:"targetCount"`
	TargetClusters []string `json:"targetClusters,omitempty"`
}

// Grouping says what a VirtualMesh makes of its meshes.
type Grouping struct {
	Trust describe.TrustDescription `json:"trust"`
	// TrustChanged and TLSChanged say that trust or TLS enforcement is not as
	// before.
	TrustChanged   bool   `json:"trustChanged,omitempty"`
	TLSEnforcement string `json:"tlsEnforcement"`
	TLSChanged     bool   `json:"tlsChanged,omitempty"`
	// DefaultAccess is ALLOW or DENY: what happens to requests to Istio meshes
	// that no AccessPolicy decides about.
	DefaultAccess      string `json:"defaultAccess"`
	GlobalAccessPolicy string `json:"globalAccessPolicy"`
	// Meshes are those that it groups; WorkloadCount and DestinationCount count
	// what they have, ExportedCount the Destinations that other meshes can call.
	Meshes           []describe.ObjectRef `json:"meshes"`
	WorkloadCount    int                  `json:"workloadCount"`
	DestinationCount int                  `json:"destinationCount"`
	ExportedCount    int                  `json:"exportedCount"`
}

// ChangeView is what differs between two worlds of the same discovered objects.
type ChangeView struct {
	// Objects are the authored objects that came, went or say something else.
	Objects []ObjectChange `json:"objects,omitempty"`
	// States are other authored objects whose state differs.
	States []StateChange `json:"states,omitempty"`
	// Meshes are those that another VirtualMesh holds than before.
	Meshes []MeshChange `json:"meshes,omitempty"`
	// Federation says what is exposed to other meshes than before.
	Federation []FederationChange `json:"federation,omitempty"`
	// Losses are policies that are no longer effective on Destinations, Restored
	// those that are again.
	Losses   []Loss `json:"losses,omitempty"`
	Restored []Loss `json:"restored,omitempty"`
	// Settings are those of requests and connections that differ.
	Settings []SettingChange `json:"settings,omitempty"`
	// Access says who may call what, unlike before.
	Access []AccessChange `json:"access,omitempty"`
	// Introduced and Fixed are the findings that only one of the worlds has.
	Introduced []describe.Finding `json:"introduced,omitempty"`
	Fixed      []describe.Finding `json:"fixed,omitempty"`
}

// ObjectChange is an authored object that was added, changed or removed.
type ObjectChange struct {
	KindRef
	Presence compare.Presence `json:"presence"`
}

// StateChange is an object that is judged differently than before.
type StateChange struct {
	KindRef
	Before policy.State `json:"before"`
	After  policy.State `json:"after"`
	Errors []string     `json:"errors,omitempty"`

	// effective says that a VirtualMesh groups meshes although it is INVALID.
	effective bool
}

// MeshChange is a mesh that another VirtualMesh holds than before; absent
// stands for none.
type MeshChange struct {
	Mesh   describe.ObjectRef  `json:"mesh"`
	Before *describe.ObjectRef `json:"before,omitempty"`
	After  *describe.ObjectRef `json:"after,omitempty"`
}

// FederationChange are Destinations of one mesh that are exposed to other
// meshes than before, or by another name.
type FederationChange struct {
	Mesh         describe.ObjectRef   `json:"mesh"`
	Before       []describe.ObjectRef `json:"before,omitempty"`
	After        []describe.ObjectRef `json:"after,omitempty"`
	Destinations []string             `json:"destinations"`
	// HostnameBefore and HostnameAfter are the names by which other meshes call the
	// first of the Destinations.
	HostnameBefore string `json:"hostnameBefore,omitempty"`
	HostnameAfter  string `json:"hostnameAfter,omitempty"`
	// Flat says that requests go straight to the pods now.
	Flat bool `json:"flat,omitempty"`
}

// Loss is a policy that is not effective on Destinations.
type Loss struct {
	Policy KindRef `json:"policy"`
	// Fields are all settings of the policy; it has none of them there.
	Fields []string `json:"fields,omitempty"`
	// Field is the setting that is to blame, Winner the policy that takes effect
	// instead, if there is one.
	Field        string   `json:"field,omitempty"`
	Reason       string   `json:"reason"`
	Winner       *KindRef `json:"winner,omitempty"`
	Destinations []string `json:"destinations"`
}

// IneffectiveSetting is a setting of a policy that does not take effect on Destinations
// that the policy is effective on.
type IneffectiveSetting struct {
	Field string `json:"field"`
	// Reason is set if the setting has nothing to apply to.
	Reason string   `json:"reason,omitempty"`
	Winner *KindRef `json:"winner,omitempty"`
	// Replaced says that the winner makes the setting, too.
	Replaced bool `json:"replaced,omitempty"`
	// Never says that no request to the Destinations gets the setting; otherwise
	// those of Match from Sources do not.
	Never        bool                   `json:"never,omitempty"`
	Match        *describe.RequestMatch `json:"match,omitempty"`
	Destinations []string               `json:"destinations"`
	Callers
}

// Callers are workloads. Sources names at most twenty of them, SourceCount
// counts all.
type Callers struct {
	Sources     []string `json:"sources,omitempty"`
	SourceCount int      `json:"sourceCount"`
	// Everyone says that they are all who can call the Destinations.
	Everyone bool `json:"everyone,omitempty"`
}

// SettingChange is a setting that requests or connections get unlike before.
type SettingChange struct {
	Field string                 `json:"field"`
	Match *describe.RequestMatch `json:"match,omitempty"`
	// Before and After are absent where the setting is not made.
	Before *EffectiveSetting `json:"before,omitempty"`
	After  *EffectiveSetting `json:"after,omitempty"`
	// By is the policy that takes the requests now without making the setting.
	By           *KindRef `json:"by,omitempty"`
	Destinations []string `json:"destinations"`
	Callers
}

// EffectiveSetting is a setting that takes effect, in the form of the field in
// a manifest with defaults filled in.
type EffectiveSetting struct {
	Value  any     `json:"value"`
	Policy KindRef `json:"policy"`
}

// AccessChange are callers for whom the decision about calls differs.
type AccessChange struct {
	// Before and After are ALLOWED, DENIED, CONDITIONAL or UNREACHABLE; both are
	// CONDITIONAL if the conditions differ.
	Before policy.Decision `json:"before"`
	After  policy.Decision `json:"after"`
	// Fewer says of CONDITIONAL calls that a condition is gone under which they were
	// allowed; otherwise there are only more.
	Fewer bool `json:"fewer,omitempty"`
	// Reason says why, for all of the Destinations.
	Reason       string   `json:"reason"`
	Destinations []string `json:"destinations"`
	Callers

	// byDefault says that no AccessPolicy decides now.
	byDefault bool
}
