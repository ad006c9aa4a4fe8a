package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/meshctl/meshctl/internal/policy/feature"
	core "github.com/meshctl/meshctl/pkg/api/core/v1"
	networkingv1 "github.com/meshctl/meshctl/pkg/api/networking/v1"
)

// checkVirtualMesh returns the contradictions of an input that changes a
// VirtualMesh, an empty one for a new one.
func checkVirtualMesh(in *VirtualMeshInput, base *networkingv1.VirtualMesh) []error {
	var errs []error
	sources := rootSources(in)
	if len(sources) > 1 {
		errs = append(errs, fmt.Errorf("%s cannot be combined: the root certificate is generated, or comes from a Secret, or Vault signs instead", join(sources)))
	}
	if in.Trust != nil && *in.Trust != TrustShared {
		if moot := sharedTrustFlags(in, sources); len(moot) > 0 {
			errs = append(errs, fmt.Errorf("%s need --trust shared, not %s", join(moot), *in.Trust))
		}
	}
	errs = append(errs, checkVault(in)...)
	for i, g := range in.Gateways {
		if g.PortName != nil && g.OverrideHostInfo != nil {
			errs = append(errs, fmt.Errorf("--gateway number %d: port-name and address cannot be combined", i+1))
		}
		errs = append(errs, checkSelectors("--gateway", g.DestinationSelectors)...)
	}
	for _, s := range in.Federate {
		errs = append(errs, checkSelectors("--federate", s.DestinationSelectors)...)
	}
	return append(errs, checkMeshes(in, base)...)
}

// rootSources returns the flags that say where the root certificate comes from.
func rootSources(in *VirtualMeshInput) []string {
	var flags []string
	if in.Root.given() {
		flags = append(flags, in.Root.flag("root"))
	}
	if in.RootSecret != nil {
		flags = append(flags, "--root-secret")
	}
	if in.Vault != nil {
		flags = append(flags, "--vault")
	}
	return flags
}

// flag returns the first flag that is given.
func (c CertificateInput) flag(prefix string) string {
	switch {
	case c.TTLDays != nil:
		return "--" + prefix + "-ttl-days"
	case c.KeyBits != nil:
		return "--" + prefix + "-key-bits"
	case c.Org != nil:
		return "--" + prefix + "-org"
	default:
		return "--" + prefix + "-renewal-ratio"
	}
}

// sharedTrustFlags returns the flags that mean nothing without a common root.
func sharedTrustFlags(in *VirtualMeshInput, sources []string) []string {
	flags := slices.Clone(sources)
	if in.Intermediate.given() {
		flags = append(flags, in.Intermediate.flag("intermediate"))
	}
	if in.AutoRestartPods != nil && *in.AutoRestartPods {
		flags = append(flags, "--auto-restart-pods")
	}
	if in.RotationStrategy != nil {
		flags = append(flags, "--rotation-strategy")
	}
	if in.RotationVerification != nil {
		flags = append(flags, "--rotation-verification")
	}
	return flags
}

func checkVault(in *VirtualMeshInput) []error {
	v := in.Vault
	if v == nil {
		return nil
	}
	var errs []error
	if len(v.CABundle) > 0 && v.CALocalPath != nil {
		errs = append(errs, errors.New("--vault: ca-bundle and ca-file cannot be combined"))
	}
	auth := v.KubernetesAuth
	if v.TokenSecretRef != nil && auth != nil {
		errs = append(errs, errors.New("--vault: token-secret excludes mount-path, role, secret-token-key, service-account and token-path"))
	}
	if auth != nil && auth.ServiceAccountRef != nil && auth.MountedSAPath != nil {
		errs = append(errs, errors.New("--vault: service-account and token-path cannot be combined"))
	}
	return errs
}

// checkMeshes checks that meshes are listed once, and that federation names
// only meshes of the VirtualMesh (D14).
func checkMeshes(in *VirtualMeshInput, base *networkingv1.VirtualMesh) []error {
	var errs []error
	meshes := in.Meshes
	if meshes == nil {
		meshes = base.Spec.Meshes
	}
	for i, mesh := range in.Meshes {
		if slices.Contains(in.Meshes[:i], mesh) {
			errs = append(errs, fmt.Errorf("--mesh %s is given twice", writeObject(mesh)))
		}
	}
	if len(meshes) == 0 {
		return errs
	}
	for _, s := range in.Federate {
		for _, mesh := range s.Meshes {
			if !slices.Contains(meshes, mesh) {
				errs = append(errs, fmt.Errorf("--federate to=%s: that mesh is not in the virtual mesh; add it with --mesh", writeObject(mesh)))
			}
		}
	}
	return errs
}

// checkTrafficPolicy returns the contradictions of an input that changes a
// TrafficPolicy.
func checkTrafficPolicy(in *TrafficPolicyInput, base *networkingv1.TrafficPolicy) []error {
	settings := base.Spec.Policy
	if settings == nil {
		settings = &networkingv1.TrafficPolicyPolicy{}
	}
	var errs []error
	if in.Fault.Delay != nil && in.Fault.AbortStatus != nil {
		errs = append(errs, errors.New("--fault-delay and --fault-abort cannot be combined"))
	}
	if in.Fault.Percentage != nil && in.Fault.Delay == nil && in.Fault.AbortStatus == nil && settings.FaultInjection == nil {
		errs = append(errs, errors.New("--fault-percentage needs --fault-delay or --fault-abort"))
	}
	if in.Mirror.Percentage != nil && in.Mirror.KubeService == nil && settings.Mirror == nil {
		errs = append(errs, errors.New("--mirror-percentage needs --mirror"))
	}
	if in.RetryTimeout != nil && in.RetryAttempts == nil && settings.Retries == nil {
		errs = append(errs, errors.New("--retry-timeout needs --retries"))
	}
	errs = append(errs, checkOutlier(in, &base.Spec, settings)...)
	if in.ConnectionPool.H2Upgrade != nil && *in.ConnectionPool.H2Upgrade == networkingv1.H2UpgradePolicyUpgrade &&
		in.ConnectionPool.UseClientProtocol != nil && *in.ConnectionPool.UseClientProtocol {
		errs = append(errs, errors.New("--h2-upgrade UPGRADE and --use-client-protocol cannot be combined"))
	}
	errs = append(errs, checkWeights(in.Shift)...)
	for i, m := range in.Matchers {
		errs = append(errs, checkMatcher(i+1, m)...)
	}
	for _, s := range in.Sources {
		errs = append(errs, checkWildcards("--source", s.Namespaces, s.Clusters, values(s.Labels))...)
	}
	return append(errs, checkSelectors("--destination-selector", in.Destinations)...)
}

// checkOutlier refuses outlier detection for some sources only (D27).
func checkOutlier(in *TrafficPolicyInput, spec *networkingv1.TrafficPolicySpec, settings *networkingv1.TrafficPolicyPolicy) []error {
	detects := in.Outlier != OutlierInput{} || settings.OutlierDetection != nil
	hasSources := len(in.Sources) > 0 || (in.Sources == nil && len(spec.SourceSelector) > 0)
	changes := in.Outlier != OutlierInput{} || len(in.Sources) > 0
	if !detects || !hasSources || !changes {
		return nil
	}
	return []error{errors.New("--outlier-... and --source cannot be combined: outlier detection applies to all sources; put it into a policy of its own")}
}

// checkWeights refuses weights that do not say where every request goes
// (D25).
func checkWeights(shift []networkingv1.WeightedDestination) []error {
	if len(shift) < 2 {
		return nil
	}
	var sum uint32
	var terms []string
	for _, d := range shift {
		switch {
		case d.Weight == nil && d.KubeService != nil:
			return []error{fmt.Errorf("several --shift each need a weight, and %s has none; write for example --shift REF=50", writeService(feature.ShiftTarget(d.KubeService)))}
		case d.Weight == nil:
			return []error{errors.New("several --shift each need a weight")}
		}
		sum += *d.Weight
		terms = append(terms, writeNumber(*d.Weight))
	}
	if sum == 100 {
		return nil
	}
	return []error{fmt.Errorf("the weights of --shift must add up to 100, got %d (%s)", sum, strings.Join(terms, "+"))}
}

// checkMatcher refuses conditions that cannot be combined (D10, D58).
func checkMatcher(number int, m core.HTTPMatcher) []error {
	var errs []error
	at := fmt.Sprintf("--match number %d", number)
	for i, h := range m.Headers {
		if slices.ContainsFunc(m.Headers[:i], func(other core.HeaderMatcher) bool {
			return other.InvertMatch == h.InvertMatch && strings.EqualFold(other.Name, h.Name)
		}) {
			errs = append(errs, fmt.Errorf("%s: two conditions on header %s; use a second --match for an alternative", at, h.Name))
		}
	}
	for i, q := range m.QueryParameters {
		if slices.ContainsFunc(m.QueryParameters[:i], func(other core.QueryParameterMatcher) bool { return other.Name == q.Name }) {
			errs = append(errs, fmt.Errorf("%s: two conditions on query parameter %s; use a second --match for an alternative", at, q.Name))
		}
	}
	if uri := m.URI; uri != nil {
		ways := 0
		for _, text := range []*string{uri.Exact, uri.Prefix, uri.Regex, uri.Suffix} {
			if text != nil {
				ways++
			}
		}
		if ways > 1 {
			errs = append(errs, fmt.Errorf("%s: exact, prefix, suffix and regex cannot be combined", at))
		}
		if uri.IgnoreCase && uri.Exact == nil && uri.Prefix == nil {
			errs = append(errs, fmt.Errorf("%s: ignore-case applies to exact and prefix only", at))
		}
	}
	return errs
}

// checkAccessPolicy returns the contradictions of an input that changes an
// AccessPolicy.
func checkAccessPolicy(in *AccessPolicyInput, _ *networkingv1.AccessPolicy) []error {
	var errs []error
	for _, s := range in.Sources {
		if m := s.KubeIdentityMatcher; m != nil {
			errs = append(errs, checkWildcards("--source", m.Namespaces, m.Clusters)...)
		}
		if m := s.KubeServiceAccountRefs; m != nil {
			for _, ref := range m.ServiceAccounts {
				errs = append(errs, checkWildcards("--source", []string{ref.Name, ref.Namespace, ref.ClusterName})...)
			}
		}
	}
	return append(errs, checkSelectors("--destination-selector", in.Destinations)...)
}

func checkSelectors(flag string, selectors []core.DestinationSelector) []error {
	var errs []error
	for _, s := range selectors {
		if m := s.KubeServiceMatcher; m != nil {
			errs = append(errs, checkWildcards(flag, m.Namespaces, m.Clusters, values(m.Labels))...)
		}
		if m := s.ExternalServiceMatcher; m != nil {
			errs = append(errs, checkWildcards(flag, m.Namespaces, values(m.Labels))...)
		}
		if r := s.KubeServiceRefs; r != nil {
			for _, ref := range r.Services {
				errs = append(errs, checkWildcards(flag, []string{ref.Name, ref.Namespace, ref.ClusterName})...)
			}
		}
	}
	return errs
}

// checkWildcards refuses `*`, which would be compared literally (D6).
func checkWildcards(flag string, lists ...[]string) []error {
	var errs []error
	for _, list := range lists {
		for _, value := range list {
			if strings.Contains(value, "*") {
				errs = append(errs, fmt.Errorf("%s: wildcards are not supported: %q; omit it to select all", flag, value))
			}
		}
	}
	return errs
}

func values(entries map[string]string) []string {
	list := make([]string, 0, len(entries))
	for _, name := range sortedNames(entries) {
		list = append(list, entries[name])
	}
	return list
}

// join lists flags in a sentence.
func join(flags []string) string {
	if len(flags) < 2 {
		return strings.Join(flags, "")
	}
	last := len(flags) - 1
	return strings.Join(flags[:last], ", ") + " and " + flags[last]
}
