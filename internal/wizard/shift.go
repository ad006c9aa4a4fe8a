package wizard

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// maxWeight is what the weights of a shift sum to (D25).
const maxWeight = 100

// shift sends requests elsewhere, by weight.
func (t *trafficPolicy) shift(label, about string) setting {
	return setting{
		label: label, about: about,
		now:   func() string { return listText(t.in.Shift, targetText) },
		ask:   t.askShift,
		clear: func() { t.in.Shift = nil },
	}
}

func (t *trafficPolicy) askShift() error {
	var current []core.ClusterObjectRef
	for _, d := range t.in.Shift {
		if ref := targetRef(d); ref.Name != "" && !slices.Contains(current, ref) {
			current = append(current, ref)
		}
	}
	if len(t.in.Shift) == 0 {
		current = t.namedDestinations() // most shift between the versions of one service
	}
	refs, err := t.services(Question{
		Text: "Send requests to:", AtLeastOne: true,
		Help: "Select the target services. You choose versions and weights next.",
	}, t.kubeServices(), current)
	if err != nil {
		return err
	}
	var targets []networkingv1.WeightedDestination
	for _, ref := range refs {
		more, err := t.targetsAt(ref)
		if err != nil {
			return err
		}
		targets = append(targets, more...)
	}
	if err := t.weigh(targets); err != nil {
		return err
	}
	t.in.Shift = targets
	return nil
}

// targetsAt asks for the port of a Service and for the subsets of its pods,
// each of which is a target.
func (t *trafficPolicy) targetsAt(ref core.ClusterObjectRef) ([]networkingv1.WeightedDestination, error) {
	s := t.find(ref)
	var known []networkingv1.WeightedDestination
	for _, d := range t.in.Shift {
		if targetRef(d) == ref {
			known = append(known, d)
		}
	}
	port := uint32(0)
	if len(known) > 0 {
		port = known[0].KubeService.Port
	}
	port, err := t.portOf(s, port)
	if err != nil {
		return nil, err
	}
	subsets, err := t.subsets(s, known)
	if err != nil {
		return nil, err
	}
	if len(subsets) == 0 {
		subsets = []map[string]string{nil}
	}
	var targets []networkingv1.WeightedDestination
	for _, subset := range subsets {
		target := networkingv1.WeightedDestination{KubeService: &networkingv1.KubeDestination{
			Name: ref.Name, Namespace: ref.Namespace, ClusterName: ref.ClusterName, Port: port, Subset: subset,
		}}
		for _, d := range known {
			if maps.Equal(d.KubeService.Subset, subset) {
				target.Weight, target.Options = d.Weight, d.Options.DeepCopy()
			}
		}
		targets = append(targets, target)
	}
	return targets, nil
}

// subsets asks which of the known subsets get requests; none means all pods.
func (t *trafficPolicy) subsets(s ServiceChoice, known []networkingv1.WeightedDestination) ([]map[string]string, error) {
	var choices []choice[string]
	byText := map[string]map[string]string{}
	for _, key := range slices.Sorted(maps.Keys(s.Subsets)) {
		for _, value := range s.Subsets[key] {
			subset := map[string]string{key: value}
			byText[labelsText(subset)] = subset
			choices = append(choices, choice[string]{labelsText(subset), labelsText(subset), ""})
		}
	}
	var current []string
	for _, d := range known {
		if subset := d.KubeService.Subset; len(subset) > 0 {
			byText[labelsText(subset)] = subset
			current = append(current, labelsText(subset))
		}
	}
	if len(choices)+len(current) == 0 {
		return nil, nil
	}
	chosen, err := pickSome(t.flow, "versions", Question{
		Text: fmt.Sprintf("Which versions of %s?", refText(s.Ref)),
		Help: "Each selected version gets its own weight. Without a selection, requests go to all pods of the service.",
	}, choices, current, Option{Label: "All pods of " + refText(s.Ref)})
	if err != nil {
		return nil, err
	}
	var subsets []map[string]string
	for _, text := range chosen {
		subsets = append(subsets, byText[text])
	}
	return subsets, nil
}

// weigh asks for the weight of each target, except where only one is possible: a
// single target needs none, and the last gets what is left of 100.
func (t *trafficPolicy) weigh(targets []networkingv1.WeightedDestination) error {
	if len(targets) == 1 {
		targets[0].Weight = nil
		return nil
	}
	rest, last := uint32(maxWeight), len(targets)-1
	for i := range targets {
		if i == last || rest == 0 {
			weight := rest
			targets[i].Weight = &weight
			rest = 0
			continue
		}
		share := rest / uint32(len(targets)-i) //nolint:gosec // a handful
		if weight := targets[i].Weight; weight != nil && *weight <= rest {
			share = *weight
		}
		gets := targetName(targets[i])
		if i == last-1 {
			gets += " (" + targetName(targets[last]) + " gets the rest)"
		}
		answer, err := t.Input(Question{
			Text: "Percentage of requests to " + gets + ":",
			Help: fmt.Sprintf("A whole number from 0 to %d; the percentages add up to %d.", rest, maxWeight),
		}, fmt.Sprint(share), checkRange(0, uint64(rest)))
		if err != nil {
			return err
		}
		n, err := strconv.ParseUint(answer, 10, 32)
		if err != nil {
			return err
		}
		weight := uint32(n)
		targets[i].Weight = &weight
		rest -= weight
	}
	return nil
}

// askTargetHeaders asks for headers of single targets.
func (t *trafficPolicy) askTargetHeaders() error {
	targets := slices.Clone(t.in.Shift)
	var choices []choice[int]
	var current []int
	for i, d := range targets {
		choices = append(choices, choice[int]{i, targetName(d), ""})
		if d.Options != nil && d.Options.HeaderManipulation != nil {
			current = append(current, i)
		}
	}
	chosen, err := pickMany(t.flow, Question{
		Text: "For which targets do you want to change headers?",
		Help: "Select the targets with different headers, for example to identify versions.",
	}, choices, current)
	if err != nil {
		return err
	}
	for i := range targets {
		if !slices.Contains(chosen, i) {
			targets[i].Options = nil
			continue
		}
		in := networkingv1.HeaderManipulation{}
		if o := targets[i].Options; o != nil && o.HeaderManipulation != nil {
			in = *o.HeaderManipulation
		}
		if err := t.headers("", "", &in).ask(); err != nil {
			return err
		}
		targets[i].Options = &networkingv1.DestinationOptions{HeaderManipulation: &in}
	}
	t.in.Shift = targets
	return nil
}

func (t *trafficPolicy) targetHeadersText() string {
	changed := slices.DeleteFunc(slices.Clone(t.in.Shift), func(d networkingv1.WeightedDestination) bool { return d.Options == nil })
	return cmp.Or(listText(changed, targetName), "none")
}

// namedDestinations are the Services that the policy names.
func (t *trafficPolicy) namedDestinations() []core.ClusterObjectRef {
	var refs []core.ClusterObjectRef
	for _, d := range t.in.Destinations {
		if d.KubeServiceRefs != nil {
			refs = append(refs, d.KubeServiceRefs.Services...)
		}
	}
	return refs
}

func targetRef(d networkingv1.WeightedDestination) core.ClusterObjectRef {
	if k := d.KubeService; k != nil {
		return core.ClusterObjectRef{Name: k.Name, Namespace: k.Namespace, ClusterName: k.ClusterName}
	}
	return core.ClusterObjectRef{}
}

func targetName(d networkingv1.WeightedDestination) string {
	if d.KubeService == nil {
		return "another kind of target"
	}
	name := refText(targetRef(d))
	if len(d.KubeService.Subset) > 0 {
		name += " with " + labelsText(d.KubeService.Subset)
	}
	return name
}

func targetText(d networkingv1.WeightedDestination) string {
	if d.Weight == nil {
		return targetName(d)
	}
	return fmt.Sprintf("%d%% to %s", *d.Weight, targetName(d))
}
