package worldgen

import "slices"

// destinations returns a selector list that holds at least the given Service;
// nil selects everything.
func (g *generator) destinations(s service) list {
	switch g.IntN(6) {
	case 0, 1:
		return list{object{"kubeServiceRefs": object{"services": list{s.ref()}}}}
	case 2:
		refs := list{s.ref()}
		for _, other := range g.services { // the same Service elsewhere
			if other.name == s.name && other.namespace == s.namespace && other.cluster != s.cluster {
				refs = append(refs, other.ref())
			}
		}
		return list{object{"kubeServiceRefs": object{"services": refs}}}
	case 3:
		return list{object{"kubeServiceMatcher": object{"namespaces": texts(s.namespace), "clusters": texts(s.cluster)}}}
	case 4:
		return list{object{"kubeServiceMatcher": object{"labels": object{"app": s.labels["app"]}}}}
	default:
		matcher := object{"namespaces": texts(s.namespace)}
		if tier := s.labels["tier"]; tier != "" {
			matcher["labels"] = object{"tier": tier}
		}
		return list{object{"kubeServiceMatcher": matcher}}
	}
}

// workloads returns a source selector that some caller matches.
func (g *generator) workloads() list {
	if g.chance(12) {
		return list{object{"kubeWorkloadMatcher": object{"namespaces": texts(IstioNamespace), "labels": object{"istio": "ingressgateway"}}}}
	}
	caller := pick(g.dice, g.appServices(true)...)
	matcher := object{}
	switch g.IntN(4) {
	case 0:
		matcher["namespaces"] = texts(caller.namespace)
	case 1:
		matcher["labels"] = object{"app": caller.labels["app"]}
	case 2:
		matcher["labels"], matcher["namespaces"] = object{"app": caller.labels["app"]}, texts(caller.namespace)
	case 3:
		matcher["namespaces"], matcher["clusters"] = texts(caller.namespace), texts(caller.cluster)
	}
	return list{object{"kubeWorkloadMatcher": matcher}}
}

// identities returns a source selector of an AccessPolicy; nil admits the
// destination's own mesh.
func (g *generator) identities() list {
	a := pick(g.dice, g.accounts...)
	switch g.IntN(8) {
	case 0:
		return nil
	case 1, 2:
		return list{g.accountRefs(a)}
	case 3:
		anywhere := a
		anywhere.cluster = ""
		return list{g.accountRefs(anywhere)}
	case 4:
		return list{object{"kubeIdentityMatcher": object{"namespaces": texts(a.namespace)}}}
	case 5:
		return list{object{"kubeIdentityMatcher": object{"clusters": texts(a.cluster)}}}
	case 6:
		return list{object{"kubeIdentityMatcher": object{"namespaces": texts(a.namespace), "clusters": texts(a.cluster)}}}
	default:
		return list{g.accountRefs(a), object{"kubeIdentityMatcher": object{"namespaces": texts(pick(g.dice, "shop", "bank"))}}}
	}
}

func (g *generator) accountRefs(accounts ...account) object {
	var refs list
	for _, a := range accounts {
		ref := object{"name": a.name, "namespace": a.namespace}
		if a.cluster != "" {
			ref["clusterName"] = a.cluster
		}
		refs = append(refs, ref)
	}
	return object{"kubeServiceAccountRefs": object{"serviceAccounts": refs}}
}

// appServices returns the Services of apps, without gateways; with injected only
// those whose pods have proxies.
func (g *generator) appServices(injected bool) []service {
	return slices.DeleteFunc(slices.Clone(g.services), func(s service) bool {
		return s.namespace == IstioNamespace || injected && !s.injected
	})
}

// matchers returns conditions on requests, drawn from a small set of paths and
// headers, so that policies meet.
func (g *generator) matchers() list {
	var result list
	for range 1 + g.IntN(2) {
		m := object{}
		switch g.IntN(6) {
		case 0:
			m["uri"] = object{"exact": "/api/items"}
		case 1:
			m["uri"] = object{"prefix": pick(g.dice, "/api", "/api/")}
		case 2:
			m["uri"] = object{"regex": "/v[0-9]+/.*"}
		case 3:
			m["uri"] = object{"suffix": ".png"}
		}
		if len(m) == 0 || g.chance(3) {
			switch g.IntN(4) {
			case 0:
				m["method"] = pick(g.dice, "GET", "POST")
			case 1:
				m["headers"] = list{pick(g.dice,
					object{"name": "x-plan", "value": "gold"}, object{"name": "x-plan", "value": "g.*", "regex": true}, object{"name": "x-debug"})}
			case 2:
				m["headers"] = list{object{"name": "x-plan", "value": "gold"}, object{"name": "x-internal", "value": "no", "invertMatch": true}}
			case 3:
				m["queryParameters"] = list{pick(g.dice, object{"name": "version", "value": "2"}, object{"name": "q", "value": "[a-z]+", "regex": true})}
			}
		}
		result = append(result, m)
	}
	return result
}
