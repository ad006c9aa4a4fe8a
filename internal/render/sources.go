package render

import (
	"net/netip"

	core "github.com/meshctl/meshctl/pkg/api/core/v1"
)

// readWorkloads reads the terms that select workloads as sources.
func readWorkloads(p piece, names Names) (core.KubeWorkloadMatcher, error) {
	return exclusive(p, names, everyWorkload, workloadKeys())
}

// everyWorkload is how every workload is written.
const everyWorkload = "all"

func workloadKeys() []termKey[core.KubeWorkloadMatcher] {
	type matcher = core.KubeWorkloadMatcher
	return []termKey[matcher]{
		{key: "namespace", value: "NAME", repeatable: true, set: func(m *matcher, t term, _ Names) error {
			return appendChecked(&m.Namespaces, t.value, "namespace", checkLabel)
		}},
		{key: "cluster", value: "NAME", repeatable: true, set: func(m *matcher, t term, _ Names) error {
			return appendChecked(&m.Clusters, t.value, "cluster", checkSubdomain)
		}},
		{key: "label", argument: "KEY", value: "VALUE", set: func(m *matcher, t term, _ Names) error {
			return addLabel(&m.Labels, t.argument, t.value)
		}},
	}
}

// exclusive reads terms, or one word that stands for none of them.
func exclusive[T any](p piece, names Names, word string, keys []termKey[T]) (T, error) {
	if p.trim().text == word {
		var none T
		return none, nil
	}
	keys = append([]termKey[T]{{key: word, set: func(_ *T, t term, _ Names) error {
		return t.key.errorf("%s excludes other terms", word)
	}}}, keys...)
	return parseTerms(p, names, keys)
}

func writeWorkloads(m core.KubeWorkloadMatcher) string {
	var w termWriter
	writeMatcher(&w, "", m.Namespaces, m.Clusters, m.Labels)
	return w.String()
}

// readIdentity reads the terms that select callers; `any` is every caller.
func readIdentity(p piece, names Names) (core.IdentitySelector, error) {
	return exclusive(p, names, anyCaller, identityKeys())
}

func identityKeys() []termKey[core.IdentitySelector] {
	type selector = core.IdentitySelector
	return []termKey[selector]{
		{key: "service-account", value: "REF", repeatable: true, set: func(s *selector, t term, names Names) error {
			ref, err := readAccount(t.value, names)
			if s.KubeServiceAccountRefs == nil {
				s.KubeServiceAccountRefs = &core.KubeServiceAccountRefs{}
			}
			s.KubeServiceAccountRefs.ServiceAccounts = append(s.KubeServiceAccountRefs.ServiceAccounts, ref)
			return err
		}},
		{key: "namespace", value: "NAME", repeatable: true, set: func(s *selector, t term, _ Names) error {
			return appendChecked(&identityMatcher(s).Namespaces, t.value, "namespace", checkLabel)
		}},
		{key: "cluster", value: "NAME", repeatable: true, set: func(s *selector, t term, _ Names) error {
			return appendChecked(&identityMatcher(s).Clusters, t.value, "cluster", checkSubdomain)
		}},
		{key: "request-principal", value: "ISSUER/SUBJECT", repeatable: true, set: func(s *selector, t term, _ Names) error {
			return appendChecked(&requestMatcher(s).RequestPrincipals, t.value, "the principal", checkPrintable)
		}},
		{key: "not-request-principal", value: "ISSUER/SUBJECT", repeatable: true, set: func(s *selector, t term, _ Names) error {
			return appendChecked(&requestMatcher(s).NotRequestPrincipals, t.value, "the principal", checkPrintable)
		}},
		{key: "ip", value: "ADDRESS", repeatable: true, set: func(s *selector, t term, _ Names) error {
			return appendChecked(&ipMatcher(s).ForwardedIPs, t.value, "", checkAddress)
		}},
		{key: "not-ip", value: "ADDRESS", repeatable: true, set: func(s *selector, t term, _ Names) error {
			return appendChecked(&ipMatcher(s).NotForwardedIPs, t.value, "", checkAddress)
		}},
	}
}

// anyCaller is how every caller is written.
const anyCaller = "any"

func identityMatcher(s *core.IdentitySelector) *core.KubeIdentityMatcher {
	if s.KubeIdentityMatcher == nil {
		s.KubeIdentityMatcher = &core.KubeIdentityMatcher{}
	}
	return s.KubeIdentityMatcher
}

func requestMatcher(s *core.IdentitySelector) *core.RequestIdentityMatcher {
	if s.RequestIdentityMatcher == nil {
		s.RequestIdentityMatcher = &core.RequestIdentityMatcher{}
	}
	return s.RequestIdentityMatcher
}

func ipMatcher(s *core.IdentitySelector) *core.RequestIPMatcher {
	if s.RequestIPMatcher == nil {
		s.RequestIPMatcher = &core.RequestIPMatcher{}
	}
	return s.RequestIPMatcher
}

// checkAddress accepts an IP address or a block in CIDR form.
func checkAddress(p piece, _ string) error {
	address, bits, isBlock := p.cut("/")
	ip, err := netip.ParseAddr(address.text)
	switch {
	case err != nil:
		return address.errorf("%q is not an IP address", address.text)
	case ip.Zone() != "":
		return address.errorf("an address with a zone means nothing on another machine")
	case !isBlock:
		return nil
	}
	if _, err := netip.ParsePrefix(p.text); err != nil {
		return bits.errorf("after the slash stands a number from 0 to %d", ip.BitLen())
	}
	return nil
}

func writeIdentity(s core.IdentitySelector) string {
	var w termWriter
	if m := s.KubeServiceAccountRefs; m != nil {
		for _, ref := range m.ServiceAccounts {
			w.pair("service-account", writeAccount(ref))
		}
	}
	if m := s.KubeIdentityMatcher; m != nil {
		w.pairs("namespace", m.Namespaces)
		w.pairs("cluster", m.Clusters)
	}
	if m := s.RequestIdentityMatcher; m != nil {
		w.pairs("request-principal", m.RequestPrincipals)
		w.pairs("not-request-principal", m.NotRequestPrincipals)
	}
	if m := s.RequestIPMatcher; m != nil {
		w.pairs("ip", m.ForwardedIPs)
		w.pairs("not-ip", m.NotForwardedIPs)
	}
	if w.String() == "" {
		return anyCaller
	}
	return w.String()
}
