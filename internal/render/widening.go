package render

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

// Widening is a restriction that a resource lost: without it, the resource is
// about more than before.
type Widening struct {
	// Field is where the restriction was, such as spec.destinationSelector.
	Field string
	// Means is what the resource is about there now, such as "every service".
	Means string
}

// Widenings returns the restrictions that an edited resource does not have any
// more although nobody wrote what to have instead: lists that are empty now and
// mean everything, and conditions that are gone.
func (k Kind[I, O]) Widenings(before, after O) ([]Widening, error) {
	was, err := manifestFields(before)
	if err != nil {
		return nil, err
	}
	is, err := manifestFields(after)
	if err != nil {
		return nil, err
	}
	w := widener{means: k.unrestricted}
	w.compare("", "spec", was["spec"], is["spec"])
	slices.SortFunc(w.found, func(a, b Widening) int { return cmp.Compare(a.Field, b.Field) })
	return w.found, nil
}

// unrestricted says what the absence of a restriction means, by its path below
// spec. An element of a list is written [].
type unrestricted map[string]string

// below returns the table with a prefix to its paths.
func (u unrestricted) below(prefix string) unrestricted {
	table := unrestricted{}
	for path, means := range u {
		table[prefix+path] = means
	}
	return table
}

func joinTables(tables ...unrestricted) unrestricted {
	all := unrestricted{}
	for _, table := range tables {
		maps.Copy(all, table)
	}
	return all
}

// unrestrictedDestinations are the restrictions of one DestinationSelector. Its
// own fields are alternatives: without one of them, it selects less.
func unrestrictedDestinations() unrestricted {
	table := unrestricted{
		"kubeServiceMatcher.clusters": "every cluster", "kubeServiceMatcher.labels": "any labels", "kubeServiceMatcher.namespaces": "every namespace",
	}
	for _, matcher := range []string{"externalServiceMatcher", "virtualDestinationMatcher"} {
		table[matcher+".labels"], table[matcher+".namespaces"] = "any labels", "every namespace"
	}
	return table
}

func unrestrictedAccess() unrestricted {
	return joinTables(
		unrestricted{
			"sourceSelector": "all workloads in the mesh of each destination", "destinationSelector": "every service",
			"allowedPaths": "every path", "allowedMethods": "every method", "allowedPorts": "every port",
		},
		unrestricted{
			"kubeIdentityMatcher": "every namespace and cluster", "kubeIdentityMatcher.namespaces": "every namespace", "kubeIdentityMatcher.clusters": "every cluster",
			"kubeServiceAccountRefs": "every service account", "kubeServiceAccountRefs.serviceAccounts": "every service account",
			"kubeServiceAccountRefs.serviceAccounts[].name": "any name", "kubeServiceAccountRefs.serviceAccounts[].namespace": "every namespace",
			"kubeServiceAccountRefs.serviceAccounts[].clusterName": "every cluster",
			"requestIdentityMatcher":                               "any token, or none",
			"requestIdentityMatcher.requestPrincipals":             "any token, or none", "requestIdentityMatcher.notRequestPrincipals": "no excluded token",
			"requestIpMatcher": "any address", "requestIpMatcher.forwardedIPs": "any address", "requestIpMatcher.notForwardedIPs": "no excluded address",
		}.below("sourceSelector[]."),
		unrestrictedDestinations().below("destinationSelector[]."),
	)
}

func unrestrictedTraffic() unrestricted {
	return joinTables(
		unrestricted{
			"sourceSelector": "requests of all workloads", "destinationSelector": "every service",
			"destinationPorts": "every port", "httpRequestMatchers": "every request",
			"policy.trafficShift.destinations[].kubeService.subset": "all pods of the service",
		},
		unrestricted{
			"kubeWorkloadMatcher": "all workloads", "kubeWorkloadMatcher.labels": "any labels",
			"kubeWorkloadMatcher.namespaces": "every namespace", "kubeWorkloadMatcher.clusters": "every cluster",
		}.below("sourceSelector[]."),
		unrestricted{
			"uri": "any path", "exact": "any path", "prefix": "any path", "regex": "any path",
			"headers": "any headers", "queryParameters": "any query parameters", "method": "every method",
		}.below("httpRequestMatchers[]."),
		unrestrictedDestinations().below("destinationSelector[]."),
	)
}

func unrestrictedMesh() unrestricted {
	table := unrestricted{
		"federation.selectors[].destinationSelectors": "every service", "federation.selectors[].meshes": "every mesh of the virtual mesh",
	}
	for _, gateways := range []string{"federation.ingressGatewaySelectors", "federation.eastWestIngressGatewaySelectors"} {
		table[gateways], table[gateways+"[].destinationSelectors"] = "the default gateways", "every service"
		maps.Copy(table, unrestrictedDestinations().below(gateways+"[].destinationSelectors[]."))
	}
	maps.Copy(table, unrestrictedDestinations().below("federation.selectors[].destinationSelectors[]."))
	return table
}

// widener compares two specs.
type widener struct {
	means unrestricted
	found []Widening
}

// compare compares a value at a path of the table and a field of a manifest.
func (w *widener) compare(path, field string, before, after any) {
	switch before := before.(type) {
	case map[string]any:
		after, _ := after.(map[string]any)
		for key, was := range before {
			inner := strings.TrimPrefix(path+"."+key, ".")
			means, restricts := w.means[inner]
			is, present := after[key]
			switch {
			case isEmpty(was):
			case !isEmpty(is) || present && w.goesOn(inner):
				w.compare(inner, field+"."+key, was, is)
			case restricts && !w.restrictsMore(path, before, after):
				w.found = append(w.found, Widening{Field: field + "." + key, Means: means})
			}
		}
	case []any:
		after, _ := after.([]any)
		w.compareLists(path+"[]", field, before, after)
	}
}

// goesOn reports whether a field without content still is a selector.
func (w *widener) goesOn(path string) bool {
	for other := range w.means {
		if strings.HasPrefix(other, path+".") {
			return true
		}
	}
	return false
}

// restrictsMore reports whether an element of a list got a restriction that it did
// not have: somebody wrote what it selects now.
func (w *widener) restrictsMore(path string, before, after map[string]any) bool {
	for key := range after {
		if _, restricts := w.means[path+"."+key]; restricts && strings.Contains(path, "[]") && isEmpty(before[key]) && !isEmpty(after[key]) {
			return true
		}
	}
	return false
}

// compareLists compares the elements that changed, in their order. Fewer elements
// are fewer alternatives.
func (w *widener) compareLists(path, field string, before, after []any) {
	changed := slices.Clone(before)
	var now []int
	for i, is := range after {
		if at := slices.IndexFunc(changed, func(was any) bool { return reflect.DeepEqual(was, is) }); at >= 0 {
			changed = slices.Delete(changed, at, at+1)
		} else {
			now = append(now, i)
		}
	}
	for n, i := range now {
		if n < len(changed) {
			w.compare(path, fmt.Sprintf("%s[%d]", field, i), changed[n], after[i])
		}
	}
}

func isEmpty(value any) bool {
	switch value := value.(type) {
	case nil:
		return true
	case map[string]any:
		return len(value) == 0
	case []any:
		return len(value) == 0
	case string:
		return value == ""
	default:
		return false
	}
}
