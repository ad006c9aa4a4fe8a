package istio

import (
	"strconv"

	security "istio.io/api/security/v1"
	selectors "istio.io/api/type/v1beta1"

	"github.com/meshctl/meshctl/internal/policy"
	"github.com/meshctl/meshctl/internal/policy/selector"
	"github.com/meshctl/meshctl/internal/policy/serviceport"
	"github.com/meshctl/meshctl/internal/world"
)

// openGatewayPrefix is the name prefix of policies that keep gateways open to all
// callers.
const openGatewayPrefix = "allow-ingress-gateway-"

// maxRules is the maximum number of rules in an AuthorizationPolicy, and of
// sources in a rule.
const maxRules = 512

// addAccess adds the AuthorizationPolicies of a Destination, and
// one that allows all callers if it is a gateway that stays open (D38).
func (b *builder) addAccess(d *world.Destination) {
	if b.result.StaysOpen(d.ID) && len(d.Selector) > 0 {
		vm := b.result.Meshes[d.Mesh.ID].VirtualMesh
		b.add(KindAuthorizationPolicy, d.Ref.Namespace, objectName(openGatewayPrefix+d.Ref.Name), d.Key(),
			&security.AuthorizationPolicy{Selector: podsBehind(d), Rules: []*security.Rule{{}}},
			[]world.ObjectID{parentOf(kindVirtualMesh, &vm.Resource.ObjectMeta)})
	}
	inForce := b.result.RulesOf(d.ID)
	if len(inForce) == 0 || len(d.Selector) == 0 {
		return // an ALLOW policy without rules would deny everything
	}
	var rules []*security.Rule
	parents := []world.ObjectID{parentOf(kindDestination, &d.Resource.ObjectMeta)}
	for _, rule := range inForce {
		p := &b.result.AccessPolicies[rule.Policy]
		rules = append(rules, accessRules(p, d)...)
		parents = append(parents, parentOf(kindAccessPolicy, &p.Resource.ObjectMeta))
	}
	// A policy that allows no caller must still make the pods deny all others
	// (D33), so the first part is written even without rules.
	for part := 0; part == 0 || len(rules) > 0; part++ {
		some := rules[:min(len(rules), maxRules)]
		rules = rules[len(some):]
		name := d.Ref.Name
		if part > 0 {
			name += "-" + strconv.Itoa(part+1)
		}
		b.add(KindAuthorizationPolicy, d.Ref.Namespace, name, d.Key(),
			&security.AuthorizationPolicy{Selector: podsBehind(d), Rules: some}, sortedIDs(parents))
	}
}

func podsBehind(d *world.Destination) *selectors.WorkloadSelector {
	return &selectors.WorkloadSelector{MatchLabels: d.Selector}
}

// accessRules renders one policy for a Destination: a rule without sources if it
// allows every caller, no rule if it allows none, and otherwise usually one rule
// with all sources (D30).
func accessRules(p *policy.AccessPolicy, d *world.Destination) []*security.Rule {
	to, possible := operations(p, d)
	if !possible {
		return nil
	}
	var from []*security.Rule_From
	for _, grant := range p.Grants(d) {
		source, anybody, somebody := sourceOf(grant)
		if anybody {
			return []*security.Rule{{To: to}}
		}
		if somebody {
			from = append(from, &security.Rule_From{Source: source})
		}
	}
	var rules []*security.Rule
	for len(from) > 0 {
		n := min(len(from), maxRules)
		rules = append(rules, &security.Rule{From: from[:n], To: to})
		from = from[n:]
	}
	return rules
}

// sourceOf renders the callers of a grant; all set fields must match. anybody is
// true if nothing is set; somebody is false if no identity is left, so that the
// grant allows no caller.
func sourceOf(grant selector.Grant) (source *security.Source, anybody, somebody bool) {
	source = &security.Source{
		Principals: grant.Principals(), Namespaces: grant.Namespaces,
		RequestPrincipals: grant.Request.RequestPrincipals, NotRequestPrincipals: grant.Request.NotRequestPrincipals,
		RemoteIpBlocks: grant.Request.ForwardedIPs, NotRemoteIpBlocks: grant.Request.NotForwardedIPs,
	}
	if grant.AnySource {
		return source, grant.Request.IsZero(), true
	}
	return source, false, len(source.Principals)+len(source.Namespaces) > 0
}

// operations renders the allowed operations, nil if all are. It returns false if
// none is, because no allowed port leads to pods. Istio compares ports with those
// of the pods (D53).
func operations(p *policy.AccessPolicy, d *world.Destination) (to []*security.Rule_To, possible bool) {
	allowed := p.Operation()
	if allowed.IsZero() {
		return nil, true
	}
	operation := &security.Operation{Paths: allowed.Paths, Methods: allowed.Methods}
	if len(allowed.Ports) > 0 {
		ports := serviceport.OfPods(d, allowed.Ports)
		if len(ports) == 0 {
			return nil, false // an operation without ports would allow all ports
		}
		for _, port := range ports {
			operation.Ports = append(operation.Ports, strconv.FormatUint(uint64(port), 10))
		}
	}
	return []*security.Rule_To{{Operation: operation}}, true
}
