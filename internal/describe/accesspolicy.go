package describe

import (
	"strconv"
	"strings"

	"github.com/meshctl/meshctl/internal/output/view"
	"github.com/meshctl/meshctl/internal/policy"
)

// AccessPolicyDescriptionList is what `describe accesspolicy -o json` prints.
type AccessPolicyDescriptionList = List[*AccessPolicyDescription]

// AccessPolicyDescription describes an AccessPolicy: the callers that it allows,
// to which operations, and where it is effective.
type AccessPolicyDescription struct {
	PolicyApplication
	// OwnMeshOnly is true if the policy allows the workloads of each
	// destination's own mesh; Admits is then absent.
	OwnMeshOnly bool `json:"ownMeshOnly,omitempty"`
	// Admits lists alternatives; an element without fields allows every caller,
	// and one with nobody none.
	Admits []AccessSource `json:"admits,omitempty"`
	// Operation is absent if all operations are allowed.
	Operation *AccessOperation `json:"operation,omitempty"`
}

// AccessPolicies describes the policies at the given positions in the world,
// in their order.
func AccessPolicies(result *policy.Result, positions []int, opts Options) AccessPolicyDescriptionList {
	v := newViewer(result)
	return newList(v, "AccessPolicyDescriptionList", positions, opts, func(i int) (*AccessPolicyDescription, []int) {
		p := &result.AccessPolicies[i]
		spec := &p.Resource.Spec
		ref := policy.PolicyRef{Kind: policy.KindAccessPolicy, Index: i}
		item := &AccessPolicyDescription{
			PolicyApplication: v.policyApplication(ref, opts), OwnMeshOnly: p.AdmitsOwnMeshOnly(), Operation: viewOperation(p.Operation()),
		}
		item.From, item.To = IdentitySelectorTexts(spec.SourceSelector), destinationSelectorTexts(spec.DestinationSelector)
		if !item.OwnMeshOnly {
			for _, rule := range alternatives(AccessRule{}, p.Grants(nil)) {
				source := AccessSource{}
				if rule.From != nil {
					source = *rule.From
				}
				item.Admits = append(item.Admits, source)
			}
		}
		findings := result.FindingsOn(p.ID())
		item.findings = len(findings)
		return item, findings
	})
}

func (p *AccessPolicyDescription) reference() string { return "accesspolicy/" + p.name() }

func (*AccessPolicyDescription) columns() []view.Column {
	return append([]view.Column{
		{Name: "NAMESPACE"},
		{Name: "NAME"},
		{Name: "STATE", Tone: toneOf},
		{Name: "WRITTEN", Tone: writtenTone, Priority: 1},
		{Name: "MAY", Content: view.Prose},
		{Name: "DESTINATIONS", Priority: 2},
		{Name: "SOURCES", Priority: 3},
		{Name: "FINDINGS"},
	}, view.WideColumns("FROM", "TO")...)
}

func (p *AccessPolicyDescription) row(wide bool) []string {
	row := []string{
		p.Namespace, p.Name, shownState(string(p.State)), p.Written.cell(), p.Operation.text(), p.effectiveText(), strconv.Itoa(*p.SourceCount), strconv.Itoa(p.findings),
	}
	if wide {
		row = append(row, strings.Join(p.From, "; "), strings.Join(p.To, "; "))
	}
	return row
}

func (p *AccessPolicyDescription) write(w *view.Text) {
	var admitted []string
	for i := range p.Admits {
		admitted = append(admitted, p.Admits[i].lines()...)
	}
	if p.OwnMeshOnly {
		admitted = []string{"identities of the destination's own mesh"}
	}
	p.writeHead(w, []view.Field{
		{Key: "May", Value: p.Operation.text()},
		{Key: "Identities", Items: admitted},
	})
	p.writeApplication(w)
}
