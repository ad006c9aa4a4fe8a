package wizard

import (
	"strings"

	"github.com/meshctl/meshctl/internal/policy/feature"
	"github.com/meshctl/meshctl/internal/render"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// TrafficPolicy asks for what the draft of a TrafficPolicy does not have.
func TrafficPolicy(p Prompter, c Catalogue, d *Draft[render.TrafficPolicyInput]) error {
	return newTrafficPolicy(p, c, d).run()
}

// RevisitTrafficPolicy lets the user change any part of a draft that is
// complete.
func RevisitTrafficPolicy(p Prompter, c Catalogue, d *Draft[render.TrafficPolicyInput]) error {
	return newTrafficPolicy(p, c, d).revisit()
}

// trafficPolicy is the questions about one TrafficPolicy.
type trafficPolicy struct {
	*flow
	in *render.TrafficPolicyInput
}

func newTrafficPolicy(p Prompter, c Catalogue, d *Draft[render.TrafficPolicyInput]) *flow {
	f := newFlow(p, c, d)
	t := &trafficPolicy{flow: f, in: d.Input}
	f.sections = []section{
		naming(f, d, "traffic policy", "traffic-policy",
			"The name of the policy. Choose one that tells what it does, such as reviews-timeout."),
		{
			title: "Sources", basic: true, flags: []string{"source"}, ask: t.askSources,
			set: func() bool { return t.in.Sources != nil }, now: t.sourcesText,
		},
		{
			title: "Destinations", basic: true, flags: []string{"destination", "destination-selector"}, ask: t.askDestinations,
			set: func() bool { return t.in.Destinations != nil },
			now: func() string { return destinationsText(t.in.Destinations) },
		},
		{title: "Settings", basic: true, ask: t.askFeatures, set: t.hasFeatures, now: t.featuresText},
	}
	for _, s := range t.features() {
		f.sections = append(f.sections, section{
			title: s.label, ask: s.ask, now: s.now,
			shown: func() bool { return s.now() != "" },
		})
	}
	f.sections = append(f.sections,
		section{
			title: "Headers per target", ask: t.askTargetHeaders, now: t.targetHeadersText,
			shown: func() bool { return len(t.in.Shift) > 0 },
		},
		section{title: "Requests", ask: t.askMatchers, now: t.matchersText},
		section{title: "Ports", ask: t.askPorts, now: func() string { return portsText(t.in.Ports) }},
	)
	return f
}

// scope is whether something is about everything or a part.
type scope string

const (
	scopeAll  scope = "all"
	scopeSome scope = "some"
)

func (t *trafficPolicy) askSources() error {
	if len(t.in.Sources) > 0 {
		sources, err := editList(t.flow, "sources", t.in.Sources, Option{Label: "All workloads"}, workloadText, t.workloads)
		if err == nil {
			t.in.Sources = sources
		}
		return err
	}
	choices := []choice[scope]{{scopeAll, "All workloads", ""}}
	if t.narrows() {
		choices = append(choices, choice[scope]{scopeSome, "Selected workloads", "by namespace, cluster or label"})
	}
	chosen, err := pick(t.flow, Question{
		Text: "Which workloads send the requests?",
		Help: "The policy is applied at the caller, so the sources are the callers.",
	}, choices, scopeAll)
	if err != nil {
		return err
	}
	sources := []core.KubeWorkloadMatcher{}
	if chosen == scopeSome {
		if sources, err = t.workloads(); err != nil {
			return err
		}
	}
	t.in.Sources = sources
	return nil
}

func (t *trafficPolicy) sourcesText() string {
	if len(t.in.Sources) == 0 {
		return "every workload"
	}
	return listText(t.in.Sources, workloadText)
}

func (t *trafficPolicy) askDestinations() error {
	destinations, err := t.destinations("Which services does the policy apply to?", "The policy applies to requests to these services only.", t.in.Destinations)
	if err == nil {
		t.in.Destinations = destinations
	}
	return err
}

func (t *trafficPolicy) askPorts() error {
	ports, err := t.ports(t.in.Destinations, t.in.Ports, false)
	if err == nil {
		t.in.Ports = ports
	}
	return err
}

func portsText(ports []uint32) string {
	if len(ports) == 0 {
		return "every port"
	}
	return joinNumbers(ports)
}

// features are what a policy can do to requests, in the order in which they are
// offered. Those that need a Service to name are left out if none is known.
func (t *trafficPolicy) features() []setting {
	in, table := t.in, feature.All()
	services := len(t.kubeServices()) > 0 || len(in.Shift) > 0 || in.Mirror.KubeService != nil
	var list []setting
	for _, asked := range []struct {
		field    string
		question func(label, about string) setting
	}{
		{feature.RequestTimeout, func(label, about string) setting {
			return duration(t.flow, label, about, "Timeout:", "10s", &in.Timeout)
		}},
		{feature.Retries, t.retries},
		{feature.TrafficShift, t.shift},
		{feature.FaultInjection, t.fault},
		{feature.Mirror, t.mirror},
		{feature.HeaderManipulation, func(label, about string) setting { return t.headers(label, about, &in.Headers) }},
		{feature.CORSPolicy, t.cors},
		{feature.OutlierDetection, t.outlier},
		{feature.MTLS, func(label, about string) setting {
			return enum(t.flow, label, about, "How do clients connect?", []choice[networkingv1.TLSMode]{
				{networkingv1.TLSModeIstioMutual, "Mutual TLS of the mesh", "ISTIO_MUTUAL"},
				{networkingv1.TLSModeSimple, "TLS without client certificate", "SIMPLE"},
				{networkingv1.TLSModeDisable, "Without TLS", "DISABLE"},
			}, &in.TLSMode)
		}},
		{feature.ConnectionPoolSettings, t.connectionPool},
	} {
		if row := table.Of(asked.field); services || !row.NamesServices() {
			list = append(list, asked.question(row.Title, row.About))
		}
	}
	return list
}

func (t *trafficPolicy) askFeatures() error {
	return t.additions(Question{
		Text: "Which settings do you want to set?", AtLeastOne: true,
		Help: "Select the settings; you enter the values next.",
	}, t.features())
}

func (t *trafficPolicy) hasFeatures() bool {
	for _, s := range t.features() {
		if s.now() != "" {
			return true
		}
	}
	return false
}

func (t *trafficPolicy) featuresText() string {
	var set []setting
	for _, s := range t.features() {
		if s.now() != "" {
			set = append(set, s)
		}
	}
	return strings.ToLower(listText(set, func(s setting) string { return s.label }))
}
