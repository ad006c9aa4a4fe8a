package wizard

import (
	"cmp"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/render"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// AccessPolicy asks for what the draft of an AccessPolicy does not have.
func AccessPolicy(p Prompter, c Catalogue, d *Draft[render.AccessPolicyInput]) error {
	return newAccessPolicy(p, c, d).run()
}

// RevisitAccessPolicy lets the user change any part of a draft that is complete.
func RevisitAccessPolicy(p Prompter, c Catalogue, d *Draft[render.AccessPolicyInput]) error {
	return newAccessPolicy(p, c, d).revisit()
}

// accessPolicy is the questions about one AccessPolicy.
type accessPolicy struct {
	*flow
	in *render.AccessPolicyInput
}

func newAccessPolicy(p Prompter, c Catalogue, d *Draft[render.AccessPolicyInput]) *flow {
	f := newFlow(p, c, d)
	a := &accessPolicy{flow: f, in: d.Input}
	f.sections = []section{
		naming(f, d, "access policy", "access-policy",
			"The name of the policy. Choose one that tells who may call what, such as productpage-to-reviews."),
		{
			title: "Callers", basic: true, flags: []string{"source"}, ask: a.askCallers,
			set: func() bool { return a.in.Sources != nil }, now: a.callersText,
		},
		{
			title: "Destinations", basic: true, flags: []string{"destination", "destination-selector"}, ask: a.askDestinations,
			set: func() bool { return a.in.Destinations != nil },
			now: func() string { return destinationsText(a.in.Destinations) },
		},
		{
			title: "Requests", basic: true, flags: []string{"path", "method", "port"}, ask: a.askRequests,
			set: func() bool { return a.in.Paths != nil || a.in.Methods != nil || a.in.Ports != nil },
			now: a.requestsText,
		},
	}
	return f
}

// callers is who may call.
type callers string

const (
	callersSome callers = "some"
	callersMesh callers = "mesh"
	callersAny  callers = "any"
)

// allOfTheMesh is what a policy without sources allows (D31).
func allOfTheMesh() Option { return Option{Label: "All workloads in the mesh of the service"} }

func (a *accessPolicy) callers() callers {
	switch {
	case a.in.Sources == nil:
		return callersSome
	case len(a.in.Sources) == 0:
		return callersMesh
	case len(a.in.Sources) == 1 && a.in.Sources[0] == core.IdentitySelector{}:
		return callersAny
	default:
		return callersSome
	}
}

func (a *accessPolicy) askCallers() error {
	chosen, err := pick(a.flow, Question{
		Text: "Who may call?",
		Help: "The first access policy on a service denies all callers that no policy allows.",
	}, []choice[callers]{
		{callersSome, "Selected callers", "by service account, namespace, cluster, token or address"},
		{callersMesh, allOfTheMesh().Label, ""},
		{callersAny, "Anyone", "including callers without identity"},
	}, a.callers())
	if err != nil {
		return err
	}
	sources := []core.IdentitySelector{}
	switch chosen {
	case callersAny:
		sources = []core.IdentitySelector{{}}
	case callersSome:
		var current []core.IdentitySelector
		if a.callers() == callersSome {
			current = a.in.Sources
		}
		if sources, err = editList(a.flow, "callers", current, allOfTheMesh(), identityText, a.oneIdentity); err != nil {
			return err
		}
	default: // an empty list (D31)
	}
	a.in.Sources = sources
	return nil
}

// oneIdentity asks for callers for whom everything that is chosen holds.
func (a *accessPolicy) oneIdentity() ([]core.IdentitySelector, error) {
	var accounts []core.ClusterObjectRef
	var namespaces, clusters, principals, notPrincipals, ips, notIPs []string
	list := []setting{
		{
			label: "Service account", about: "workloads with this service account",
			now: func() string { return "" }, clear: func() {},
			ask: func() (err error) {
				accounts, err = a.accounts()
				return err
			},
		},
		{
			label: "Namespace", about: "workloads in a namespace",
			now: func() string { return "" }, clear: func() {},
			ask: func() (err error) {
				namespaces, err = a.strings("Which namespaces?", "Workloads in any of them may call.", a.known.Namespaces, nil)
				return err
			},
		},
		{
			label: "Cluster", about: "workloads on a cluster",
			now: func() string { return "" }, clear: func() {},
			ask: func() (err error) {
				clusters, err = a.strings("Which clusters?", "Workloads on any of them may call.", a.known.Clusters, nil)
				return err
			},
		},
		wordList(a.flow, "JWT principal", "principal in the request token", "Request principals, ISSUER/SUBJECT:", checkPrincipal, &principals),
		wordList(a.flow, "Excluded JWT principal", "excluded principal in the request token", "Excluded request principals, ISSUER/SUBJECT:", checkPrincipal, &notPrincipals),
		wordList(a.flow, "Client IP", "original client IP of the request", "IP addresses or CIDR blocks:", checkAddress, &ips),
		wordList(a.flow, "Excluded client IP", "excluded original client IP", "Excluded IP addresses or CIDR blocks:", checkAddress, &notIPs),
	}
	known := []bool{len(a.known.ServiceAccounts) > 0, len(a.known.Namespaces) > 0, len(a.known.Clusters) > 0, true, true, true, true}
	offered := slices.Collect(func(yield func(setting) bool) {
		for i, s := range list {
			if known[i] && !yield(s) {
				return
			}
		}
	})
	err := a.settings(Question{
		Text: "Match callers by:", AtLeastOne: true,
		Help: "A caller must match everything you select here (AND). You can add more callers afterwards (OR).",
	}, offered)
	s := core.IdentitySelector{}
	if len(accounts) > 0 {
		s.KubeServiceAccountRefs = &core.KubeServiceAccountRefs{ServiceAccounts: accounts}
	}
	if len(namespaces)+len(clusters) > 0 {
		s.KubeIdentityMatcher = &core.KubeIdentityMatcher{Namespaces: namespaces, Clusters: clusters}
	}
	if len(principals)+len(notPrincipals) > 0 {
		s.RequestIdentityMatcher = &core.RequestIdentityMatcher{RequestPrincipals: principals, NotRequestPrincipals: notPrincipals}
	}
	if len(ips)+len(notIPs) > 0 {
		s.RequestIPMatcher = &core.RequestIPMatcher{ForwardedIPs: ips, NotForwardedIPs: notIPs}
	}
	return []core.IdentitySelector{s}, err
}

func (a *accessPolicy) accounts() ([]core.ClusterObjectRef, error) {
	choices := make([]choice[core.ClusterObjectRef], len(a.known.ServiceAccounts))
	for i, ref := range a.known.ServiceAccounts {
		choices[i] = choice[core.ClusterObjectRef]{ref, refText(ref), ""}
	}
	return pickMany(a.flow, Question{
		Text: "Which service accounts?", AtLeastOne: true,
		Help: "Workloads with any of these service accounts may call. Type to filter by name, namespace or cluster.",
	}, choices, nil)
}

func identityText(s core.IdentitySelector) string {
	var parts []string
	if r := s.KubeServiceAccountRefs; r != nil {
		parts = append(parts, "service account "+listText(r.ServiceAccounts, refText))
	}
	if m := s.KubeIdentityMatcher; m != nil {
		parts = append(parts, cmp.Or(matcherText(m.Namespaces, m.Clusters, nil), "every workload"))
	}
	if m := s.RequestIdentityMatcher; m != nil {
		parts = append(parts, eitherText("JWT principal", m.RequestPrincipals, m.NotRequestPrincipals)...)
	}
	if m := s.RequestIPMatcher; m != nil {
		parts = append(parts, eitherText("client IP", m.ForwardedIPs, m.NotForwardedIPs)...)
	}
	return cmp.Or(strings.Join(parts, " and "), "anyone")
}

func eitherText(what string, yes, no []string) []string {
	var parts []string
	if len(yes) > 0 {
		parts = append(parts, what+" "+strings.Join(yes, "|"))
	}
	if len(no) > 0 {
		parts = append(parts, "not "+what+" "+strings.Join(no, "|"))
	}
	return parts
}

func (a *accessPolicy) callersText() string {
	switch a.callers() {
	case callersMesh:
		return "all workloads in the mesh of the service"
	case callersAny:
		return "anyone"
	default:
		return listText(a.in.Sources, identityText)
	}
}

func (a *accessPolicy) askDestinations() error {
	destinations, err := a.destinations("Which services may they call?", "The policy applies to these services only.", a.in.Destinations)
	if err == nil {
		a.in.Destinations = destinations
	}
	return err
}

func (a *accessPolicy) requests() []setting {
	in := a.in
	paths := wordList(a.flow, "Paths", "such as /reviews/*", "Paths, with * for anything at either end:", checkPath, &in.Paths)
	paths.clear = func() { in.Paths = []string{} }
	paths.without = "Allow every path?"
	return []setting{
		paths,
		{
			label: "Methods", about: "such as GET", without: "Allow every method?",
			now: func() string { return strings.Join(in.Methods, ", ") },
			ask: func() (err error) {
				in.Methods, err = a.methods(in.Methods)
				return err
			},
			clear: func() { in.Methods = []string{} },
		},
		{
			label: "Ports", about: "of the services", without: "Allow every port?",
			now: func() string { return joinNumbers(in.Ports) },
			ask: func() (err error) {
				in.Ports, err = a.ports(in.Destinations, in.Ports, true)
				return err
			},
			clear: func() { in.Ports = []uint32{} },
		},
	}
}

func (a *accessPolicy) askRequests() error {
	preselected := scopeAll
	if len(a.in.Paths)+len(a.in.Methods)+len(a.in.Ports) > 0 {
		preselected = scopeSome
	}
	chosen, err := pick(a.flow, Question{
		Text: "Which requests are allowed?",
		Help: "You can restrict paths, methods and ports; a request must match all restrictions.",
	}, []choice[scope]{
		{scopeAll, "All", "every path, method and port"},
		{scopeSome, "Some requests", "by path, method or port"},
	}, preselected)
	if err != nil {
		return err
	}
	if chosen == scopeAll {
		a.in.Paths, a.in.Methods, a.in.Ports = []string{}, []string{}, []uint32{}
		return nil
	}
	return a.settings(Question{
		Text: "Restrict requests by:", AtLeastOne: true,
		Help: "Select the restrictions; you enter the values next.",
	}, a.requests())
}

func (a *accessPolicy) requestsText() string {
	text := settingsText(a.requests())
	if text == "defaults" {
		return "all"
	}
	return text
}
